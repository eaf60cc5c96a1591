import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { coturnOptions } from '../../src/coturn/options.ts';
import { median, type BenchRow } from './row.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const rounds = 21;
const lineCount = 1000;

/** What `rtc-ops lint` takes for 1,000 lines, beyond what the process takes to start and to print its version. */
export async function lintBench(): Promise<BenchRow> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  try {
    const file = join(directory, 'turnserver.conf');
    writeFileSync(file, configOf(lineCount));
    const lint = ['lint', file, '--no-here', '--format', 'json'];
    const differences: number[] = [];
    // In turns, so that a busy machine slows both; the first of each warms up the disk cache and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const difference = wallMs(lint) - wallMs(['--version']);
      if (round > 0) differences.push(difference);
    }
    return {
      what: `lint of ${lineCount} lines, beyond --version`,
      ours: median(differences),
      unit: 'ms',
      against: null,
      limit: { atMost: 30 },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Most of it is what long files are made of: ranges, users, comments. Some of it is wrong. */
function configOf(lines: number): string {
  const text = Array.from({ length: lines }, (_, index) => {
    const option = coturnOptions[index % coturnOptions.length]?.name ?? '';
    const kinds = [
      `denied-peer-ip=198.51.${index % 256}.0-198.51.${index % 256}.255`,
      `user=user${index}:correct horse battery ${index}`,
      `# comment ${index}`,
      index % 50 === 0 ? 'fingerprin # x' : `#${option}`,
    ];
    return kinds[index % kinds.length];
  });
  return `realm=x\nlt-cred-mech\n${text.slice(2).join('\n')}\n`;
}

function wallMs(args: readonly string[]): number {
  const start = performance.now();
  // Through a pipe, as from CI: Node.js then loads its network modules for either.
  const { status } = spawnSync(process.execPath, [commandLine, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const elapsed = performance.now() - start;
  if (status !== 0 && status !== 1) throw new Error(`rtc-ops ${args.join(' ')} ended with ${status}`);
  return elapsed;
}
