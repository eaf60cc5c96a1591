import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { median, type Bench, type BenchRow } from './row.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const rounds = 31;

/** From the start of the process to its end, by the clock on the wall. */
export function startUpBench(option: '--version' | '--help'): Bench {
  return async () => runBench(`rtc-ops ${option}`, [option], 1.4);
}

/** The same of a whole command line, as a row named `what`, that is to take at most so many times as long as Node alone. */
export function runBench(what: string, args: readonly string[], atMost: number): BenchRow {
  const ours: number[] = [];
  const bare: number[] = [];
  // In turns, so that a busy machine slows both; the first of each warms up the disk cache and is not counted.
  for (let round = 0; round <= rounds; round++) {
    const times = [wallMs([commandLine, ...args]), wallMs(['-e', '0'])] as const;
    if (round === 0) continue;
    ours.push(times[0]);
    bare.push(times[1]);
  }
  return {
    what,
    ours: median(ours),
    unit: 'ms',
    against: { name: 'node -e 0', figure: median(bare) },
    limit: { atMost },
  };
}

function wallMs(args: readonly string[]): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const elapsed = performance.now() - start;
  // 1: what was asked for has findings.
  if (status !== 0 && status !== 1) throw new Error(`node ${args.join(' ')} ended with ${status}`);
  return elapsed;
}
