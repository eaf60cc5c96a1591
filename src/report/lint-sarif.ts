import { positionOf, type LintFindingReport, type LintReport } from '../model/lint-report.ts';
import { renderSarif } from './sarif.ts';

/** The findings of a file, each at its line. */
export function renderLintSarif({ tool, exitCode, findings, notJudged, file }: LintReport): string {
  const results = findings.map((each) => ({ ...each, location: locationOf(each, file) }));
  return renderSarif({ tool, exitCode, results, notes: notJudged });
}

function locationOf(found: LintFindingReport, name: string): object {
  const { file, line, column, endColumn } = positionOf(found, name);
  const region = line === null ? {} : { region: { startLine: line, startColumn: column, endColumn } };
  return { physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } };
}

/** A URI reference (RFC 3986): relative to the repository, or that of a file of the machine. */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
