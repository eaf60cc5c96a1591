import { Chalk, type ChalkInstance } from 'chalk';
import stringWidth from 'fast-string-width';
import { wrapAnsi } from 'fast-wrap-ansi';
import type { CheckStatus } from '../model/check.ts';
import type { Severity } from '../model/finding.ts';
import type { Verdict } from '../model/report.ts';

/** How a report is drawn for a person. Every mark is readable without colour. */
export interface Style {
  readonly columns: number;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly status: (status: CheckStatus, text: string) => string;
  readonly severity: (severity: Severity, text: string) => string;
  readonly verdict: (verdict: Verdict, text: string) => string;
}

export const statusMark: Readonly<Record<CheckStatus, string>> = {
  passed: '✔',
  failed: '✖',
  unknown: '?',
  skipped: '–',
};

export const severityMark: Readonly<Record<Severity, string>> = { error: '✖', warning: '!', info: 'i' };

export const verdictMark: Readonly<Record<Verdict, string>> = {
  healthy: '✔',
  degraded: '!',
  broken: '✖',
  unknown: '?',
};

// Wider lines are hard to read, and narrower ones than this would break every word.
const widest = 100;
const narrowest = 60;

export function styleFor({ color, columns }: { color: boolean; columns: number }): Style {
  const chalk: ChalkInstance = new Chalk({ level: color ? 1 : 0 });
  const byStatus = { passed: chalk.green, failed: chalk.red, unknown: chalk.yellow, skipped: chalk.dim };
  const bySeverity = { error: chalk.red, warning: chalk.yellow, info: chalk.cyan };
  const byVerdict = {
    healthy: chalk.green,
    degraded: chalk.yellow,
    broken: chalk.red,
    unknown: chalk.yellow,
  };
  return {
    columns: Math.min(widest, Math.max(narrowest, columns)),
    bold: (text) => chalk.bold(text),
    dim: (text) => chalk.dim(text),
    status: (status, text) => byStatus[status](text),
    severity: (severity, text) => bySeverity[severity](text),
    verdict: (verdict, text) => byVerdict[verdict].bold(text),
  };
}

export function padded(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)));
}

export function widthOf(text: string): number {
  return stringWidth(text);
}

/**
 * Text at a column: each line begins with `indent` blanks, those after the first with `hang` more, and none is wider
 * than the report. A word that is wider than a line (a long host name) is broken.
 */
export function paragraph(text: string, indent: number, { columns }: Style, hang = 0): string[] {
  return wrapAnsi(text, columns - indent - hang, { hard: true })
    .replaceAll(noBreak, ' ')
    .split('\n')
    .map((line, index) => ' '.repeat(index === 0 ? indent : indent + hang) + line);
}

const noBreak = '\u00a0';

/** A text that a paragraph keeps in one line: a label of several words, a number with its unit. */
export function unbroken(text: string): string {
  return text.replaceAll(' ', noBreak);
}

/** A paragraph that begins with a mark; what follows stands behind it. */
export function marked(text: string, indent: number, style: Style): string[] {
  return paragraph(text, indent, style, 2);
}
