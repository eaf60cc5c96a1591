import fc from 'fast-check';
import { Parser, type Result } from 'tap-parser';
import { describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { Report } from '../../src/model/report.ts';
import { renderTap } from '../../src/report/tap.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import { golden, hostile, verdictScenes } from '../support/golden.ts';
import { reportOf, reportOfScene } from '../support/report.ts';

/** The test points that a parser reads; it must find nothing but them. */
function pointsOf(report: Report): Result[] {
  const text = renderTap(report);
  const events = Parser.parse(text, { strict: true });
  const strange = events.filter(
    ([kind]) => !['version', 'plan', 'assert', 'complete', 'finish', 'close', 'line'].includes(kind),
  );
  expect(strange).toEqual([]);
  for (const [, yaml = ''] of text.matchAll(/^ {2}---\n([^]*?)^ {2}\.\.\.$/gm)) {
    expect(parseYaml(yaml, { strict: true })).toEqual(expect.any(Object));
  }
  return events.flatMap((event) => (event[0] === 'assert' ? [event[1]] : []));
}

describe('the TAP report', () => {
  it.each(verdictScenes)('%s', async (name) => {
    const report = reportOfScene(name);
    await expect(renderTap(report)).toMatchFileSnapshot(golden(`tap-${name}.tap`));
    pointsOf(report);
  });

  it('parses of any facts, has every check, and fails exactly as the exit code says', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, criteria);
        const [verdict, ...points] = pointsOf(report);
        expect(verdict?.ok).toBe(report.exitCode === 0);
        const checks = [...report.checks, ...report.targets.flatMap((target) => target.checks)];
        expect(points).toHaveLength(checks.length);
        const green = points.filter(({ ok, skip }) => ok && skip === false);
        expect(green).toHaveLength(checks.filter(({ status }) => status === 'passed').length);
      }),
      { numRuns: 100 },
    );
  });

  it('has no todo: what is not known would pass as one', () => {
    const points = pointsOf(reportOfScene('unknown'));
    expect(points.filter(({ todo }) => todo !== false)).toEqual([]);
    expect(points.filter(({ ok }) => !ok).length).toBeGreaterThan(1);
    expect(points.some(({ skip }) => String(skip).startsWith('unknown: '))).toBe(true);
  });

  it('keeps the words of a server apart from its own', () => {
    const report: Report = {
      ...reportOfScene('healthy'),
      exitCode: 1,
      verdict: 'unknown',
      headline: hostile,
    };
    const [verdict] = pointsOf({
      ...report,
      headline: `# SKIP ${hostile}`,
      open: [`${hostile}\n  ...\nok 99`],
    });
    expect(verdict).toMatchObject({ ok: false, skip: false, todo: false });
  });
});
