import { hostName } from '../subject.ts';
import { entry, here, listed, onServer, restart } from './entry.ts';

interface HostEvidence {
  readonly host: string;
}

const host = { host: 'turn.example.com' };

/** What the machine of a server is short of, and its clock. */
/** Where settings of a service stand that the next update of its package keeps. */
function dropIns(unit: string | null): string {
  return `/etc/systemd/system/${unit ?? 'coturn.service'}.d`;
}

export const serverMachineCatalog = {
  CLOCK_SKEW: entry<
    HostEvidence & { offsetMs: number; uncertaintyMs: number; isSynchronized: boolean | null }
  >({
    severity: 'warning',
    subject: hostName,
    example: { ...host, offsetMs: -620_000, uncertaintyMs: 300, isSynchronized: false },
    title: (e) => `The clock of the server is ${span(e.offsetMs)} ${e.offsetMs < 0 ? 'behind' : 'ahead'}`,
    cause: (e) =>
      e.offsetMs > 0
        ? 'Credentials with an end time are refused by that much too early, or at once.'
        : 'Credentials that have ended are accepted by that much longer, and times in its log are wrong.',
    proof: (e) =>
      `Its time was read and compared with the clock of this machine, to within ${Math.max(1, Math.round(e.uncertaintyMs))} ms; one of the two is wrong${synchronized(e.isSynchronized)}.`,
    fix: (e) => [
      ...(e.isSynchronized === true ? [here('timedatectl'), 'where this machine is right:'] : []),
      onServer('sudo apt-get install chrony'),
      onServer('sudo chronyc makestep'),
      onServer('chronyc tracking'),
    ],
    explanation:
      'Time-limited credentials carry their end in the username, and coturn compares it with its own clock. The clock that counts is that of the machine that issues them: where this machine has the right time, the server has not.',
    confusedWith: ['CREDENTIAL_EXPIRED: there the end has come by any clock.'],
    references: ['coturn README.turnserver', 'RFC 5905'],
  }),
  CLOCK_NOT_SYNCHRONIZED: entry<HostEvidence>({
    severity: 'info',
    subject: hostName,
    example: host,
    title: () => 'Nothing keeps the clock of the server right',
    cause: () => 'Its time is right now, and may drift: credentials with an end time depend on it.',
    proof: () => 'timedatectl, or chrony, says that the clock is not synchronized.',
    fix: () => [onServer('sudo apt-get install chrony'), onServer('timedatectl')],
    explanation:
      'Without NTP the clock of a machine goes wrong by seconds a week, or by hours after a pause of a virtual machine.',
    confusedWith: ['CLOCK_SKEW: there it is wrong already.'],
    references: ['RFC 5905'],
  }),
  FILE_LIMIT_REACHED: entry<HostEvidence & { pid: number; open: number; limit: number; unit: string | null }>(
    {
      severity: 'error',
      subject: hostName,
      example: { ...host, pid: 812, open: 1010, limit: 1024, unit: 'coturn.service' },
      title: (e) => `coturn has ${e.open} of ${e.limit} files open`,
      cause: () =>
        'Each allocation takes a socket or more, and a socket is a file. At the limit new users are refused, and new connections hang.',
      proof: (e) => `The limit of process ${e.pid}, and what it has open.`,
      fix: (e) => [
        onServer(`sudo mkdir -p ${dropIns(e.unit)}`),
        onServer(`printf '[Service]\\nLimitNOFILE=65536\\n' | sudo tee ${dropIns(e.unit)}/files.conf`),
        onServer('sudo systemctl daemon-reload'),
        restart,
      ],
      explanation:
        'coturn takes as many files as the system lets it (RLIMIT_NOFILE), and says at its start how many sessions that is enough for. Under systemd the limit is LimitNOFILE of the unit.',
      confusedWith: [
        'LOG_PORTS_EXHAUSTED: there the relay ports are used up.',
        'LOG_QUOTA_REACHED: there a quota is.',
      ],
      references: ['coturn README.turnserver'],
    },
  ),
  DISK_FULL: entry<HostEvidence & { mounts: readonly string[]; availableKb: number }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, mounts: ['/var/log'], availableKb: 120 },
    title: (e) => `The disk at ${listed(e.mounts)} is full`,
    cause: (e) =>
      `${size(e.availableKb)} are left. Logs end there, certificates are not renewed, and databases of users may fail.`,
    proof: () => 'df on the server.',
    fix: (e) => [
      onServer(`sudo du -xh --max-depth=2 ${e.mounts[0] ?? '/'}`),
      onServer('sudo journalctl --vacuum-size=200M'),
    ],
    explanation:
      'coturn goes on relaying on a full disk. What fails is what writes: its log, certbot, SQLite.',
    confusedWith: ['LOG_FILLS_DISK: a configuration that will fill it.'],
    references: ['coturn README.turnserver'],
  }),
  MEMORY_LOW: entry<HostEvidence & { availableKb: number; totalKb: number }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, availableKb: 30_000, totalKb: 1_000_000 },
    title: () => 'The server has hardly any memory left',
    cause: (e) =>
      `${size(e.availableKb)} of ${size(e.totalKb)} are available. When they are used up the kernel kills a process, and often the largest.`,
    proof: () => '/proc/meminfo on the server.',
    fix: () => [onServer('ps -eo pid,rss,comm --sort=-rss'), 'give the machine more memory, or fewer tasks'],
    explanation:
      'coturn takes some 20 kB for each allocation. It is rarely what fills a machine, and yet what dies with it.',
    confusedWith: ['LOG_SERVER_CRASHED: there it was killed already.'],
    references: ['coturn README.turnserver'],
  }),
  CONNTRACK_NEARLY_FULL: entry<HostEvidence & { count: number; max: number }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, count: 250_000, max: 262_144 },
    title: (e) => `The firewall follows ${e.count} of at most ${e.max} connections`,
    cause: () =>
      'Each peer of each allocation is one. When the table is full, the kernel drops packets of new ones.',
    proof: () => 'nf_conntrack_count and nf_conntrack_max of the kernel.',
    fix: (e) => [
      onServer(`sudo sysctl net.netfilter.nf_conntrack_max=${e.max * 4}`),
      'or exempt the relay ports from connection tracking',
    ],
    explanation:
      'A packet filter that knows states keeps a list of all flows. A relay has more of them than most services.',
    confusedWith: ['LOG_CONNTRACK_FULL: there the kernel has dropped packets already.'],
    references: ['RFC 8656 §21'],
  }),
  UDP_BUFFER_DROPS: entry<HostEvidence & { received: number; dropped: number }>({
    severity: 'warning',
    subject: hostName,
    example: { ...host, received: 4_000_000, dropped: 90_000 },
    title: () => 'The server drops UDP packets that its programs take too slowly',
    cause: (e) =>
      `Of ${e.received + e.dropped} datagrams since the boot ${e.dropped} found the buffer of their socket full: users hear gaps.`,
    proof: () => 'RcvbufErrors in /proc/net/snmp.',
    fix: () => [
      onServer('sudo sysctl net.core.rmem_max=8388608 net.core.rmem_default=2097152'),
      'see that the machine is not short of processor time, and that relay-threads is not 1',
      restart,
    ],
    explanation:
      'The kernel keeps a datagram until the program reads it, as far as the buffer of the socket holds. It counts what it had to drop, for all programs of the machine together.',
    confusedWith: ['LOSS_HIGH: loss that a call saw, wherever it happened.'],
    references: ['coturn README.turnserver'],
  }),
} as const;

function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

function synchronized(isSynchronized: boolean | null): string {
  if (isSynchronized === null) return '';
  return isSynchronized
    ? '; the server says that its own is kept right'
    : '; nothing keeps that of the server right';
}

function size(kilobytes: number): string {
  return kilobytes < 10_240 ? `${kilobytes} kB` : `${Math.round(kilobytes / 1024)} MB`;
}
