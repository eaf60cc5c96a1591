import { printable, printableData } from '../model/printable.ts';
import type { Report } from '../model/report.ts';

declare const isPrintable: unique symbol;

/** A report of which every text is safe to print. Formats are made of nothing else; JSON escapes by itself. */
export type PrintableReport = Report & { readonly [isPrintable]: true };

/** What a server, or the author of a saved report, has put into it commands no terminal. A fix stays in its lines. */
export function printableReport(report: Report): PrintableReport {
  const findings = report.findings.map((finding) => ({
    ...printableData(finding),
    fix: finding.fix.split('\n').map(printable).join('\n'),
  }));
  return { ...printableData({ ...report, findings: [] }), findings } as unknown as PrintableReport;
}
