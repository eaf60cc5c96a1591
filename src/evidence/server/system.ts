import { nearestVersion, defaultVersion, type CoturnVersion } from '../../coturn/versions.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type {
  ClockFacts,
  DiskFacts,
  DockerFacts,
  InstalledCoturn,
  LimitFacts,
  SystemFacts,
  UnitFacts,
} from '../../model/server-facts.ts';
import { assignments, isRoot, lineOf, sectionOf, seen, seenText, textOf, unknown } from './section.ts';

const architectures: Readonly<Record<string, string>> = {
  x86_64: 'x64',
  aarch64: 'arm64',
  armv7l: 'arm',
  i686: 'ia32',
};

/** The name of the processor architecture as Node has it. */
export function architectureOf(evidence: ServerEvidence): string {
  const name = textOf(evidence, 'uname').trim().split(' ').at(-1) ?? '';
  return architectures[name] ?? name;
}

export function systemFacts(evidence: ServerEvidence): Seen<SystemFacts> {
  const uname = seenText(evidence, 'uname', 'the system');
  if (uname.state === 'unknown') return uname;
  const release = assignments(textOf(evidence, 'os-release'));
  const virtualization = sectionOf(evidence, 'virtualization');
  const bootS = bootSeconds(evidence);
  return seen({
    distribution: (release.get('PRETTY_NAME') ?? 'unknown').replaceAll('"', ''),
    kernel: uname.value.trim().split(' ').slice(0, 2).join(' '),
    architecture: architectureOf(evidence),
    // It ends with 1 where it finds none.
    virtualization: virtualization.text.trim() === '' ? null : virtualization.text.trim(),
    hostname: textOf(evidence, 'hostname').trim(),
    bootedAt: bootS === null ? null : timeText(bootS),
  });
}

/** When the kernel was started, in seconds since 1970 by the clock of the server. */
export function bootSeconds(evidence: ServerEvidence): number | null {
  const text = lineOf(textOf(evidence, 'btime'), 'btime');
  if (text === null || !/^\d+$/.test(text)) return null;
  const whole = Number(text);
  // The kernel tells whole seconds, and its uptime hundredths; in a container that may be the container's own.
  const now = readingOf(evidence, 'clock-first');
  const uptimeS = Number.parseFloat(textOf(evidence, 'uptime'));
  if (now === null || now.resolutionMs > 1 || Number.isNaN(uptimeS)) return whole;
  const exact = now.ms / 1000 - uptimeS;
  return Math.abs(exact - whole) < 2 ? exact : whole;
}

/** ISO 8601; null for what is no time. */
export function timeText(seconds: number): string | null {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/**
 * A reading of the server's clock was taken between the sending of the script and its arrival, the second after the first:
 * each bounds the offset, and their middle is taken.
 */
export function clockFacts(evidence: ServerEvidence): Seen<ClockFacts> {
  const [first, last] = [readingOf(evidence, 'clock-first'), readingOf(evidence, 'clock-last')];
  const takenMs = Date.parse(evidence.takenAt);
  if (first === null || Number.isNaN(takenMs)) return unknown('the server did not tell its time');
  const highest = first.ms + first.resolutionMs - takenMs;
  const lowest = Math.max(
    first.ms - (takenMs + evidence.firstClockMs),
    last === null ? Number.NEGATIVE_INFINITY : last.ms - (takenMs + evidence.lastClockMs),
  );
  return seen({
    offsetMs: Math.round((highest + lowest) / 2),
    uncertaintyMs: Math.max(0, Math.round((highest - lowest) / 2)),
    isSynchronized: isSynchronized(evidence),
  });
}

/** `1763740000.123456789`; without the fraction where date knows none. */
function readingOf(evidence: ServerEvidence, name: string): { ms: number; resolutionMs: number } | null {
  const [, seconds, fraction] = /^(\d{9,11})(?:\.(\d{9}))?/.exec(textOf(evidence, name)) ?? [];
  if (seconds === undefined) return null;
  return fraction === undefined
    ? { ms: Number(seconds) * 1000, resolutionMs: 1000 }
    : { ms: Number(seconds) * 1000 + Number(fraction) / 1e6, resolutionMs: 1 };
}

function isSynchronized(evidence: ServerEvidence): boolean | null {
  const chrony = /^Leap status\s*:\s*(.+)$/m.exec(textOf(evidence, 'chrony'))?.[1];
  if (chrony !== undefined) return chrony.trim() !== 'Not synchronised';
  const told = assignments(textOf(evidence, 'timedatectl')).get('NTPSynchronized');
  return told === undefined ? null : told === 'yes';
}

/**
 * The coturn whose options count.
 * @param pids the processes that run: where the first of them is no program that is found by its name, it is meant
 */
export function installedCoturn(
  evidence: ServerEvidence,
  pids: readonly number[],
): Seen<InstalledCoturn | null> {
  const running = releaseIn(textOf(evidence, `process ${pids[0] ?? 0} version`));
  if (running !== null) return seen({ release: running, packaged: null });
  const { status, text } = sectionOf(evidence, 'version');
  const [, packaged = null] = /^(?:installed|ii?) (\S+)/.exec(textOf(evidence, 'package')) ?? [];
  if (status === '127') return seen(null);
  const release = releaseIn(text);
  if (release === null) return unknown('turnserver does not say its version');
  return seen({ release, packaged });
}

/** --version came with 4.6.0; of the versions before it, 4.5.2 brought acme-redirect. */
function releaseIn(text: string): string | null {
  return /^\d+(?:\.\d+)+/m.exec(text)?.[0] ?? (text.includes('--acme-redirect') ? '4.5.2' : null);
}

/** The version whose options and behaviour count. */
export function countingVersion(coturn: Seen<InstalledCoturn | null>): CoturnVersion {
  return coturn.state === 'seen' && coturn.value !== null
    ? nearestVersion(coturn.value.release)
    : defaultVersion;
}

/** The unit whose process is one of `pids`, or else one that is called coturn or turnserver. */
export function unitFacts(evidence: ServerEvidence, pids: readonly number[]): Seen<UnitFacts | null> {
  const { status } = sectionOf(evidence, 'units');
  if (status === '127') return seen(null);
  const text = seenText(evidence, 'units', 'what systemd knows of coturn');
  if (text.state === 'unknown') return text;
  const units = text.value
    .split(/\n\n+/)
    .map(assignments)
    .filter((unit) => unit.get('LoadState') === 'loaded');
  const isOurs = (unit: Map<string, string>): boolean => /coturn|turnserver/.test(unit.get('Id') ?? '');
  const unit =
    units.find((each) => pids.includes(Number(each.get('MainPID')))) ??
    units.find((each) => isOurs(each) && each.get('ActiveState') !== 'inactive') ??
    units.find(isOurs);
  return seen(unit === undefined ? null : unitOf(unit));
}

/**
 * Whether a boot starts it. Of any other state that is not known: `static` and `indirect` units are started by others, and one
 * that is `generated` from an init script by its links of run levels.
 */
const unitFileStates: ReadonlyMap<string, boolean> = new Map([
  ['enabled', true],
  ['enabled-runtime', false],
  ['disabled', false],
  ['masked', false],
  ['masked-runtime', false],
  ['linked', false],
  ['linked-runtime', false],
  ['transient', false],
]);

function unitOf(unit: ReadonlyMap<string, string>): UnitFacts {
  const number = (name: string): number => Number(unit.get(name) ?? 0) || 0;
  // CLD_EXITED, CLD_KILLED and CLD_DUMPED of siginfo.h.
  const code = number('ExecMainCode');
  return {
    name: unit.get('Id') ?? '',
    activeState: unit.get('ActiveState') ?? '',
    subState: unit.get('SubState') ?? '',
    result: unit.get('Result') ?? '',
    restarts: number('NRestarts'),
    mainPid: number('MainPID'),
    signal: code === 2 || code === 3 ? number('ExecMainStatus') : null,
    exitStatus: code === 1 ? number('ExecMainStatus') : null,
    isEnabled: unitFileStates.get(unit.get('UnitFileState') ?? '') ?? null,
  };
}

export function limitFacts(evidence: ServerEvidence): LimitFacts {
  const memory = textOf(evidence, 'meminfo');
  const kilobytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1]);
  const [totalKb, availableKb] = [kilobytes('MemTotal'), kilobytes('MemAvailable')];
  const kills = /^oom_kill (\d+)$/m.exec(textOf(evidence, 'oom'))?.[1];
  return {
    disks: diskFacts(evidence),
    memory:
      Number.isNaN(totalKb) || Number.isNaN(availableKb)
        ? unknown('/proc/meminfo cannot be read')
        : seen({ totalKb, availableKb }),
    conntrack: conntrackFacts(evidence),
    udp: udpFacts(evidence),
    oomKills: kills === undefined ? unknown('this kernel does not count what it kills') : seen(Number(kills)),
  };
}

/** `df -P`: device, size, used, available, share, mount point. */
function diskFacts(evidence: ServerEvidence): LimitFacts['disks'] {
  const { text } = sectionOf(evidence, 'disk');
  const disks = new Map<string, DiskFacts>();
  for (const line of text.split('\n')) {
    const [, sizeKb, availableKb, mount = ''] =
      /^\S+\s+(\d+)\s+\d+\s+(-?\d+)\s+\S+\s+(\/.*)$/.exec(line) ?? [];
    if (mount !== '') disks.set(mount, { mount, sizeKb: Number(sizeKb), availableKb: Number(availableKb) });
  }
  return disks.size === 0 ? unknown('df tells nothing') : seen([...disks.values()]);
}

function conntrackFacts(evidence: ServerEvidence): LimitFacts['conntrack'] {
  const [count, max] = [sectionOf(evidence, 'conntrack-count'), sectionOf(evidence, 'conntrack-max')];
  if (count.status === 'absent') return seen(null);
  if (count.status !== '0' || max.status !== '0') {
    return unknown(`the table of connections cannot be read${isRoot(evidence) ? '' : ' without root'}`);
  }
  return seen({ count: Number(count.text.trim()) || 0, max: Number(max.text.trim()) || 0 });
}

/** /proc/net/snmp: two lines for each protocol, the names of the counters and their values. */
function udpFacts(evidence: ServerEvidence): LimitFacts['udp'] {
  const [names = '', values = ''] = textOf(evidence, 'snmp')
    .split('\n')
    .filter((line) => line.startsWith('Udp:'));
  const columns = names.split(' ');
  const numbers = values.split(' ').map(Number);
  const counter = (name: string): number | undefined => numbers[columns.indexOf(name)];
  const [received, bufferErrors] = [counter('InDatagrams'), counter('RcvbufErrors')];
  return received === undefined || bufferErrors === undefined
    ? unknown('/proc/net/snmp cannot be read')
    : seen({ received, bufferErrors });
}

export function dockerFacts(evidence: ServerEvidence): DockerFacts {
  const proxies = textOf(evidence, 'docker-proxy')
    .split('\n')
    .flatMap((line) => {
      const value = (name: string): string => new RegExp(`-${name} (\\S+)`).exec(line)?.[1] ?? '';
      const hostPort = Number(value('host-port'));
      if (!(hostPort > 0)) return [];
      const containerPort = Number(value('container-port'));
      return [{ protocol: value('proto'), hostPort, containerAddress: value('container-ip'), containerPort }];
    });
  return { proxies };
}
