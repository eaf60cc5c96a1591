import { hostName } from '../subject.ts';
import {
  configFile,
  entry,
  inConfig,
  journal,
  listed,
  onServer,
  releaseWithUsualTtl,
  restart,
} from './entry.ts';

interface HostEvidence {
  readonly host: string;
}

/** One process of coturn. */
interface ProcessEvidence extends HostEvidence {
  readonly pid: number;
  readonly user: string;
}

interface ConfigEvidence extends ProcessEvidence {
  /** The configuration in question. */
  readonly path: string;
}

const host = { host: 'turn.example.com' };
const exampleProcess: ProcessEvidence = { ...host, pid: 812, user: 'turnserver' };
const exampleConfig: ConfigEvidence = { ...exampleProcess, path: configFile };

/** What is wrong with the processes of coturn on its machine, and with what they have read. */
export const serverProcessCatalog = {
  COTURN_NOT_RUNNING: entry<
    HostEvidence & {
      /** Null where systemd knows of none. */
      unit: string | null;
      /** As systemd has it: `failed`, `inactive`; empty without a unit. */
      state: string;
      /** Why it ended, as systemd has it; null when it did not fail. */
      result: string | null;
      isInstalled: boolean;
    }
  >({
    severity: 'error',
    subject: hostName,
    example: { ...host, unit: 'coturn.service', state: 'failed', result: 'exit-code', isInstalled: true },
    title: (e) => (e.isInstalled ? 'coturn does not run' : 'There is no coturn on this machine'),
    cause: (e) =>
      e.unit === null
        ? `Nothing called turnserver runs, and systemd has no unit for it${e.isInstalled ? '' : ', and none is installed'}.`
        : `Nothing called turnserver runs; systemd says of ${e.unit}: ${e.state}${e.result === null ? '' : ` (${e.result})`}.`,
    proof: () => 'The list of processes has no turnserver.',
    fix: (e) =>
      e.unit === null
        ? [e.isInstalled ? restart : onServer('sudo apt-get install coturn')]
        : [
            onServer(`sudo systemctl status ${e.unit}`),
            journal,
            onServer(`sudo systemctl restart ${e.unit}`),
          ],
    explanation:
      'Every process of the machine is looked at by its name. Without turnserver nobody answers on its ports, whatever firewall and configuration say.',
    confusedWith: ['LISTENER_MISSING: there it runs, and one of its ports is not open.'],
    references: ['coturn README.turnserver'],
  }),
  CONFIG_NOT_READ: entry<ConfigEvidence & { because: string }>({
    severity: 'error',
    subject: hostName,
    example: { ...exampleConfig, because: 'its mode is 0600, and root owns it' },
    title: () => 'The coturn that runs has not got its configuration',
    cause: (e) =>
      `Process ${e.pid} runs as ${e.user} and could not read ${e.path}: ${e.because}. coturn then takes its defaults: an open relay on the standard ports.`,
    proof: (e) => `The command line of process ${e.pid}, and the modes and owners on the way to ${e.path}.`,
    fix: (e) => [onServer(`sudo chgrp ${e.user} ${e.path}`), onServer(`sudo chmod 640 ${e.path}`), restart],
    explanation:
      'coturn says in its log that it cannot find the file, and starts without it: no credentials, no certificate, no limits. The file has to be there and be readable by the user that the process runs as.',
    confusedWith: ['CONFIG_CHANGED_SINCE_START: there it was read, and has changed since.'],
    references: ['coturn README.turnserver'],
  }),
  CONFIG_CHANGED_SINCE_START: entry<ConfigEvidence & { changedAt: string; startedAt: string }>({
    severity: 'warning',
    subject: hostName,
    example: {
      ...exampleConfig,
      changedAt: '2026-11-21T12:10:00.000Z',
      startedAt: '2026-11-21T08:00:00.000Z',
    },
    title: () => 'The configuration was changed, and coturn was not restarted',
    cause: (e) =>
      `${e.path} is from ${time(e.changedAt)}, and process ${e.pid} runs since ${time(e.startedAt)}. coturn reads it once, at its start; nothing of the change is in force.`,
    proof: () => 'The time of the file, and the start of the process, both by the clock of the server.',
    fix: () => [restart],
    explanation:
      'No signal makes coturn read its configuration again: SIGUSR2 reloads certificates alone. What the file says now and what the process does may differ until it is started again, which breaks running calls.',
    confusedWith: ['CONFIG_OTHER_FILE: there the process reads another file.'],
    references: ['coturn README.turnserver'],
  }),
  CONFIG_OTHER_FILE: entry<ConfigEvidence & { unread: string }>({
    severity: 'info',
    subject: hostName,
    example: { ...exampleConfig, path: '/etc/coturn/turnserver.conf', unread: configFile },
    title: (e) => `coturn does not read ${e.unread}`,
    cause: (e) =>
      `Process ${e.pid} has its configuration from ${e.path}. What is changed in ${e.unread} does nothing.`,
    proof: (e) => `The command line of process ${e.pid}, and the directories in which coturn looks.`,
    fix: (e) => [`make changes in ${e.path}, and take ${e.unread} away`],
    explanation:
      'coturn reads one file: that behind -c, or else the first turnserver.conf that it finds in its working directory and in /etc, /etc/turnserver, /etc/coturn and the same below /usr/local.',
    confusedWith: ['CONFIG_NOT_READ: there it reads none.'],
    references: ['coturn README.turnserver'],
  }),
  COMMAND_LINE_OPTIONS: entry<ProcessEvidence & { options: readonly string[] }>({
    severity: 'info',
    subject: hostName,
    example: { ...exampleProcess, options: ['listening-port', 'realm'] },
    title: () => 'coturn has options on its command line too',
    cause: (e) =>
      `Process ${e.pid} was started with ${listed(e.options)}, which count over those of the file.`,
    proof: (e) => `The command line of process ${e.pid}.`,
    fix: () => [onServer('systemctl cat coturn'), 'keep all options in one place'],
    explanation:
      'coturn reads its file first and the command line after it: what stands on both is as the command line says.',
    confusedWith: [
      'CONFIG_OTHER_FILE: there the command line names another file.',
      'CONFIG_CHANGED_SINCE_START: there the file differs, as it was changed later.',
    ],
    references: ['coturn README.turnserver'],
  }),
  COTURN_REPLACED: entry<ProcessEvidence & { executable: string; release: string | null }>({
    severity: 'warning',
    subject: hostName,
    example: { ...exampleProcess, executable: '/usr/bin/turnserver', release: '4.6.3' },
    title: () => 'coturn was updated, and not restarted',
    cause: (e) =>
      `Process ${e.pid} runs from a file that was replaced since. What is installed now${e.release === null ? '' : ` (${e.release})`} is not what runs, its holes included.`,
    proof: (e) =>
      `The program of process ${e.pid}, ${e.executable}, is gone from the disk as it was started.`,
    fix: () => [restart],
    explanation:
      'An update puts a new program in the place of the old one, and a process that runs keeps the old one until it is started again.',
    confusedWith: ['VERSION_VULNERABLE: there the version that is installed has holes.'],
    references: ['coturn README.turnserver'],
  }),
  COTURN_TTL_ONE: entry<HostEvidence & { release: string; packaged: string | null }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, release: '4.17.1', packaged: '4.17.1-1' },
    title: (e) => `coturn ${e.release} answers over UDP with an IP TTL of 1`,
    cause: () =>
      'The first router on the way drops every answer over UDP, so that TURN and STUN over UDP serve nobody but the network of the server itself. TCP and TLS are not concerned.',
    proof: (e) =>
      `turnserver --version says ${e.release}${e.packaged === null ? '' : `, of the package ${e.packaged}`}; 4.17.0 and 4.17.1 have that fault, unless whoever packaged them took it out.`,
    fix: () => [
      releaseWithUsualTtl,
      restart,
      'to see it: no packet of coturn should leave with a TTL of 1:',
      onServer("sudo tcpdump -c 5 -v -n 'udp src port 3478 and ip[8] = 1'"),
    ],
    explanation:
      'The listeners of these two releases give their replies over UDP a TTL of 1; those before and after do not. All tests on the server itself and beside it succeed.',
    confusedWith: [
      'REPLY_TTL_ONE: the same, where the server tells its version to clients.',
      'ANSWER_TTL_ONE: the same, seen in packets.',
    ],
    references: ['coturn README.turnserver', 'RFC 791 §3.2'],
  }),
  DAEMONS_SHARE_PORT: entry<
    HostEvidence & {
      protocol: 'udp' | 'tcp';
      port: number;
      pids: readonly number[];
      commands: readonly string[];
    }
  >({
    severity: 'error',
    subject: hostName,
    example: {
      ...host,
      protocol: 'udp',
      port: 3478,
      pids: [812, 4011],
      commands: ['/usr/bin/turnserver -c /etc/turnserver.conf', 'turnserver -o'],
    },
    title: (e) => `${e.pids.length} coturns share ${e.protocol.toUpperCase()} ${e.port}`,
    cause: (e) =>
      `Processes ${listed(e.pids.map(String))} listen there at once. The kernel gives each client to one of them: with different secrets, realms or ports some fail, at random.`,
    proof: (e) => `Sockets of each of them on port ${e.port}; they were started as ${listed(e.commands)}.`,
    fix: (e) => [
      onServer('systemctl status coturn'),
      onServer(`sudo ss -ln${e.protocol === 'udp' ? 'u' : 't'}p sport = :${e.port}`),
      onServer(`sudo kill ${Math.max(...e.pids)}`),
      'stop the service of the distribution where a container is to serve: systemctl disable --now coturn',
    ],
    explanation:
      'coturn opens its ports with SO_REUSEPORT, so that a second one of the same user starts without an error, and the kernel deals out the clients among them.',
    confusedWith: [
      'TWO_SERVERS_ANSWER: the same, seen by a probe.',
      'LISTENER_OTHER_PROGRAM: there it is no coturn.',
    ],
    references: ['coturn README.turnserver'],
  }),
  CONTAINER_NETWORK: entry<
    ProcessEvidence & {
      container: string;
      /** How many of its relay ports the machine sends on to it, of how many; null where that is not seen. */
      published: number | null;
      relayPorts: number;
      /** The relay ports, `49152-65535`. */
      ports: string;
    }
  >({
    severity: 'warning',
    subject: hostName,
    example: {
      ...exampleProcess,
      container: 'docker',
      published: 0,
      relayPorts: 16_384,
      ports: '49152-65535',
    },
    title: () => 'coturn runs in a container with a network of its own',
    cause: (e) =>
      e.published === null
        ? `Whether the machine sends its ${e.relayPorts} relay ports (UDP ${e.ports}) on to the container is not seen.`
        : e.published < e.relayPorts
          ? `The machine sends ${e.published === 0 ? 'none' : e.published} of the ${e.relayPorts} relay ports (UDP ${e.ports}) on to the container: what peers send to ${e.published === 0 ? 'a relay' : 'the others'} ends at the machine.`
          : `The machine sends on all ${e.relayPorts} relay ports, each by a process of its own or a rule of its firewall, which is slow to start and slow at work.`,
    proof: (e) =>
      `Process ${e.pid} is in another network namespace than the machine (${e.container})${e.published === null ? '' : `; the rules of the machine, and its docker-proxy processes, send on ${e.published} ports of UDP ${e.ports}`}.`,
    fix: (e) => [
      'give the container the network of the host, and take its published ports away:',
      e.container === 'podman'
        ? 'podman run --network host, or Network=host in its .container file'
        : 'docker run --network host, or network_mode: host in docker-compose.yml',
      e.relayPorts > mostPublished
        ? 'or narrow min-port and max-port to some hundred ports, publish just these (-p MIN-MAX:MIN-MAX/udp), and set external-ip=PUBLIC/PRIVATE'
        : `or publish the relay ports too (-p ${e.ports}:${e.ports}/udp), and set external-ip=PUBLIC/PRIVATE`,
    ],
    explanation:
      'Behind the bridge of a container engine coturn sees an address that no client can reach, and every relay port has to be published. With the network of the host neither is a question.',
    confusedWith: ['EXTERNAL_IP_MISSING: there the machine itself has a private address.'],
    references: ['coturn README.turnserver'],
  }),
  UNIT_NOT_ENABLED: entry<HostEvidence & { unit: string }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, unit: 'coturn.service' },
    title: () => 'coturn is not started when the machine is',
    cause: (e) => `${e.unit} runs, and is not enabled: after the next reboot nobody answers.`,
    proof: (e) => `systemd says that ${e.unit} is disabled.`,
    fix: (e) => [onServer(`sudo systemctl enable ${e.unit}`)],
    explanation: 'A unit that was started by hand runs until the machine is switched off, and no longer.',
    confusedWith: ['COTURN_NOT_RUNNING: there it does not run now.'],
    references: ['coturn README.turnserver'],
  }),
  TLS_CERT_NOT_RELOADED: entry<
    HostEvidence & {
      endpoint: string;
      path: string;
      servedNotAfter: string;
      fileNotAfter: string;
      isExpired: boolean;
      unit: string | null;
      pid: number;
    }
  >({
    severity: 'warning',
    subject: hostName,
    example: {
      ...host,
      endpoint: '127.0.0.1:5349',
      path: '/etc/turn/fullchain.pem',
      servedNotAfter: '2026-11-25T08:00:00.000Z',
      fileNotAfter: '2027-02-19T08:00:00.000Z',
      isExpired: false,
      unit: 'coturn.service',
      pid: 812,
    },
    title: (e) =>
      e.isExpired
        ? 'coturn serves a certificate that has ended; the file has a new one'
        : 'coturn serves another certificate than its file holds',
    cause: (e) =>
      `The one that it serves ends on ${day(e.servedNotAfter)}, that in ${e.path} on ${day(e.fileNotAfter)}. coturn reads it at its start, and when it gets SIGUSR2.`,
    proof: (e) => `A TLS handshake with ${e.endpoint} on the server, and the first certificate of ${e.path}.`,
    fix: (e) => [
      onServer(e.unit === null ? `sudo kill -USR2 ${e.pid}` : `sudo systemctl kill -s SIGUSR2 ${e.unit}`),
      'have the renewal do that: a script in /etc/letsencrypt/renewal-hooks/deploy',
    ],
    explanation:
      'A renewed certificate lies on the disk and does nothing until coturn reads it. Clients see the old one, and fail on the day on which it ends, some 90 days after a deployment that nobody thinks of any more.',
    confusedWith: [
      'TLS_CERT_EXPIRED: there the file may be old as well.',
      'TLS_KEY_MISMATCH: there coturn keeps the old pair.',
    ],
    references: ['coturn README.turnserver'],
  }),
  ADDRESS_NOT_HERE: entry<
    HostEvidence & { option: string; address: string; path: string; own: readonly string[] }
  >({
    severity: 'error',
    subject: hostName,
    distinctBy: ['option', 'address'],
    example: { ...host, option: 'external-ip', address: '10.0.0.5', path: configFile, own: ['10.0.0.9'] },
    title: (e) => `${e.option} names an address that this machine has not`,
    cause: (e) =>
      e.option === 'external-ip'
        ? `The private half of ${e.option}, ${e.address}, is on no interface: coturn puts the public address in the place of that one alone, and clients get a private relay address.`
        : `${e.address} is on no interface of the machine, and coturn cannot open a port there.`,
    proof: (e) =>
      `${e.path}, and the addresses of the interfaces: ${e.own.length === 0 ? 'none' : listed(e.own)}.`,
    fix: (e) => [
      onServer('ip -brief address'),
      e.option === 'external-ip' && e.own[0] !== undefined
        ? inConfig(`external-ip=PUBLIC/${e.own[0]}`)
        : `correct ${e.option} in ${e.path}`,
      restart,
    ],
    explanation:
      'After a machine was moved or copied its configuration may name addresses of the old one. coturn says so in its log only.',
    confusedWith: ['EXTERNAL_IP_MISSING: there no address is translated at all.'],
    references: ['coturn README.turnserver'],
  }),
} as const;

// Each is a process of its own, or two rules; with thousands of them Docker takes minutes to start a container.
const mostPublished = 1000;

function time(text: string): string {
  return text.slice(0, 19).replace('T', ' ');
}

function day(text: string): string {
  return text.slice(0, 10);
}
