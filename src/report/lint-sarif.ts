import { catalog, finding, wordsOf, type Evidence, type FindingCode } from '../model/finding.ts';
import { positionOf, type LintFindingReport, type LintReport } from '../model/lint-report.ts';

const levelOf = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and Azure reads. */
export function renderLintSarif(report: LintReport): string {
  const codes = [...new Set(report.findings.map(({ code }) => code))].toSorted();
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: report.tool.name,
            version: report.tool.version,
            rules: codes.map(ruleOf),
          },
        },
        // Columns are counted in characters as JavaScript has them.
        columnKind: 'utf16CodeUnits',
        results: report.findings.map((each) => resultOf(each, codes, report.file)),
        invocations: [
          {
            executionSuccessful: true,
            exitCode: report.exitCode,
            toolExecutionNotifications: report.notJudged.map((text) => ({
              level: 'note',
              message: { text },
            })),
          },
        ],
      },
    ],
  };
  return `${JSON.stringify(log, null, 2)}\n`;
}

function ruleOf<C extends FindingCode>(code: C): object {
  const { severity, explanation, example } = catalog[code];
  const { title } = wordsOf(finding(code, example as Evidence<C>));
  return {
    id: code,
    shortDescription: { text: title },
    fullDescription: { text: explanation },
    help: { text: `rtc-ops explain ${code}` },
    defaultConfiguration: { level: levelOf[severity] },
  };
}

function resultOf(found: LintFindingReport, codes: readonly FindingCode[], name: string): object {
  const { code, severity, title, cause, fix } = found;
  const { file, line, column, endColumn } = positionOf(found, name);
  const region = line === null ? {} : { region: { startLine: line, startColumn: column, endColumn } };
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levelOf[severity],
    message: { text: [`${title}. ${cause}`, ...fix.split('\n').map((step) => `Fix: ${step}`)].join('\n') },
    locations: [{ physicalLocation: { artifactLocation: { uri: uriOf(file) }, ...region } }],
  };
}

/** A URI reference (RFC 3986): relative to the repository, or that of a file of the machine. */
function uriOf(file: string): string {
  const path = file.replaceAll('\\', '/').split('/').map(encodeURIComponent).join('/');
  return path.startsWith('/') ? `file://${path}` : path;
}
