import { configFile, grepConfig, inConfig, journal, listed, onServer, restart } from './entry.ts';
import {
  counted,
  exampleLog,
  exampleLogLine,
  logEntry,
  logLineEntry,
  times,
  type LogEvidence,
} from './server-log-place.ts';

/** What a log of coturn, or of the system about it, proves about the service itself. */
export const serverLogServiceCatalog = {
  LOG_SERVER_CRASHED: logLineEntry({
    severity: 'error',
    example: exampleLogLine(
      'coturn.service: Main process exited, code=killed, status=11/SEGV',
      'status=11/SEGV',
    ),
    title: () => 'coturn crashed',
    cause: (e) => `It ended by itself ${times(e.count)}; each time all calls through it broke.`,
    fix: () => [
      journal,
      onServer('coredumpctl info turnserver'),
      'update coturn, and see that min-port is below max-port',
    ],
    explanation:
      'systemd or the kernel logged that the process was killed by a fault (SEGV, ABRT, ILL, FPE) or for want of memory. A known cause: min-port above max-port, which crashes coturn at the first allocation.',
    confusedWith: ['LOG_SERVER_RESTARTED: it was stopped, and started again.'],
  }),
  LOG_SERVER_RESTARTED: logEntry<LogEvidence & { readonly broken: number }>({
    severity: 'warning',
    example: { ...exampleLog, who: [], count: 2, broken: 3 },
    title: () => 'coturn was restarted while the log was written',
    cause: (e) =>
      `It started ${times(e.count)}; ${counted(e.broken, 'allocation')} ended with it. Calls through a relay do not survive that.`,
    fix: () => [onServer('sudo journalctl -u coturn -g Stopp'), 'restart it when nobody talks'],
    explanation:
      'coturn names its version at each start, and forgets all allocations. Certificates can be renewed without a restart, by SIGUSR2.',
    confusedWith: [
      'LOG_SERVER_CRASHED: there it ended by itself.',
      'LOG_ALLOCATIONS_EXPIRED: there allocations end one by one.',
    ],
  }),
  LOG_CONFIG_NOT_READ: logLineEntry({
    severity: 'error',
    example: exampleLogLine(
      'WARNING: Cannot find config file: /etc/turnserver.conf. Default and command-line settings will be used.',
      '/etc/turnserver.conf',
    ),
    title: () => 'coturn runs without its configuration',
    cause: (e) =>
      `It could not read ${e.details[0] ?? configFile}, and took its defaults: an open relay on the standard ports.`,
    fix: () => [
      onServer(`sudo chgrp turnserver ${configFile}`),
      onServer(`sudo chmod 640 ${configFile}`),
      restart,
    ],
    explanation:
      'Where coturn cannot read its file it starts all the same, without credentials, certificates and limits. The file is missing, or the user of the service may not read it.',
    confusedWith: [
      'CONFIG_NOT_READ: the same, seen on the server that runs.',
      'LOG_OPTION_UNKNOWN: there the file is read, but for some lines.',
    ],
  }),
  LOG_OPTION_UNKNOWN: logLineEntry({
    severity: 'warning',
    example: exampleLogLine('WARNING: Bad configuration format: fingerprin', 'fingerprin'),
    title: () => 'coturn ignored lines of its configuration',
    cause: (e) => `It does not know ${listed(e.details)}.`,
    fix: () => [onServer('rtc-ops lint')],
    explanation:
      'A line with an option that this version does not know is skipped with a warning, whatever it was to protect.',
    confusedWith: [
      'CONFIG_OPTION_UNKNOWN: the same, seen in the file.',
      'LOG_CONFIG_NOT_READ: there no line counts.',
    ],
  }),
  LOG_ADDRESS_MALFORMED: logLineEntry({
    severity: 'error',
    example: exampleLogLine('ERROR: -X : Wrong address format: turn.example.org', 'turn.example.org'),
    title: () => 'coturn could not read an address of its configuration',
    cause: (e) => `It took ${listed(e.details)} for no address, and went on without it.`,
    fix: () => [
      onServer('rtc-ops lint'),
      'write external-ip with addresses, not names, and ranges as FIRST-LAST',
    ],
    explanation:
      'Names and CIDR ranges are no addresses to coturn. Up to 4.10 it ignores such a line; from 4.11 on a wrong denied-peer-ip stops the start.',
    confusedWith: ['CONFIG_ADDRESS_INVALID, DENIED_RANGE_CIDR: the same, seen in the file.'],
  }),
  LOG_REALM_EMPTY: logLineEntry({
    severity: 'warning',
    example: { ...exampleLogLine('Default realm: ', ''), details: [] },
    title: () => 'coturn started without a realm',
    cause: () => 'The challenge has an empty realm then, which some clients refuse.',
    proof: (e) => `${e.file} has the line “Default realm:” with nothing behind it.`,
    fix: () => [inConfig('realm=turn.example.org'), restart],
    explanation: 'Without a realm line coturn takes the domain name of the machine, which is mostly empty.',
    confusedWith: [
      'REALM_MISSING: the same, seen in the file.',
      'LOG_REALM_WRONG: there it is the client that has another one.',
    ],
    references: ['RFC 8489 §9.2.2'],
  }),
  LOG_REALM_WRONG: logLineEntry({
    severity: 'error',
    example: exampleLogLine('ERROR: check_stun_auth: wrong realm: example.com', 'example.com'),
    title: () => 'Clients came with a realm that is not that of the server',
    cause: (e) =>
      `They sent ${e.details.length === 0 ? 'a malformed realm' : listed(e.details)}; coturn answers 400 to that.`,
    fix: () => [
      grepConfig('realm|server-name'),
      'let clients take the realm from the challenge instead of configuring it',
    ],
    explanation:
      'A client has to repeat the realm of the challenge. One that has its own, or talks to several servers behind one name, sends another.',
    confusedWith: [
      'LOG_REALM_EMPTY: there the server has none.',
      'LOG_CREDENTIALS_WRONG: a wrong password is refused with 401, and not with 400.',
    ],
    references: ['RFC 8489 §9.2.4'],
  }),
  LOG_CERTIFICATE_MISSING: logLineEntry({
    severity: 'error',
    example: exampleLogLine(
      'WARNING: cannot find private key file: /etc/letsencrypt/live/x/privkey.pem (1)',
      '/etc/letsencrypt/live/x/privkey.pem',
    ),
    title: () => 'coturn found no certificate or key, and serves no TLS',
    cause: (e) =>
      `It could not read ${e.details.length === 0 ? 'the certificate or its key' : listed(e.details)}. turns: URLs get no answer.`,
    fix: () => [
      grepConfig('cert|pkey'),
      'copy both to where the user of the service may read them, by a deploy hook of certbot',
      restart,
    ],
    explanation:
      'What certbot writes below /etc/letsencrypt/live is for root alone. coturn then goes on without TLS and says so in its log only.',
    confusedWith: [
      'TLS_FILE_UNREADABLE, TLS_FILE_MISSING: the same, seen on the disk.',
      'LOG_TLS_HANDSHAKES_FAILED: there TLS is served.',
    ],
  }),
  LOG_BIND_FAILED: logLineEntry({
    severity: 'error',
    example: exampleLogLine('Trying to bind fd 16 to <192.0.2.1:443>: errno=13', '192.0.2.1:443: errno=13'),
    title: () => 'coturn could not listen on one of its addresses',
    cause: (e) => `${bindReason(e.details)} (${listed(e.details)}).`,
    fix: (e) =>
      /errno=13\b/.test(e.details.join())
        ? [
            onServer('sudo systemctl edit coturn'),
            'add the lines [Service] and AmbientCapabilities=CAP_NET_BIND_SERVICE',
            restart,
          ]
        : [onServer('sudo ss -lnptu'), restart],
    explanation:
      'errno 13: ports below 1024 need a right that the service has not. 98: another program, or a second coturn, has the port. 99: no interface has the address.',
    confusedWith: [
      'PORT_NEEDS_PRIVILEGE: errno 13, seen in the unit.',
      'An address that comes later: at boot the network may not be up yet (errno 99).',
    ],
  }),
  LOG_DATABASE_UNREACHABLE: logLineEntry({
    severity: 'error',
    example: exampleLogLine('ERROR: Cannot open PostgreSQL DB connection', 'PostgreSQL'),
    title: () => 'coturn could not reach its database of users',
    cause: (e) =>
      `${listed(e.details)} did not answer; users and secrets that are in it do not exist for coturn then.`,
    fix: () => [grepConfig('userdb|psql-userdb|mysql-userdb|redis-userdb|mongo-userdb')],
    explanation:
      'With users or secrets in a database, each login asks it. Without an answer all of them get 401.',
    confusedWith: [
      'LOG_USERS_UNKNOWN: there the database answers, and has not got them.',
      'NOBODY_CAN_LOG_IN: there neither file nor database is known to hold any.',
    ],
  }),
  LOG_NETWORK_UNREACHABLE: logLineEntry({
    severity: 'warning',
    example: exampleLogLine(
      'udp_send: network error: address unreachable from 192.0.2.1:55088 to 10.9.9.9:3481',
      '10.9.9.9:3481',
    ),
    title: () => 'The server has no route to some peers',
    cause: (e) =>
      `Packets to ${listed(e.details)} could not leave; coturn ends the whole allocation over that.`,
    fix: (e) => [
      onServer(`ip route get ${/[\d.]+|[\da-f:]{3,}/i.exec(e.details[0] ?? '')?.[0] ?? '192.0.2.1'}`),
      'deny such peers by denied-peer-ip, not by a filter of outgoing packets',
    ],
    explanation:
      'A send that fails on the machine itself (no route, or a filter that rejects) ends the allocation in 4.6.1, with all its other peers. A refusal by denied-peer-ip does not.',
    confusedWith: [
      'LOG_PEERS_DENIED: a refusal by denied-peer-ip ends nothing.',
      'LOG_PEER_FAMILY: there the relay has no address of that family.',
    ],
  }),
  LOG_CONNTRACK_FULL: logLineEntry({
    severity: 'error',
    example: exampleLogLine('nf_conntrack: nf_conntrack: table full, dropping packet', 'table full'),
    title: () => 'The firewall of the server dropped packets: its table is full',
    cause: () => 'The kernel follows each flow of the relay, and had no room for more.',
    fix: () => [
      onServer('sudo sysctl net.netfilter.nf_conntrack_max=262144'),
      'or exempt the relay ports from connection tracking',
    ],
    explanation:
      'Each peer of each allocation is a flow for netfilter. When nf_conntrack_max is reached it drops packets at random.',
    confusedWith: [
      'LOG_FLOODED: what may have filled it.',
      'RELAY_CAPACITY_EXHAUSTED: there coturn has no port left, and says so with 508.',
    ],
    references: ['RFC 8656 §21'],
  }),
  LOG_CLIENTS_LIMITED: logLineEntry({
    severity: 'warning',
    example: exampleLogLine(
      '401 rate-limit exceeded from 198.51.100.7, suppressing responses for this window',
      '198.51.100.7',
    ),
    title: () => 'coturn stopped answering clients that asked too often',
    cause: (e) =>
      `${listed(e.details)} got more challenges than the limit allows, and then silence. Many users behind one NAT look like that too.`,
    fix: () => [
      grepConfig('unauthorized-ratelimit|unauthorized-ratelimit-rps'),
      'raise the limit where real users share that address',
    ],
    explanation:
      'From 4.10 on coturn limits how often it answers 401 to one address, so that it cannot be used to flood others. Clients beyond the limit see a time-out.',
    confusedWith: ['LOG_FLOODED: the attempts themselves.', 'UDP_BLOCKED: to the client both are silence.'],
  }),
  LOG_FLOODED: logEntry<LogEvidence & { readonly perSecond: number }>({
    severity: 'warning',
    example: { ...exampleLog, who: [], count: 60_000, perSecond: 200 },
    title: () => 'Most sessions are attempts to log in that came to nothing',
    cause: (e) =>
      `${counted(e.count, 'session')} never got past the challenge, ${e.perSecond} a second: somebody guesses passwords or scans.`,
    fix: () => [
      'limit new flows for each address in the firewall of the server',
      onServer('sudo journalctl -u coturn -n 1000'),
    ],
    explanation:
      'Compared with the sessions that got an allocation these are far too many for users with an old password.',
    confusedWith: [
      'LOG_CREDENTIALS_EXPIRED: users with old credentials come back too, and are few.',
      'LOG_CHALLENGE_UNANSWERED: those do not even try a password.',
    ],
    references: ['RFC 8656 §21.1'],
  }),
  LOG_LINES_FORGED: logEntry<LogEvidence & { readonly details: readonly string[] }>({
    severity: 'info',
    example: { ...exampleLog, who: [], count: 2, details: ['x>'] },
    title: () => 'Some lines of the log could come from a client',
    cause: (e) =>
      `coturn printed ${e.details.length === 0 ? 'a malformed name' : listed(e.details.map((text) => `“${text}”`))} as a client sent it, and a line break in it begins a line that looks like coturn's own. ${counted(e.count, 'line')} behind it ${e.count === 1 ? 'was' : 'were'} not believed.`,
    fix: () => ['update coturn to 4.17 or newer, which writes such a name into one line'],
    explanation:
      'Up to 4.16 coturn logs a username that it cannot take as it came, line breaks included, up to 1 KiB. What stands directly behind such a line may be forged, and is not counted.',
    confusedWith: ['LOG_CREDENTIALS_MALFORMED: names in a wrong form, and on one line.'],
    references: ['coturn README.turnserver'],
  }),
} as const;

function bindReason(details: readonly string[]): string {
  const text = details.join();
  if (/errno=13\b|Permission denied/.test(text)) return 'It may not take a port below 1024';
  if (/errno=98\b|in use/.test(text)) return 'Another program has the port';
  if (/errno=99\b|assign/.test(text)) return 'No interface of the machine has the address';
  return 'The system refused it';
}
