import { expect } from 'vitest';
import pLimit from 'p-limit';
import { cases } from '../lab/matrix.ts';
import { runCase } from '../lab/matrix-run.ts';
import { tallyTable, type CaseTally } from '../lab/matrix-table.ts';
import { needs } from '../support/requirements.ts';

/** How often; `RTC_OPS_SOAK_REPEATS=3 npm run test:soak -- matrix` for fewer. */
const repeats = Number(process.env['RTC_OPS_SOAK_REPEATS'] ?? 20);
// As `npm test` has it: what runs beside a call shows in its figures.
const networksAtOnce = 2;

const { it } = needs('lab', 'coturn');

it(`${repeats} times the matrix: no wrong healthy and no wrong cause`, async () => {
  const limit = pLimit(networksAtOnce);
  const tallies = Object.keys(cases).map((name): CaseTally => ({ name, ...emptyTally(), wrong: new Set() }));
  for (let repeat = 1; repeat <= repeats; repeat++) {
    await Promise.all(tallies.map(async (tally) => limit(async () => countRun(tally))));
    process.stdout.write(`\nafter ${repeat} of ${repeats}:\n${tallyTable(tallies)}\n`);
  }
  expect(tallies.filter(({ wrong }) => wrong.size > 0).map(({ name, wrong }) => [name, ...wrong])).toEqual(
    [],
  );
  expect(tallies.filter(({ late }) => late > 0).map(({ name, late }) => [name, late])).toEqual([]);
});

function emptyTally(): Omit<CaseTally, 'name' | 'wrong'> {
  return { right: 0, wrongHealthy: 0, wrongCause: 0, slowestMs: 0, late: 0 };
}

async function countRun(tally: CaseTally): Promise<void> {
  const one = cases[tally.name];
  if (one === undefined) throw new Error(`there is no case ${tally.name}`);
  const { wrong, wrongHealthy, durationMs, deadlineMs } = await runCase(one);
  if (wrong.length === 0) tally.right++;
  else if (wrongHealthy) tally.wrongHealthy++;
  else tally.wrongCause++;
  for (const line of wrong) tally.wrong.add(line);
  if (durationMs > deadlineMs) tally.late++;
  tally.slowestMs = Math.max(tally.slowestMs, durationMs);
}
