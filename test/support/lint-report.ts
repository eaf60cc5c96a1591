import { lint } from '../../src/coturn/lint/lint.ts';
import type { LintFacts } from '../../src/coturn/lint/facts.ts';
import { wordsOf } from '../../src/model/finding.ts';
import type { LintReport } from '../../src/model/lint-report.ts';
import { lintFacts } from './lint-facts.ts';

export function lintReport(
  text: string,
  facts: Partial<LintFacts> = {},
  report: Partial<LintReport> = {},
): LintReport {
  const all = lintFacts(text, facts);
  return {
    schemaVersion: 1,
    tool: { name: 'rtc-ops', version: '0.0.0' },
    command: 'lint',
    file: all.file,
    coturn: { version: all.coturn.release, from: all.coturn.from },
    notJudged: [],
    exitCode: 1,
    fixed: null,
    findings: lint(all).map(({ finding, edit }) => {
      const words = wordsOf(finding);
      return { ...finding, ...words, fix: words.fix.join('\n'), fixable: edit !== null };
    }),
    ...report,
  };
}
