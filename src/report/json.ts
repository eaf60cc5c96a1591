import type { DoctorReport } from '../model/doctor-report.ts';
import type { RecordingReport } from '../model/recording-report.ts';
import type { Report } from '../model/report.ts';

// What a terminal obeys or shows as another text, and JSON allows as it is (RFC 8259 §7): written as an escape it reads
// back the same.
const unsafe = /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** The report as its public JSON form. */
export function renderJson(report: Report | RecordingReport | DoctorReport): string {
  return `${escaped(JSON.stringify(report, null, 2))}\n`;
}

/** The same in one line, for a stream of reports (NDJSON). */
export function renderJsonLine(report: Report): string {
  return `${escaped(JSON.stringify(report))}\n`;
}

/** Within JSON such a character stands in strings alone. */
function escaped(json: string): string {
  return json.replaceAll(
    unsafe,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
