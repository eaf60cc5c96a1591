import {
  catalog,
  finding,
  wordsOf,
  type Evidence,
  type FindingCode,
  type Severity,
} from '../model/finding.ts';

/** One finding, and where it is. */
export interface SarifResult {
  readonly code: FindingCode;
  readonly severity: Severity;
  readonly title: string;
  readonly cause: string;
  /** One step a line. */
  readonly fix: string;
  readonly location: object;
}

export interface SarifRun {
  readonly tool: { readonly name: string; readonly version: string };
  readonly exitCode: number;
  readonly results: readonly SarifResult[];
  /** What was not looked at, a sentence each. */
  readonly notes: readonly string[];
}

const levelOf = { error: 'error', warning: 'warning', info: 'note' } as const;

/** SARIF 2.1.0 (OASIS), which code scanning of GitHub, GitLab and Azure reads. */
export function renderSarif({ tool, exitCode, results, notes }: SarifRun): string {
  const codes = [...new Set(results.map(({ code }) => code))].toSorted();
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: tool.name, version: tool.version, rules: codes.map(ruleOf) } },
        // Columns are counted in characters as JavaScript has them.
        columnKind: 'utf16CodeUnits',
        results: results.map((each) => resultOf(each, codes)),
        invocations: [
          {
            executionSuccessful: true,
            exitCode,
            toolExecutionNotifications: notes.map((text) => ({ level: 'note', message: { text } })),
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

function resultOf(
  { code, severity, title, cause, fix, location }: SarifResult,
  codes: readonly FindingCode[],
): object {
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: levelOf[severity],
    message: { text: [`${title}. ${cause}`, ...fix.split('\n').map((step) => `Fix: ${step}`)].join('\n') },
    locations: [location],
  };
}
