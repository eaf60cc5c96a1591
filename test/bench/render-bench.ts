import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { median, type BenchRow } from './row.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const rounds = 9;
const hostCount = 100;

/** What `rtc-ops render --out` takes for many hosts that all differ, from the start of the process to its end. */
export async function renderBench(): Promise<BenchRow> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  try {
    writeFileSync(join(directory, 'rtc-ops.yaml'), configOf(hostCount));
    writeFileSync(join(directory, 'secret'), `${'4e8f7a9c'.repeat(8)}\n`, { mode: 0o600 });
    const times: number[] = [];
    // The first warms up the disk cache and is not counted.
    for (let round = 0; round <= rounds; round++) {
      const elapsed = wallMs(directory);
      if (round > 0) times.push(elapsed);
    }
    const written = readdirSync(join(directory, 'out')).length;
    if (written !== hostCount) throw new Error(`${written} of ${hostCount} hosts were rendered`);
    return {
      what: `render of ${hostCount} hosts into files`,
      ours: median(times),
      unit: 'ms',
      against: null,
      limit: { atMost: 1000 },
    };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function configOf(hosts: number): string {
  const list = Array.from(
    { length: hosts },
    (_, index) =>
      `  - { name: turn${index}.example.org, addresses: [203.0.113.${index}/10.0.0.${index}, "2001:db8::${index}"], quotas: { totalQuota: ${100 + index} } }`,
  );
  return `realm: example.org\nauth: { secret: { file: secret } }\ntls: { cert: /c, key: /k }\nhosts:\n${list.join('\n')}\n`;
}

function wallMs(cwd: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [commandLine, 'render', '--out', 'out'], { cwd });
  const elapsed = performance.now() - start;
  if (status !== 0) throw new Error(`rtc-ops render ended with ${status}: ${String(stderr)}`);
  return elapsed;
}
