import type { CheckId, CheckStatus } from '../model/check.ts';
import type { CallReport, CheckReport, Report, TargetReport } from '../model/report.ts';
import { padded, paragraph, statusMark, widthOf, type Style } from './human-style.ts';

/** One row of the table: a check, or several that are read together. */
interface Row {
  readonly label: string;
  readonly ids: readonly CheckId[];
}

const rows: readonly Row[] = [
  { label: 'listener answers', ids: ['listener-answers'] },
  { label: 'certificate', ids: ['tls-certificate'] },
  { label: 'STUN binding', ids: ['stun-binding'] },
  { label: 'anonymous allocation is refused', ids: ['turn-challenge'] },
  { label: 'allocation', ids: ['turn-allocate'] },
  { label: 'relay address', ids: ['relay-address'] },
  { label: 'permission · channel', ids: ['turn-permission', 'turn-channel'] },
  { label: 'relay, in · out · reply', ids: ['relay-inbound', 'relay-outbound', 'relay-reply'] },
  { label: 'refresh · release', ids: ['turn-refresh', 'turn-release'] },
  { label: 'ICE: host · srflx · relay', ids: ['candidates-host', 'candidates-srflx', 'candidates-relay'] },
  {
    label: 'call through the relay',
    ids: ['call-connects', 'call-uses-relay', 'call-audio', 'call-quality'],
  },
];

const labelWidth = 36;
const leastCell = 13;

/** A table per address; as many transports side by side as fit. */
export function targetTables(report: Report, style: Style): string[][] {
  const byAddress = new Map<string, TargetReport[]>();
  for (const target of report.targets) {
    const key = `${target.host} ${target.address}`;
    byAddress.set(key, [...(byAddress.get(key) ?? []), target]);
  }
  const perTable = Math.max(1, Math.floor((style.columns - labelWidth) / leastCell));
  const failedNames = report.checks
    .filter(({ status }) => status !== 'passed')
    .map(({ title, status, because }) =>
      paragraph(
        `${style.status(status, statusMark[status])} ${title}${because === null ? '' : `: ${because}`}`,
        2,
        style,
      ),
    );
  return [
    ...failedNames,
    ...[...byAddress.values()].flatMap((targets) =>
      chunks(targets, perTable).map((columns) => table(columns, report, style)),
    ),
  ];
}

function table(targets: readonly TargetReport[], report: Report, style: Style): string[] {
  const [{ host, address }] = targets as [TargetReport];
  const title = host === address ? host : `${host} ${address}`;
  const names = targets.map(({ transport, port }) => `${transport} ${port}`);
  const shown = rows.filter(({ ids }) =>
    targets.some((target) => checksOf(target, ids).some(isWorthShowing)),
  );
  const cells = shown.map(({ ids }) => targets.map((target) => cell(checksOf(target, ids), style)));
  const callCells = callRows(targets, report);
  const width = Math.max(
    leastCell,
    ...[...cells, ...callCells.map((row) => row.cells), names].flat().map((text) => widthOf(text) + 2),
  );
  const line = (label: string, texts: readonly string[]): string =>
    `${padded(label, labelWidth)}${texts.map((text) => padded(text, width)).join('')}`.trimEnd();
  const heading =
    widthOf(title) + 4 > labelWidth
      ? [`  ${style.bold(title)}`, line('', names)]
      : [line(`  ${style.bold(title)}`, names)];
  return [
    ...heading,
    ...shown.map(({ label }, index) => line(`    ${label}`, cells[index] ?? [])),
    ...callCells.map(({ label, cells: texts }) => line(`      ${label}`, texts)),
    ...reasons(targets, style),
  ];
}

function checksOf({ checks }: TargetReport, ids: readonly CheckId[]): CheckReport[] {
  return checks.filter(({ id }) => ids.includes(id));
}

/** A row of what was skipped everywhere (no TLS here, no call wanted) tells nothing. */
function isWorthShowing({ status }: CheckReport): boolean {
  return status !== 'skipped';
}

/** `✔ 12 ms` for one check, `✔ ✖ ?` for several, `✔` when several passed alike. */
function cell(checks: readonly CheckReport[], style: Style): string {
  const [only] = checks;
  if (only === undefined) return '';
  if (checks.length === 1) {
    if (only.status === 'skipped') return '';
    const text = [statusMark[only.status], only.detail === null ? '' : shortened(only.detail)]
      .join(' ')
      .trimEnd();
    return style.status(only.status, text);
  }
  if (only.id === 'call-connects') return callCell(checks, style);
  return checks.map(({ status }) => style.status(status, statusMark[status])).join(' ');
}

/** The call as one word: its quality when it is good, else the first thing that is not. */
function callCell(checks: readonly CheckReport[], style: Style): string {
  const bad = checks.find(({ status }) => status !== 'passed');
  if (bad === undefined) {
    const quality = checks.find(({ id }) => id === 'call-quality')?.detail;
    return style.status('passed', `${statusMark.passed}${quality ? ` ${quality}` : ''}`);
  }
  const words: Partial<Record<CheckId, string>> = {
    'call-connects': 'no connection',
    'call-uses-relay': 'not relayed',
    'call-audio': 'no audio',
    'call-quality': 'poor',
  };
  if (bad.status !== 'failed') return style.status(bad.status, statusMark[bad.status]);
  const stopped = bad.findings.some((code) => code === 'SERVER_STOPPED' || code === 'AUDIO_INTERRUPTED');
  if (stopped) return style.status('failed', `${statusMark.failed} stopped`);
  return style.status('failed', `${statusMark.failed} ${words[bad.id] ?? ''}`);
}

/** Only the first part fits a cell: `127.0.0.1, for this machine only` → `127.0.0.1`. */
function shortened(detail: string): string {
  const [first = ''] = detail.split(/[,:] /);
  return first;
}

/** The figures of the calls, one row each. */
function callRows(targets: readonly TargetReport[], { calls }: Report): { label: string; cells: string[] }[] {
  const own = targets.map((target) => calls.find((call) => isCallOf(call, target)));
  if (own.every((call) => call?.connectMs === undefined || call.connectMs === null)) return [];
  const row = (label: string, text: (call: CallReport) => string): { label: string; cells: string[] } => ({
    label,
    cells: own.map((call) => (call === undefined ? '' : text(call))),
  });
  return [
    row('connected', ({ connectMs }) => (connectMs === null ? '' : ms(connectMs))),
    row('loss', ({ audio }) => (audio === null ? '' : `${Number((audio.lossRatio * 100).toFixed(1))} %`)),
    row('jitter', ({ audio }) => (audio === null ? '' : ms(audio.jitterMs))),
    row('round trip', ({ audio }) => (audio === null || audio.rttMs === null ? '' : ms(audio.rttMs))),
  ];
}

function isCallOf(call: CallReport, target: TargetReport): boolean {
  return call.target === target.url && call.address === target.address;
}

/** Why something is not known, each reason once. */
function reasons(targets: readonly TargetReport[], style: Style): string[] {
  const open = targets.flatMap(({ checks }) => checks.filter(({ status }) => status === 'unknown'));
  const because = [...new Set(open.map((check) => check.because ?? ''))].filter((reason) => reason !== '');
  const mark: CheckStatus = 'unknown';
  return because.flatMap((reason) =>
    paragraph(`${style.status(mark, statusMark[mark])} ${reason}`, 4, style),
  );
}

function ms(value: number): string {
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
