import { createHash } from 'node:crypto';
import type { CallCheckReport, CandidateReport, RecordedCallReport } from '../model/call-report.ts';
import { bracketed } from '../model/endpoint.ts';
import { printable, printableData } from '../model/printable.ts';
import type { RecordingFindingReport, RecordingReport } from '../model/recording-report.ts';
import { severityMark, statusMark, verdictMark } from './human-style.ts';

/** The chart library (uPlot), as it goes into the page. */
export interface ChartLibrary {
  readonly script: string;
  readonly style: string;
}

/**
 * The report as one page that needs nothing else: text, tables, and charts of the call that was chosen. Nothing of a
 * recording can run in it: every text is escaped, and the policy of the page lets only its own two scripts run, by their
 * digests (Content Security Policy Level 3 §2.3.1), and load nothing.
 */
export function renderRecordingHtml(given: RecordingReport, library: ChartLibrary): string {
  // A fix stays in its lines.
  const findings = given.findings.map((each) => ({
    ...printableData(each),
    fix: each.fix.split('\n').map(printable).join('\n'),
  }));
  const report = { ...printableData({ ...given, findings: [] }), findings };
  const chosen = report.calls?.chosen;
  const call = report.calls?.calls.find(
    ({ file, connection }) => file === chosen?.file && connection === chosen.connection,
  );
  const scripts = [library.script, draw];
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${scripts.map(digest).join(' ')}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(report.headline)}</title>
<style>${library.style}${style}</style>
</head>
<body>
${heading(report)}
${report.findings.map(finding).join('\n')}
${call === undefined || chosen === undefined || chosen === null ? '' : callSection(call, chosen.because)}
${list('Other connections', others(report, call))}
${list('What is not known', report.notJudged)}
<footer>rtc-ops ${escaped(report.tool.version)} analyze</footer>
<script type="application/json" id="charts">${inScript(call?.charts ?? [])}</script>
${scripts.map((script) => `<script>${script}</script>`).join('\n')}
</body>
</html>
`;
}

/** A log or a capture has faults or none; whether a call was good, a recording of it alone can say. */
function heading({ verdict, headline, findings, exitCode }: RecordingReport): string {
  const text = `<p class="headline">${escaped(headline)}</p>`;
  if (verdict !== null) return `<h1 class="${verdict}">${verdictMark[verdict]} ${verdict}</h1>\n${text}`;
  const worst = findings[0]?.severity;
  const kind =
    worst === 'error' ? 'broken' : worst === 'warning' ? 'degraded' : exitCode === 0 ? 'healthy' : 'unknown';
  return `<h1 class="${kind} headline">${verdictMark[kind]} ${escaped(headline)}</h1>`;
}

/** For text between tags and for values of attributes in double quotes. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** JSON in which nothing can end the element that it stands in. */
function inScript(data: unknown): string {
  return JSON.stringify(data).replaceAll('<', String.raw`\u003c`);
}

function digest(script: string): string {
  return `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
}

function finding({ severity, code, title, cause, proof, fix }: RecordingFindingReport): string {
  const steps = fix.split('\n').map((step) => {
    const [, where, text] = /^(\S.*?:) {2}(.+)$/.exec(step) ?? [];
    return where === undefined || text === undefined
      ? `<li>${escaped(step)}</li>`
      : `<li>${escaped(where)} <code>${escaped(text)}</code></li>`;
  });
  return `<section class="${severity}">
<h2>${severityMark[severity]} ${escaped(title)} <small>${code}</small></h2>
<p>${escaped(cause)}</p>
<p><b>Proof</b> ${escaped(proof)}</p>
<ul>${steps.join('')}</ul>
</section>`;
}

function callSection(call: RecordedCallReport, because: string): string {
  const { connection, file, startedAt, durationMs, confidence, path, figures, timeline } = call;
  const when = startedAt === null ? '' : `, ${startedAt}`;
  const long = durationMs === null ? '' : ` for ${(durationMs / 1000).toFixed(1)} s`;
  const reasons = confidence.because.length === 0 ? '' : `: ${confidence.because.join('; ')}`;
  const raise = confidence.raise.length === 0 ? '' : ` It would raise it: ${confidence.raise.join('; ')}.`;
  const paths =
    path === null ? '' : `<p>Path: ${escaped(end(path.local))} to ${escaped(end(path.remote))}</p>`;
  return `<h2>${escaped(`${connection} in ${file}${when}${long} (${because})`)}</h2>
<p>Confidence ${confidence.level}${escaped(`${reasons}.${raise}`)}</p>
<table>${call.checks.map(check).join('\n')}</table>
${paths}
${table(
  ['', 'loss', 'jitter', 'round trip', 'MOS'],
  figures.map((each) => [
    each.direction,
    unit(each.lossRatio, 100, '%'),
    unit(each.jitterMs, 1, 'ms'),
    unit(each.rttMs, 1, 'ms'),
    unit(each.mos, 1, ''),
  ]),
)}
${table(
  ['server', 'user', 'client', 'relay', 'what became of it', 'known by'],
  call.sessions.map((each) => [
    each.session === null ? each.file : `${each.session} in ${each.file}`,
    ...[each.user, each.client ?? '', each.relay ?? '', each.outcome, each.by],
  ]),
)}
<div id="plots"></div>
<h2>Timeline</h2>
${table(
  ['', ''],
  timeline.map(({ atMs, text, isFault }) => [
    atMs === null ? '' : `+${(atMs / 1000).toFixed(3)} s`,
    `${isFault ? '✖ ' : ''}${text}`,
  ]),
)}`;
}

function check({ status, severity, title, because, detail, findings }: CallCheckReport): string {
  const isMild = severity === 'warning' || severity === 'info';
  const mark = isMild ? severityMark[severity] : statusMark[status];
  return `<tr class="${severity ?? status}"><td>${mark}</td><td>${escaped(title)}</td><td>${escaped(because ?? detail ?? findings.join(', '))}</td></tr>`;
}

function end(candidate: CandidateReport | null): string {
  if (candidate === null) return 'unknown';
  const { type, address, port, protocol, relayProtocol } = candidate;
  return `${type} ${address === null ? 'hidden' : `${bracketed(address)}:${port ?? '?'}`} (${relayProtocol ?? protocol})`;
}

function unit(value: number | null, factor: number, name: string): string {
  return value === null ? '' : `${(value * factor).toFixed(1)} ${name}`.trim();
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  const first = head.some((cell) => cell !== '') ? cells(head, 'th') : '';
  return `<table>${first}${rows.map((row) => cells(row, 'td')).join('\n')}</table>`;
}

function others({ calls }: RecordingReport, chosen: RecordedCallReport | undefined): string[] {
  return (calls?.calls ?? [])
    .filter((each) => each !== chosen)
    .map(
      ({ connection, file, verdict, headline }) =>
        `${verdictMark[verdict]} ${connection} in ${file}: ${headline}`,
    );
}

function list(title: string, items: readonly string[]): string {
  if (items.length === 0) return '';
  return `<h2>${title}</h2>\n<ul>${items.map((item) => `<li>${escaped(item)}</li>`).join('\n')}</ul>`;
}

const style = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a; background: #fff }
h1, h2, p, li, code { overflow-wrap: anywhere } #plots { overflow-x: auto }
h1 { margin: 0 } h2 { font-size: 1.1rem; margin: 1.5rem 0 .5rem } small { color: #666; font-weight: normal }
.headline { font-size: 1.4rem; margin: 0 0 1rem } code { background: #f2f2f2; padding: .1rem .3rem }
section { border-left: .3rem solid #999; padding: 0 1rem; margin: 1rem 0 } section h2 { margin-top: 0 }
section.error { border-color: #b00020 } section.warning { border-color: #b36b00 }
h1.broken, tr.error td:first-child { color: #b00020 } h1.degraded, h1.unknown, tr.warning td:first-child { color: #b36b00 }
h1.healthy, tr.passed td:first-child { color: #1b7f37 } table { border-collapse: collapse } td, th { padding: .1rem .8rem .1rem 0; text-align: left; vertical-align: top }
footer { margin-top: 2rem; color: #666 }
`;

/** Runs in the page: a chart for each list of points, on one axis of time in seconds. */
const draw = `
for (const { name, unit, startMs, stepMs, points } of JSON.parse(document.getElementById('charts').textContent)) {
  const at = points.map((_, index) => (startMs + stepMs * (index + 0.5)) / 1000);
  const label = unit === '' ? name : name + ', ' + unit;
  new uPlot({
    width: Math.min(900, document.getElementById('plots').clientWidth), height: 180, title: label, legend: { show: false },
    scales: { x: { time: false }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } }, axes: [{ label: 's' }, { size: 60 }],
    series: [{}, { stroke: '#0b5fa5', width: 2, fill: '#0b5fa522' }],
  }, [at, points], document.getElementById('plots'));
}
`;
