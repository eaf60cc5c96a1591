import { callSections } from './human-calls.ts';
import { printable, printableData } from '../model/printable.ts';
import type { RecordingFindingReport, RecordingReport } from '../model/recording-report.ts';
import {
  marked,
  padded,
  paragraph,
  severityMark,
  styleFor,
  verdictMark,
  widthOf,
  type Style,
} from './human-style.ts';

/** What logs and captures prove, for a person: the headline, each finding with its proof and fix, what is not known. */
export function renderRecordingHuman(
  report: RecordingReport,
  options: { color: boolean; columns: number },
): string {
  const style = styleFor(options);
  const notes = report.notJudged.flatMap((text) => marked(style.dim(`? ${printable(text)}`), 0, style));
  const full = report.findings.filter(({ severity, causedBy }) => severity !== 'info' && causedBy === null);
  const brief = report.findings.filter((each) => !full.includes(each));
  const told = full.find((each) => isHeadline(each, report));
  const sections = [
    [...headline(report, told, style), ...(told === undefined ? [] : bodyOf(told, style))],
    ...full
      .filter((each) => each !== told)
      .slice(0, mostInFull)
      .map((each) => [...titleOf(each, style), ...bodyOf(each, style)]),
    [...full.filter((each) => each !== told).slice(mostInFull), ...brief].flatMap((each) =>
      briefly(each, style),
    ),
    ...(report.calls === null ? [] : callSections(printableData(report.calls), style)),
    notes,
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

// What does not fit on a screen is told in a line.
const mostInFull = 8;

/** What follows from something else, or is worth a word only. */
function briefly({ severity, title, code }: RecordingFindingReport, style: Style): string[] {
  const mark = style.severity(severity, severityMark[severity]);
  return marked(`${mark} ${printable(title)} ${style.dim(code)}`, 0, style);
}

/** Whether the headline is the title of a finding: what was said once is not said again. */
function isHeadline({ title }: RecordingFindingReport, { headline: text }: RecordingReport): boolean {
  const last = text.slice(-title.length);
  return last.length > 0 && last.toLowerCase() === title.toLowerCase();
}

function headline(
  { headline: text, findings, exitCode, verdict }: RecordingReport,
  told: RecordingFindingReport | undefined,
  style: Style,
): string[] {
  const code = told?.code ?? null;
  if (verdict !== null) {
    const mark = style.verdict(verdict, `${verdictMark[verdict]} ${verdict}`);
    return withCode(marked(`${mark}   ${printable(text)}`, 0, style), code, style);
  }
  const worst = findings[0]?.severity;
  if (exitCode === 0 && worst !== 'error' && worst !== 'warning')
    return marked(style.status('passed', `✔ ${printable(text)}`), 0, style);
  const mark = worst === undefined ? '?' : severityMark[worst];
  const lines = marked(
    style.bold(style.severity(worst ?? 'warning', `${mark} ${printable(text)}`)),
    0,
    style,
  );
  return withCode(lines, code, style);
}

/** The code at the right edge of the last line, or of one more where it has no room. */
function withCode(lines: readonly string[], code: string | null, style: Style): string[] {
  if (code === null) return [...lines];
  const last = lines.at(-1) ?? '';
  const gap = style.columns - widthOf(last) - widthOf(code);
  return gap >= 2
    ? [...lines.slice(0, -1), `${last}${' '.repeat(gap)}${style.dim(code)}`]
    : [...lines, `${' '.repeat(Math.max(0, style.columns - widthOf(code)))}${style.dim(code)}`];
}

const labelWidth = 7;

function titleOf({ severity, code, title }: RecordingFindingReport, style: Style): string[] {
  const text = style.severity(severity, style.bold(`${severityMark[severity]} ${printable(title)}`));
  return withCode(marked(text, 0, style), code, style);
}

function bodyOf({ cause, proof, fix }: RecordingFindingReport, style: Style): string[] {
  return [
    ...paragraph(cause, 2, style),
    ...labelled('Proof', paragraph(proof, 2 + labelWidth, style), style),
    ...labelled(
      'Fix',
      fix.split('\n').flatMap((step) => stepOf(step, style)),
      style,
    ),
  ];
}

/** What is to be pasted is never wrapped. */
function stepOf(step: string, style: Style): string[] {
  return / {2}/.test(step)
    ? [`${' '.repeat(2 + labelWidth)}${step}`]
    : paragraph(step, 2 + labelWidth, style);
}

function labelled(label: string, lines: readonly string[], style: Style): string[] {
  const [first = '', ...rest] = lines;
  return [`  ${style.bold(padded(label, labelWidth))}${first.slice(2 + labelWidth)}`, ...rest];
}
