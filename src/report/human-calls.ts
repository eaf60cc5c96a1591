import type {
  CallChart,
  CallCheckReport,
  CallMoment,
  CallsReport,
  CandidateReport,
  RecordedCallReport,
  ServerSessionReport,
} from '../model/call-report.ts';
import { bracketed } from '../model/endpoint.ts';
import {
  marked,
  padded,
  paragraph,
  severityMark,
  statusMark,
  verdictMark,
  widthOf,
  type Style,
} from './human-style.ts';

/** What recordings of calls show, for a person: the chosen call in full, of the others a line each. */
export function callSections({ chosen, calls }: CallsReport, style: Style): string[][] {
  const call = calls.find(
    ({ file, connection }) => file === chosen?.file && connection === chosen.connection,
  );
  if (call === undefined || chosen === null) return [];
  const others = calls.filter((each) => each !== call);
  return [
    [
      ...heading(call, chosen.because, style),
      ...call.checks.flatMap((each) => checkLine(each, style)),
      ...path(call, style),
    ],
    timeline(call, style),
    charts(call, style),
    otherCalls(others, style),
  ];
}

function heading(call: RecordedCallReport, because: string, style: Style): string[] {
  const { connection, file, confidence, startedAt, durationMs } = call;
  const when = startedAt === null ? '' : `, ${startedAt.slice(0, 19).replace('T', ' ')} UTC`;
  const long = durationMs === null ? '' : ` for ${spelled(durationMs)}`;
  const sure = `Confidence ${confidence.level}${confidence.because.length === 0 ? '' : `: ${confidence.because.join('; ')}`}.`;
  const raise = confidence.raise.length === 0 ? '' : ` It would raise it: ${confidence.raise.join('; ')}.`;
  return [
    ...paragraph(style.bold(`${connection} in ${file}${when}${long} (${because})`), 2, style),
    ...paragraph(`${sure}${raise}`, 2, style),
  ];
}

const titleWidth = 42;

function checkLine(
  { status, severity, title, because, detail, findings }: CallCheckReport,
  style: Style,
): string[] {
  const isMild = status === 'failed' && severity !== 'error' && severity !== null;
  const mark = isMild
    ? style.severity(severity, severityMark[severity])
    : style.status(status, statusMark[status]);
  const told = because ?? detail ?? findings.join(', ');
  const [first = '', ...rest] = paragraph(told, 6 + titleWidth, style);
  return [`    ${mark} ${padded(title, titleWidth)}${first.trimStart()}`.trimEnd(), ...rest];
}

const mostSessions = 4;

function sessionText({
  file,
  session,
  user,
  client,
  relay,
  by,
  offsetS,
  outcome,
}: ServerSessionReport): string {
  const whose = [
    ...(user === '' ? [] : [`user ${user}`]),
    ...(client === null ? [] : [`client ${client}`]),
    ...(relay === null ? [] : [`relay ${relay}`]),
  ];
  const clock =
    offsetS === null || Math.abs(offsetS) <= 2
      ? ''
      : `, its clock ${offsetS > 0 ? '-' : '+'}${Math.abs(offsetS)} s`;
  const name = session === null ? file : `${session} in ${file}`;
  return `server      ${[name, ...whose].join(', ')}: ${outcome} (by ${by}${clock})`;
}

function path({ path: pair, candidates, figures, sessions }: RecordedCallReport, style: Style): string[] {
  const gathered = (side: Readonly<Record<string, number>>): string =>
    Object.entries(side)
      .map(([type, count]) => `${count} ${type}`)
      .join(', ') || 'none';
  const lines = [
    `candidates  local: ${gathered(candidates.local)}; remote: ${gathered(candidates.remote)}`,
    ...(pair === null ? [] : [`path        ${endText(pair.local)} to ${endText(pair.remote)}`]),
    ...figures.map(
      ({ direction, lossRatio, jitterMs, rttMs, mos }) =>
        `${padded(direction, 10)}  ${[
          lossRatio === null ? null : `loss ${(lossRatio * 100).toFixed(1)} %`,
          jitterMs === null ? null : `jitter ${jitterMs.toFixed(0)} ms`,
          rttMs === null ? null : `round trip ${rttMs.toFixed(0)} ms`,
          mos === null ? null : `MOS ${mos.toFixed(1)}`,
        ]
          .filter((each) => each !== null)
          .join(', ')}`,
    ),
  ];
  return [
    '',
    ...[...lines, ...sessions.slice(0, mostSessions).map(sessionText)].flatMap((line) =>
      paragraph(line, 4, style, 12),
    ),
    ...(sessions.length > mostSessions
      ? [`    ${style.dim(`and ${sessions.length - mostSessions} more sessions, in --format json`)}`]
      : []),
  ];
}

function endText(candidate: CandidateReport | null): string {
  if (candidate === null) return 'unknown';
  const { type, address, port, protocol, relayProtocol } = candidate;
  const place = address === null ? 'hidden' : `${bracketed(address)}:${port ?? '?'}`;
  return `${type} ${place} (${relayProtocol === null ? protocol : `to the relay over ${relayProtocol}`})`;
}

const mostMoments = 14;

/** What happened around the first fault; where there is none, the states from the beginning. */
function timeline({ timeline: all }: RecordedCallReport, style: Style): string[] {
  const at = all.findIndex(({ isFault }) => isFault);
  const from = Math.max(0, Math.min(at - 6, all.length - mostMoments));
  const shown = all.slice(from, from + mostMoments);
  if (shown.length === 0) return [];
  const more = all.length - shown.length;
  return [
    `  ${style.bold(at < 0 ? 'Timeline' : 'Around the failure')}`,
    ...shown.flatMap((moment) => momentLine(moment, style)),
    ...(more > 0 ? [`    ${style.dim(`and ${more} more, in --format json`)}`] : []),
  ];
}

function momentLine({ atMs, text, isFault }: CallMoment, style: Style): string[] {
  const time = atMs === null ? '' : `+${(atMs / 1000).toFixed(3)} s`;
  const mark = isFault ? style.severity('error', severityMark.error) : ' ';
  const [first = '', ...rest] = paragraph(text, 18, style);
  return [`    ${mark} ${time.padStart(10)}  ${first.trimStart()}`, ...rest];
}

const bars = '▁▂▃▄▅▆▇█';

function charts({ charts: all }: RecordedCallReport, style: Style): string[] {
  const shown = all.filter(({ points }) => points.some((point) => point !== null));
  if (shown.length === 0) return [];
  const width = Math.max(...shown.map(({ name }) => widthOf(name)));
  const room = Math.max(10, style.columns - width - 30);
  return shown.map((chart) => chartLine(chart, width, room, style));
}

function chartLine({ name, unit, points }: CallChart, width: number, room: number, style: Style): string {
  const known = points.filter((point) => point !== null);
  const most = Math.max(...known, 0);
  const drawn = points
    .slice(0, room)
    .map((point) => (point === null ? ' ' : (bars[barOf(point, most)] ?? ' ')))
    .join('');
  const range = `${figure(Math.min(...known))} to ${figure(most)}${unit === '' ? '' : ` ${unit}`}`;
  return `    ${padded(name, width)}  ${drawn}  ${style.dim(range)}`;
}

function barOf(point: number, most: number): number {
  return most <= 0 ? 0 : Math.min(bars.length - 1, Math.floor((point / most) * bars.length));
}

function figure(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(2)));
}

const mostOthers = 10;

function otherCalls(calls: readonly RecordedCallReport[], style: Style): string[] {
  if (calls.length === 0) return [];
  const lines = calls
    .slice(0, mostOthers)
    .flatMap(({ connection, file, verdict, headline }) =>
      marked(
        `${style.verdict(verdict, verdictMark[verdict])} ${connection} in ${file}: ${headline}`,
        2,
        style,
      ),
    );
  const more = calls.length - mostOthers;
  return [...lines, ...(more > 0 ? [`  ${style.dim(`and ${more} more`)}`] : [])];
}

function spelled(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 120 ? `${seconds.toFixed(seconds < 10 ? 1 : 0)} s` : `${Math.round(seconds / 60)} min`;
}
