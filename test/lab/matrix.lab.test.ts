import { afterAll, describe, expect, it } from 'vitest';
import { needs } from '../support/requirements.ts';
import { faultCases, networkCases } from './matrix.ts';
import { optionCases } from './matrix-options.ts';
import { runCase, type CaseResult } from './matrix-run.ts';
import { caseTable } from './matrix-table.ts';

// A machine that runs other tests meanwhile takes longer; that it ends is what is asserted.
const allowance = 2.5;
const mostMemoryMiB = 150;

needs('lab', 'coturn').describe('the probe tells the truth', () => {
  const results = new Map<string, CaseResult>();
  afterAll(() => {
    process.stdout.write(`\n${caseTable(results)}\n`);
  });

  describe.each([
    ['in each network', networkCases],
    ['of each fault', faultCases],
    ['with each option', optionCases],
  ])('%s', (_about, cases) => {
    it.concurrent.each(Object.entries(cases))('%s', async (name, one) => {
      const result = await runCase(one);
      results.set(name, result);
      expect(result.wrong, describeReport(result)).toEqual([]);
      expect(result.durationMs).toBeLessThan(result.deadlineMs * allowance);
      expect(result.memory.largestMiB).toBeLessThan(mostMemoryMiB);
    });
  });
});

/** What the report says, for whoever has to find out why it is wrong. */
function describeReport({ report }: CaseResult): string {
  const findings = report.findings.map(({ code, causedBy, targets }) =>
    [code, ...(causedBy === null ? [] : [`caused by ${causedBy}`]), ...targets].join(' '),
  );
  return [`${report.verdict}: ${report.headline}`, ...findings, ...report.open].join('\n');
}
