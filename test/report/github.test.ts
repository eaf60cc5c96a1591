import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderGithub } from '../../src/report/github.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import { golden, hostile, verdictScenes } from '../support/golden.ts';
import { reportOf, reportOfScene } from '../support/report.ts';

interface Annotation {
  readonly level: string;
  readonly title: string;
  readonly message: string;
}

/** What the runner of GitHub Actions reads out of a log (actions/runner, ActionCommand): one command a line. */
function annotationsOf(report: Report): Annotation[] {
  const [verdict = '', ...lines] = renderGithub(report).trimEnd().split('\n');
  expect(verdict).not.toMatch(/^::|##\[/);
  return lines.map((line) => {
    const [, level = '', title = '', message = ''] =
      /^::(error|warning|notice) title=([^:,]+)::(.*)$/.exec(line) ?? [];
    expect([line, level]).not.toEqual([line, '']);
    for (const control of ['\r', '\u0000']) expect(line).not.toContain(control);
    const decoded = (text: string): string => {
      const unescaped = text
        .replaceAll('%0A', '\n')
        .replaceAll('%0D', '\r')
        .replaceAll('%3A', ':')
        .replaceAll('%2C', ',');
      return unescaped.replaceAll('%25', '%');
    };
    return { level, title: decoded(title), message: decoded(message) };
  });
}

describe('the report for GitHub Actions', () => {
  it.each(verdictScenes)('%s', async (name) => {
    const report = reportOfScene(name);
    await expect(renderGithub(report)).toMatchFileSnapshot(golden(`github-${name}.txt`));
    annotationsOf(report);
  });

  it('has every finding and every open question, of any facts; an error whenever the job fails', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, { ...criteria, failOn: 'error' });
        const annotations = annotationsOf(report);
        expect(annotations).toHaveLength(report.findings.length + report.open.length);
        if (report.exitCode !== 0 && annotations.length > 0 && report.targets.length > 0) {
          expect(annotations.map(({ level }) => level)).toContain('error');
        }
      }),
      { numRuns: 100 },
    );
  });

  it('keeps the words of a server apart from its own', () => {
    const report: Report = { ...reportOfScene('unknown'), headline: hostile, open: [hostile] };
    expect(annotationsOf(report)).toHaveLength(1 + report.findings.length);
  });
});
