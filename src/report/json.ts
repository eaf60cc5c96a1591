import type { Report } from '../model/report.ts';

/** The report as its public JSON form. */
export function renderJson(report: Report): string {
  return `${JSON.stringify(report, null, 2)}\n`;
}

/** The same in one line, for a stream of reports (NDJSON). */
export function renderJsonLine(report: Report): string {
  return `${JSON.stringify(report)}\n`;
}
