import { mkdir, readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { CheckId, CheckStatus } from '../../src/model/check.ts';
import type { FindingCode } from '../../src/model/finding.ts';
import { Secret } from '../../src/model/secret.ts';
import type { FindingReport, Report, TargetReport } from '../../src/model/report.ts';
import { issueCredential } from '../../src/credentials/issue.ts';
import { openLab, type Lab } from './lab.ts';
import {
  listeners,
  type Case,
  type Control,
  type Expected,
  type ExpectedNat,
  type Listener,
  type Statuses,
} from './matrix-case.ts';
import { directoryOf } from './namespaces.ts';
import { addresses } from './network.ts';
import { scenarios, type Scenario } from './scenarios.ts';
import { secret } from './turn-server.ts';

/** What came of one case. */
export interface CaseResult {
  /** One line for each thing that the report says and that is not so, or does not say; empty when all is right. */
  readonly wrong: readonly string[];
  /** It was called healthy, and is not: the worst that a probe can say. */
  readonly wrongHealthy: boolean;
  readonly report: Report;
  /** From the start of the process to its end. */
  readonly durationMs: number;
  readonly deadlineMs: number;
  /** The most that its largest process, and all of them together, had in memory. */
  readonly memory: { readonly largestMiB: number; readonly allMiB: number };
}

/** How long the whole probe may take: where all that was asked is answered, and where silence has to be waited for. */
const deadlinesMs = { answered: 4000, silent: 12_000 };

/** How long a call lasts where a case says nothing else. */
const usualCallMs = 1000;

const project = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const typescript = ['--import', project('test/support/typescript-loader.js')];

/** Brings up the network of a case, has the built command line probe the server from client a, and compares. */
export async function runCase(one: Case): Promise<CaseResult> {
  const lab = await openLab(one.network, { server: one.standIn === undefined ? (one.server ?? {}) : null });
  try {
    await startOthers(lab, one);
    const { report, durationMs, memory } = await probe(lab, one);
    const unseen = one.peer === true ? peerDifferences(report) : [];
    const wrong = [...differences(report, one.expected), ...unseen];
    const wrongHealthy = report.verdict === 'healthy' && one.expected.verdict !== 'healthy';
    return { wrong, wrongHealthy, report, durationMs, deadlineMs: deadlineOf(one, report), memory };
  } finally {
    await lab.close();
  }
}

function deadlineOf({ network, durationMs = usualCallMs }: Case, { targets, nat }: Report): number {
  const facts = JSON.stringify([targets.map(({ observations }) => observations), nat]);
  // An answer or a relay port that was waited for in vain.
  const timedOut = facts.includes('"timeout"') || facts.includes('"answered":false');
  const losesPackets = network === 'lossy';
  return timedOut || losesPackets ? deadlinesMs.silent : deadlinesMs.answered + durationMs - usualCallMs;
}

/** Of the outside peer. */
const peerPort = 3479;

async function startOthers(lab: Lab, { standIn, held, control, peer }: Case): Promise<void> {
  if (standIn !== undefined) {
    const kind = standIn === 'echoes UDP' ? 'udp' : 'tcp';
    await lab.start(
      'server',
      [process.execPath, ...typescript, project('test/lab/stand-in.ts'), kind],
      'ready',
    );
  }
  if (held !== undefined) {
    const user = held === 'by the same user' ? 'rtc-ops-probe' : 'somebody';
    const holder = [project('test/lab/holder.ts'), addresses.server[4], user, lab.secretFile];
    await lab.start('b', [process.execPath, ...typescript, ...holder], 'ready');
  }
  if (control !== undefined) {
    const listening = ['--listening-ip', addresses.elsewhere, '--listening-port', '3478'];
    const only = ['--stun-only', '--no-tls', '--no-dtls', '--no-cli'];
    const files = ['--log-file', 'stdout', '--pidfile', '', '--userdb', ':memory:', '--verbose'];
    await lab.start(
      'elsewhere',
      ['turnserver', '-n', ...listening, ...only, ...files],
      'UDP listener opened on',
    );
  }
  if (peer === true) {
    const listening = ['--listen', `${addresses.elsewhere}:${peerPort}`, '--secret-file', lab.secretFile];
    await lab.start(
      'elsewhere',
      [process.execPath, project('bin/rtc-ops.js'), 'peer', ...listening],
      'listening on',
    );
  }
}

/** Has the command line probe the server of a lab, as a case says. */
export async function probe(
  lab: Lab,
  one: Case,
): Promise<Pick<CaseResult, 'report' | 'durationMs' | 'memory'>> {
  const memoryFolder = join(directoryOf(lab.id), 'memory');
  await mkdir(memoryFolder, { recursive: true });
  const loaded = ['--import', project('test/lab/client-process.js')];
  const { clockMs } = one.client ?? {};
  const env = {
    NO_COLOR: '',
    NODE_OPTIONS: loaded.join(' '),
    RTC_OPS_LAB_MEMORY: memoryFolder,
    ...(clockMs === undefined ? {} : { RTC_OPS_LAB_CLOCK_MS: `${clockMs}` }),
  };
  const startedAt = performance.now();
  const running = lab.exec('a', [process.execPath, project('bin/rtc-ops.js'), ...probeArguments(lab, one)], {
    env,
  });
  if (one.stops === true) await killWhenGranted(lab);
  const { stdout, stderr } = await running;
  const durationMs = performance.now() - startedAt;
  if (stdout === '') throw new Error(`the probe gave no report; stderr: ${stderr}`);
  return { report: JSON.parse(stdout) as Report, durationMs, memory: await peakMemory(memoryFolder) };
}

function probeArguments(lab: Lab, one: Case): string[] {
  const { a }: Scenario = scenarios[one.network];
  const host = a.family === 6 ? `[${addresses.server[6]}]` : addresses.server[4];
  const uris: Record<Listener, string> = {
    'udp 3478': `turn:${host}`,
    'tcp 3478': `turn:${host}?transport=tcp`,
    'tls 5349': `turns:${host}`,
    'tls 443': `turns:${host}:443`,
  };
  return [
    'probe',
    ...(one.ask ?? listeners).map((listener) => uris[listener]),
    ...credentialArguments(lab, one),
    ...['--ca', lab.caFile],
    ...['--duration', `${one.durationMs ?? usualCallMs}ms`],
    ...optionArguments(lab, one),
    ...['--format', 'json'],
  ];
}

const controlUris: Readonly<Record<Control, string>> = {
  'udp 3478': `stun:${addresses.elsewhere}`,
  'tcp 3478': `stun:${addresses.elsewhere}?transport=tcp`,
};

function optionArguments(lab: Lab, { control, peer, nat, ports, require }: Case): string[] {
  const peerUrl = `udp://${addresses.elsewhere}:${peerPort}`;
  return [
    ...(control === undefined ? [] : ['--control', control.map((each) => controlUris[each]).join(',')]),
    ...(peer === true ? ['--peer', peerUrl, '--peer-secret-file', lab.secretFile] : []),
    ...(nat === true ? ['--nat'] : []),
    ...(ports === undefined ? [] : ['--ports', `${ports}`]),
    ...(require === undefined ? [] : ['--require', require.join(',')]),
  ];
}

function credentialArguments(lab: Lab, { client = {} }: Case): string[] {
  switch (client.credential) {
    case undefined:
      return ['--secret-file', lab.secretFile];
    case 'from another secret':
      return ['--secret-file', lab.wrongSecretFile];
    case 'expired an hour ago': {
      const options = { secret: new Secret(secret), user: 'lab-user', ttlSeconds: -3600, now: new Date() };
      const { username, password } = issueCredential(options);
      return ['--username', username, '--password', password.reveal()];
    }
    default:
      return client.credential satisfies never;
  }
}

async function killWhenGranted(lab: Lab): Promise<void> {
  while (!(await lab.serverLog()).includes('ALLOCATE processed, success')) await sleep(10);
  lab.killServer();
}

async function peakMemory(folder: string): Promise<CaseResult['memory']> {
  const files = await readdir(folder);
  const peaks = await Promise.all(
    files.map(async (file) => Number(await readFile(join(folder, file), 'utf8')) / 1024),
  );
  return { largestMiB: Math.max(0, ...peaks), allMiB: peaks.reduce((sum, peak) => sum + peak, 0) };
}

// --- what the report says, against what is so ---

function differences(report: Report, expected: Expected): string[] {
  return [
    ...(report.verdict === expected.verdict ? [] : [`verdict ${report.verdict}, not ${expected.verdict}`]),
    ...causeDifferences(report, expected),
    ...effectDifferences(report, expected),
    ...leadDifferences(report, expected),
    ...(expected.checks === 'varies' ? [] : checkDifferences(report, expected.checks)),
    ...(expected.closedFrom === undefined ? [] : portDifferences(report, expected.closedFrom)),
    ...(expected.nat === undefined ? [] : natDifferences(report, expected.nat)),
  ];
}

function causeDifferences({ findings, targets }: Report, { causes, perhaps = [] }: Expected): string[] {
  const named = new Map<FindingCode, Set<Listener>>();
  for (const { code, causedBy, targets: urls } of findings) {
    if (causedBy !== null) continue;
    const concerned = named.get(code) ?? new Set();
    for (const target of targets) if (urls.includes(target.url)) concerned.add(listenerOf(target));
    named.set(code, concerned);
  }
  const wanted = Object.entries(causes) as [FindingCode, readonly Listener[] | 'varies'][];
  const missing = wanted.flatMap(([code, where]) => {
    const found = named.get(code);
    if (found === undefined) return [`${code} is not named`];
    if (where === 'varies') return [];
    const same = perhaps.includes(code) || where.length === found.size;
    return same && where.every((each) => found.has(each))
      ? []
      : [`${code} is named for ${[...found].join(', ')}`];
  });
  const strange = [...named.keys()].filter((code) => causes[code] === undefined && !perhaps.includes(code));
  return [...missing, ...strange.map((code) => `${code} is named as a cause, and is none`)];
}

function effectDifferences({ findings }: Report, { causes, effects = {}, perhaps = [] }: Expected): string[] {
  const told = findings.filter(({ causedBy }) => causedBy !== null);
  const missing = Object.keys(effects).filter((code) => !told.some((each) => each.code === code));
  const allowed = ({ code, causedBy }: FindingReport): boolean =>
    effects[code] === causedBy ||
    perhaps.includes(code) ||
    // Whatever breaks off when the server stops is an effect of that.
    (causedBy === 'SERVER_STOPPED' && causes.SERVER_STOPPED !== undefined);
  return [
    ...missing.map((code) => `${code} is not told as an effect`),
    ...told
      .filter((each) => !allowed(each))
      .map(({ code, causedBy }) => `${code} is told as an effect of ${causedBy}`),
  ];
}

function leadDifferences({ findings: [first] }: Report, { causes, says = [] }: Expected): string[] {
  const [lead] = Object.keys(causes);
  if (lead === undefined) return [];
  if (first?.code !== lead) return [`${first?.code ?? 'nothing'} leads the report, not ${lead}`];
  const words = [first.title, first.cause, first.proof, first.fix].join('\n');
  return says.filter((each) => !words.includes(each)).map((each) => `${lead} does not say ${each}`);
}

function checkDifferences({ targets }: Report, expected: Partial<Record<Listener, Statuses>>): string[] {
  return targets.flatMap((target) => {
    const listener = listenerOf(target);
    const statuses = expected[listener] ?? {};
    return target.checks.flatMap(({ id, status }) => {
      const wanted: readonly CheckStatus[] = [
        doesNotApply(id, target) ? 'skipped' : (statuses[id] ?? 'passed'),
      ].flat();
      return wanted.includes(status) ? [] : [`${listener}: ${id} ${status}, not ${wanted.join(' or ')}`];
    });
  });
}

/** Something of each relay gets to the outside peer in every network; else it has proven nothing. */
function peerDifferences({ targets }: Report): string[] {
  return targets.flatMap((target) => {
    const { allocate, outside } = target.observations;
    if (allocate.state !== 'done') return [];
    const { echo, arrival } = outside?.state === 'done' ? outside.value : {};
    const arrived = arrival?.state === 'done' && arrival.value.seenFrom !== null;
    return echo?.state === 'done' || arrived
      ? []
      : [`${listenerOf(target)}: nothing of the relay was seen by the outside peer`];
  });
}

function portDifferences({ findings }: Report, closedFrom: number): string[] {
  const found = findings.find(({ code }) => code === 'RELAY_PORTS_PARTLY_BLOCKED');
  if (found?.code !== 'RELAY_PORTS_PARTLY_BLOCKED') return [];
  const { silent, answering } = found.evidence;
  const unnamed = [silent[0], silent.at(-1)].filter((port) => !found.proof.includes(`${port}`));
  return [
    ...silent.filter((port) => port < closedFrom).map((port) => `${port} is open, and named as silent`),
    ...answering.filter((port) => port >= closedFrom).map((port) => `${port} is closed, and said to answer`),
    ...unnamed.map((port) => `the silent port ${port} is not named`),
  ];
}

function natDifferences({ nat, checks }: Report, { because = {}, ...expected }: ExpectedNat): string[] {
  const [seen, ...more] = nat ?? [];
  if (seen === undefined || more.length > 0) return [`${nat?.length ?? 0} NATs are told, not one`];
  const keys = ['present', 'mapping', 'filtering', 'hairpin'] as const;
  return [
    ...keys.flatMap((key) =>
      seen[key] === expected[key] ? [] : [`NAT: ${key} ${seen[key]}, not ${expected[key]}`],
    ),
    ...checks.flatMap((check) => {
      if (!check.id.startsWith('nat-')) return [];
      const words = because[check.id];
      if (words === undefined) return check.status === 'passed' ? [] : [`${check.id}: ${check.status}`];
      return check.status !== 'passed' && check.because?.includes(words)
        ? []
        : [`${check.id}: ${check.status}, ${check.because}`];
    }),
  ];
}

function doesNotApply(id: CheckId, { transport }: TargetReport): boolean {
  return (
    (id === 'tls-certificate' && transport !== 'tls') || (id === 'candidates-srflx' && transport !== 'udp')
  );
}

function listenerOf({ transport, port }: TargetReport): Listener {
  return `${transport} ${port}` as Listener;
}
