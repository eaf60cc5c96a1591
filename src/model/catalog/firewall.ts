import type { Family } from '../endpoint.ts';
import { hostName } from '../subject.ts';
import { entry, listed, onServer } from './entry.ts';

/** Some ports, and what has the last word on packets to them. */
export interface BlockEvidence {
  readonly host: string;
  readonly protocol: 'udp' | 'tcp';
  /** `3478`, `49152-65535`. */
  readonly ports: readonly string[];
  /** Where it is so in one address family alone. */
  readonly onlyFamily: Family | null;
  /** `TURN over TCP`. */
  readonly title: string;
  /** What drops: the rule, null for the policy of the chain. */
  readonly rule: string | null;
  readonly chain: string;
  readonly table: string;
  readonly tool: 'nft' | 'iptables' | 'ip6tables';
  readonly manager: 'ufw' | 'firewalld' | 'nftables' | 'iptables';
}

export interface ListenerPortEvidence {
  readonly host: string;
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
  readonly title: string;
  /** Where it is so in one address family alone. */
  readonly onlyFamily: Family | null;
}

interface OutsideEvidence {
  readonly host: string;
  readonly peer: string;
  readonly ports: string;
  readonly silent: readonly number[];
  readonly arrived: readonly number[];
}

const mostListed = 8;

function portList(ports: readonly number[]): string {
  const shown = ports.slice(0, mostListed).map(String);
  return ports.length <= mostListed
    ? listed(shown)
    : `${shown.join(', ')} and ${ports.length - mostListed} more`;
}

const exampleBlock: BlockEvidence = {
  host: 'turn.example.com',
  protocol: 'udp',
  ports: ['49152-65535'],
  onlyFamily: null,
  title: 'relayed media',
  rule: null,
  chain: 'input',
  table: 'inet filter',
  tool: 'nft',
  manager: 'nftables',
};

const exampleListener: ListenerPortEvidence = {
  host: 'turn.example.com',
  protocol: 'tcp',
  port: 5349,
  title: 'TURN over TLS',
  onlyFamily: null,
};

/** What lets these ports in, with the tool that manages the rules. */
function opened(e: BlockEvidence): string[] {
  const { protocol, ports } = e;
  switch (e.manager) {
    case 'ufw':
      return ports.map((each) => {
        const span = each.replace('-', ':');
        // allow takes the place of a deny for the same ports, and stands behind any other one.
        const same = new RegExp(`dports? (?:${span}|${each})(?: |$)`);
        const isBehind = e.rule !== null && !same.test(e.rule);
        return onServer(`sudo ufw ${isBehind ? 'prepend allow' : 'allow'} ${span}/${protocol}`);
      });
    case 'firewalld':
      return [
        ...ports.map((each) => onServer(`sudo firewall-cmd --permanent --add-port=${each}/${protocol}`)),
        onServer('sudo firewall-cmd --reload'),
      ];
    case 'nftables':
      return [
        ...ports.map((each) =>
          onServer(`sudo nft insert rule ${e.table} ${e.chain} ${protocol} dport ${each} accept`),
        ),
        'the same rule belongs into the file that the ruleset comes from, such as /etc/nftables.conf, or the next start forgets it',
      ];
    case 'iptables':
      return [
        ...ports.map((each) =>
          onServer(
            `sudo ${e.tool} -t ${e.table.split(' ')[1] ?? 'filter'} -I ${e.chain} -p ${protocol} --dport ${each.replace('-', ':')} -j ACCEPT`,
          ),
        ),
        'the next start forgets it, unless it is saved: netfilter-persistent save, with the package iptables-persistent',
      ];
    default:
      return e.manager satisfies never;
  }
}

function portNames({ protocol, ports }: Pick<BlockEvidence, 'protocol' | 'ports'>): string {
  return `${protocol.toUpperCase()} ${listed(ports)}`;
}

function decided(e: BlockEvidence): string {
  const where = `the chain ${e.chain} of ${e.table}`;
  return e.rule === null
    ? `No rule lets it in, and the policy of ${where} is drop.`
    : `In ${where} this rule decides: ${e.rule}.`;
}

const inFamily = ({ onlyFamily }: { readonly onlyFamily: Family | null }): string =>
  onlyFamily === null ? '' : ` (IPv${onlyFamily})`;

/** What `firewall check` finds on the machine that it runs on. */
export const firewallCatalog = {
  FIREWALL_BLOCKS_LISTENER: entry<BlockEvidence>({
    severity: 'error',
    subject: hostName,
    distinctBy: ['protocol', 'ports'],
    example: { ...exampleBlock, protocol: 'tcp', ports: ['5349'], title: 'TURN over TLS' },
    title: (e) => `The firewall of ${e.host} blocks ${portNames(e)}`,
    cause: (e) => `Clients do not get to ${e.title}${inFamily(e)}. ${decided(e)}`,
    proof: (e) =>
      `A packet from the internet to ${portNames(e)}, followed through all rules that are loaded, ends there.`,
    fix: opened,
    explanation:
      'The rules that the kernel has loaded were read, and a packet that opens a connection was followed through them in the order in which the kernel asks them. In nftables an accept ends one chain, and a drop ends all.',
    confusedWith: [
      'PORT_BLOCKED: seen from outside, where the firewall may also be one in front of the machine.',
      'LISTENER_MISSING: there nothing would answer if the packet came through.',
    ],
    references: ['RFC 8656 §3.1', 'RFC 2979'],
  }),
  FIREWALL_BLOCKS_RELAY: entry<BlockEvidence & { open: readonly string[] }>({
    severity: 'error',
    subject: hostName,
    example: { ...exampleBlock, open: [] },
    title: (e) =>
      e.open.length === 0
        ? `The firewall of ${e.host} blocks the relay ports`
        : `The firewall of ${e.host} blocks a part of the relay ports`,
    cause: (e) =>
      `Nothing that peers send to ${portNames(e)} arrives${inFamily(e)}: calls that are relayed there are silent. ${decided(e)}`,
    proof: (e) =>
      e.open.length === 0
        ? 'A packet from the internet to each of these ports, followed through all rules that are loaded, ends there.'
        : `A packet from the internet to each of these ports, followed through all rules that are loaded, ends there. It comes through to ${listed(e.open)}.`,
    fix: opened,
    explanation:
      'coturn takes a port of min-port to max-port for each allocation, and peers send to it. A firewall has to let in UDP to all of them.',
    confusedWith: [
      'RELAY_PORTS_BLOCKED: the same, proven from outside.',
      'FIREWALL_RELAY_STATEFUL_ONLY: there answers come in to what the relay has sent.',
    ],
    references: ['RFC 8656 §3.1', 'coturn README.turnserver'],
  }),
  FIREWALL_RELAY_STATEFUL_ONLY: entry<BlockEvidence & { open: readonly string[] }>({
    severity: 'error',
    subject: hostName,
    example: { ...exampleBlock, open: [] },
    title: () => 'The relay ports take only replies',
    cause: (e) =>
      `A peer gets to ${portNames(e)}${inFamily(e)} only where the relay has sent to it before. Calls begin late, or have no audio in one direction. ${decided(e)}`,
    proof: (e) =>
      `Followed through all rules that are loaded, a packet that replies comes in, and the first one of a peer does not${e.open.length === 0 ? '' : `; to ${listed(e.open)} both do`}.`,
    fix: opened,
    explanation:
      'A rule for established connections lets replies in. That is enough for many calls and not for all: who sends first depends on the network of the peer.',
    confusedWith: [
      'RELAY_PORTS_STATEFUL_ONLY: the same, proven from outside.',
      'FIREWALL_BLOCKS_RELAY: there nothing comes in at all.',
    ],
    references: ['RFC 8656 §3.1', 'RFC 8445 §7.2'],
  }),
  FIREWALL_BLOCKS_OUTSIDE: entry<OutsideEvidence>({
    severity: 'error',
    subject: hostName,
    example: {
      host: 'turn.example.com',
      peer: 'udp://peer.example.net:3479',
      ports: '49152-65535',
      silent: [49_152, 57_343],
      arrived: [50_000],
    },
    title: (e) =>
      e.arrived.length === 0
        ? `A firewall in front of ${e.host} blocks its UDP ports`
        : `A firewall in front of ${e.host} blocks some of its UDP ports`,
    cause: (e) =>
      `What another network sends to UDP ${e.ports} is lost before it gets to a program there, although the rules of that machine are not known to drop it: a firewall of the cloud, or a router.`,
    proof: (e) =>
      `${e.peer} says that it has sent, and nothing arrived at ${portList(e.silent)}${e.arrived.length === 0 ? '' : `; it did at ${portList(e.arrived)}`}.`,
    fix: (e) => [
      onServer('rtc-ops firewall show --backend aws'),
      'or with google-cloud, azure, hetzner or digitalocean, and run what it prints where the tool of that cloud is set up',
      `behind a router of your own, forward UDP ${e.ports} to ${e.host}`,
    ],
    explanation:
      'An rtc-ops peer in another network was asked to send to ports of this machine that had sent nothing themselves, from a port to which nothing was sent. It says that it did. What arrives was let in by every firewall on the way.',
    confusedWith: [
      'FIREWALL_BLOCKS_RELAY: there the rules of this machine drop it.',
      'RELAY_PORTS_BLOCKED: the same, seen by a probe through the relay.',
    ],
    references: ['RFC 8656 §3.1', 'RFC 2979'],
  }),
  LISTENER_MISSING: entry<ListenerPortEvidence>({
    severity: 'error',
    subject: hostName,
    distinctBy: ['protocol', 'port'],
    example: exampleListener,
    title: (e) => `Nothing listens on ${e.protocol.toUpperCase()} ${e.port}`,
    cause: (e) =>
      `The configuration promises ${e.title} there${inFamily(e)}. coturn does not run, or has another configuration.`,
    proof: () => 'The list of sockets of that machine has none for it.',
    fix: (e) => [
      onServer('systemctl status coturn'),
      onServer('sudo journalctl -u coturn -n 50'),
      onServer(`sudo ss -ln${e.protocol === 'udp' ? 'u' : 't'}p sport = :${e.port}`),
    ],
    explanation:
      'The ports that the config promises are compared with the sockets that listen on this machine. An open firewall is of no use where nobody answers.',
    confusedWith: ['FIREWALL_BLOCKS_LISTENER: there somebody would answer.'],
    references: ['RFC 8656 §3.1', 'coturn README.turnserver'],
  }),
  LISTENER_ELSEWHERE: entry<ListenerPortEvidence & { at: readonly string[] }>({
    severity: 'error',
    subject: hostName,
    distinctBy: ['protocol', 'port'],
    example: { ...exampleListener, at: ['127.0.0.1'] },
    title: (e) => `${e.protocol.toUpperCase()} ${e.port} listens on the wrong address`,
    cause: (e) =>
      `It listens on ${listed(e.at)} alone, and clients are sent to another address of that machine${inFamily(e)}.`,
    proof: () => 'The list of sockets of that machine has it there, and at no other address.',
    fix: (e) => [
      onServer(`sudo ss -ln${e.protocol === 'udp' ? 'u' : 't'}p sport = :${e.port}`),
      'give the addresses of the host in rtc-ops.yaml (hosts[].addresses, or listen.addresses), or leave listening-ip out of turnserver.conf',
    ],
    explanation:
      'A listener that is bound to loopback or to an inner address is reached by nobody from outside.',
    confusedWith: ['LISTENER_MISSING: there nothing listens at all.'],
    references: ['coturn README.turnserver'],
  }),
  LISTENER_OTHER_PROGRAM: entry<ListenerPortEvidence & { program: string }>({
    severity: 'error',
    subject: hostName,
    distinctBy: ['protocol', 'port'],
    example: { ...exampleListener, protocol: 'tcp', port: 443, program: 'nginx' },
    title: (e) => `${e.program} has ${e.protocol.toUpperCase()} ${e.port}, not coturn`,
    cause: (e) => `Clients who are sent there for ${e.title} talk to ${e.program}.`,
    proof: (e) => `The socket that listens there belongs to ${e.program}.`,
    fix: (e) => [
      onServer(`sudo ss -ln${e.protocol === 'udp' ? 'u' : 't'}p sport = :${e.port}`),
      `give coturn another port in rtc-ops.yaml (listen), or take ${e.program} away from this one`,
    ],
    explanation:
      'Two programs cannot have one port. coturn logs that it cannot bind it, and goes on without that listener.',
    confusedWith: ['TWO_SERVERS_ANSWER: there two share the port and answer by turns.'],
    references: ['coturn README.turnserver'],
  }),
} as const;
