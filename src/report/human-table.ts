import { listenerChecks, type CheckId } from '../model/check.ts';
import { formatEndpoint } from '../model/endpoint.ts';
import type { CallReport, CheckReport, FindingReport, Report, TargetReport } from '../model/report.ts';
import { cell } from './human-cell.ts';
import { overview } from './human-overview.ts';
import { marked, padded, paragraph, statusMark, unbroken, widthOf, type Style } from './human-style.ts';

/** One row of the table: a check, or several that are read together. */
interface Row {
  readonly label: string;
  readonly ids: readonly CheckId[];
}

const rows: readonly Row[] = [...new Set(listenerChecks.map(({ row }) => row))].map((label) => ({
  label,
  ids: listenerChecks.filter(({ row }) => row === label).map(({ id }) => id),
}));

const gap = 2;
// Two more than the labels need: so `turn.example.com 203.0.113.10` fits above them.
const labelWidth = 4 + Math.max(...rows.map(({ label }) => widthOf(label))) + gap + 2;
// `✔ MOS 4.4`, `✖ untrusted`.
const leastCell = 11;
// More than these are read as an overview.
const mostTables = 4;

/** A table per address; as many transports side by side as fit. Of many addresses, an overview. */
export function targetTables(report: Report, style: Style): string[][] {
  const addresses = byAddress(report);
  if (isOverview(report)) return [overview(addresses, style)];
  const perTable = Math.max(1, Math.floor((style.columns - labelWidth + gap) / (leastCell + gap)));
  return addresses.flatMap((targets) =>
    chunks(targets, perTable).map((columns) => table(columns, report, style)),
  );
}

/** Whether there are too many addresses for a table each, with the reasons of what is not known below it. */
export function isOverview(report: Report): boolean {
  return byAddress(report).length > mostTables;
}

function byAddress({ targets }: Report): TargetReport[][] {
  const groups = new Map<string, TargetReport[]>();
  for (const target of targets) {
    const key = `${target.host} ${target.address}`;
    groups.set(key, [...(groups.get(key) ?? []), target]);
  }
  return [...groups.values()];
}

function table(targets: readonly TargetReport[], report: Report, style: Style): string[] {
  const room = Math.floor((style.columns - labelWidth + gap) / targets.length) - gap;
  const open = targets.flatMap((target) => openReasons(target));
  const folded = foldedRows(targets);
  const shown = rows.filter((row) => isWorthShowing(row, targets) && !folded.includes(row));
  const names = targets.map(({ transport, port }) => `${transport} ${port}`);
  const cells = shown.map(({ ids }) =>
    targets.map((target) => cell(checksOf(target, ids), room, style, findingsFor(target, report))),
  );
  const figures = callRows(targets, report);
  const width = gap + Math.max(leastCell, ...[...cells.flat(), ...names].map((text) => widthOf(text)));
  const line = (label: string, texts: readonly string[]): string =>
    `${padded(label, labelWidth)}${texts.map((text) => padded(text, width)).join('')}`.trimEnd();
  return [
    ...heading(targets, (label) => line(label, names), style),
    ...shown.map(({ label }, index) => line(`    ${label}`, cells[index] ?? [])),
    ...figures.map(({ label, cells: texts }) => line(`      ${label}`, texts)),
    ...redirections(targets, style),
    ...reasonLines(open, shown.length === 0 ? [] : folded, targets, style),
  ];
}

function heading(targets: readonly TargetReport[], line: (label: string) => string, style: Style): string[] {
  const [{ host, address }] = targets as [TargetReport];
  const title = host === address ? host : `${host} ${address}`;
  if (widthOf(title) + 2 + gap <= labelWidth) return [line(`  ${style.bold(title)}`)];
  return [...paragraph(style.bold(title), 2, style), line('')];
}

/** What was found, at this target first: behind a redirection the evidence has the address of another server. */
function findingsFor({ url, address }: TargetReport, { findings }: Report): Report['findings'] {
  const isOwn = ({ targets, evidence }: FindingReport): boolean =>
    targets.includes(url) && (!('address' in evidence) || evidence.address === address);
  return findings.toSorted((a, b) => Number(isOwn(b)) - Number(isOwn(a)));
}

function checksOf({ checks }: TargetReport, ids: readonly CheckId[]): CheckReport[] {
  return checks.filter(({ id }) => ids.includes(id));
}

/** A row of what was skipped everywhere (no TLS here, no call wanted) tells nothing. */
function isWorthShowing({ ids }: Row, targets: readonly TargetReport[]): boolean {
  return targets.some((target) => checksOf(target, ids).some(({ status }) => status !== 'skipped'));
}

interface OpenReason {
  readonly target: TargetReport;
  readonly id: CheckId;
  readonly because: string;
}

function openReasons(target: TargetReport): OpenReason[] {
  return target.checks.flatMap(({ id, status, because }) =>
    status === 'unknown' && because !== null ? [{ target, id, because }] : [],
  );
}

/**
 * Rows with nothing but question marks, all for one reason, are told together with that reason. A row that is not
 * about every column (the certificate) goes with them, when its reason is theirs.
 */
function foldedRows(targets: readonly TargetReport[]): Row[] {
  const reasonOf = (row: Row): { because: string; isFull: boolean } | null => {
    const columns = targets.map((target) =>
      checksOf(target, row.ids).filter(({ status }) => status !== 'skipped'),
    );
    const checks = columns.flat();
    const [because, ...others] = new Set(checks.map((check) => check.because ?? ''));
    if (because === undefined || others.length > 0) return null;
    if (checks.some(({ status }) => status !== 'unknown')) return null;
    return { because, isFull: columns.every((column) => column.length > 0) };
  };
  const reasons = new Map(rows.map((row) => [row, reasonOf(row)]));
  const full = new Set([...reasons.values()].flatMap((each) => (each?.isFull ? [each.because] : [])));
  return rows.filter((row) => full.has(reasons.get(row)?.because ?? ''));
}

/** Why something is not known, each reason once, with its columns when it is not that of all. */
function reasonLines(
  open: readonly OpenReason[],
  folded: readonly Row[],
  targets: readonly TargetReport[],
  style: Style,
): string[] {
  return [...new Set(open.map(({ because }) => because))].flatMap((because) => {
    const own = open.filter((each) => each.because === because);
    const columns = targets.filter((target) => own.some((each) => each.target === target));
    const names = columns.map(({ transport, port }) => unbroken(`${transport} ${port}`)).join(', ');
    const where = columns.length === targets.length ? '' : `${names}: `;
    const labels = folded.filter(({ ids }) => own.some(({ id }) => ids.includes(id)));
    const rest =
      labels.length === 0 ? '' : ` (not known: ${labels.map(({ label }) => unbroken(label)).join(', ')})`;
    return marked(`${style.status('unknown', statusMark.unknown)} ${where}${because}${rest}`, 4, style);
  });
}

/** Where the figures are those of another server. */
function redirections(targets: readonly TargetReport[], style: Style): string[] {
  return targets.flatMap(({ transport, port, observations }) => {
    const alternate = observations.redirects.at(-1);
    if (alternate === undefined || observations.allocate.state !== 'done') return [];
    return paragraph(`${transport} ${port} redirects to ${formatEndpoint(alternate)}`, 4, style);
  });
}

/** The figures of the calls, one row each. */
function callRows(targets: readonly TargetReport[], { calls }: Report): { label: string; cells: string[] }[] {
  const own = targets.map((target) => calls.find((call) => isCallOf(call, target)));
  if (own.every((call) => call === undefined || call.connectMs === null)) return [];
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

function ms(value: number): string {
  return `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)} ms`;
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}
