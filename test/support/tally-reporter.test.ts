import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs one of the small runs in `sample/` in a vitest of its own. */
async function runSample(name: string, environment: Record<string, string> = {}, ...options: string[]) {
  const vitest = spawn(
    process.execPath,
    [
      'node_modules/vitest/vitest.mjs',
      'run',
      '--config',
      'test/support/sample/vitest.config.ts',
      name,
      ...options,
    ],
    {
      cwd: root,
      env: { ...process.env, CI: undefined, ...environment },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  let output = '';
  vitest.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [exitCode] = await once(vitest, 'close');
  const lines = stripVTControlCharacters(output).trimEnd().split('\n');
  return { exitCode, lines, lastLine: lines.at(-1) };
}

const noPrograms = { PATH: '/nonexistent' };

describe.concurrent('the last line of a run', { timeout: 60_000 }, () => {
  it.each([
    { sample: 'failing', exitCode: 1, lastLine: '0 passed, 2 failed, 1 skipped' },
    { sample: 'broken', exitCode: 1, lastLine: '0 passed, 1 failed, 0 skipped' },
    { sample: 'stray', exitCode: 1, lastLine: '1 passed, 1 failed, 0 skipped' },
    { sample: 'no-such-file', exitCode: 1, lastLine: '0 passed, 1 failed, 0 skipped' },
  ])('counts $sample as $lastLine', async ({ sample, ...expected }) => {
    expect(await runSample(sample)).toMatchObject(expected);
  });

  it('comes after each skipped test and why it was', async () => {
    const { exitCode, lines } = await runSample('passing', noPrograms);
    expect(exitCode).toBe(0);
    expect(lines.slice(lines.indexOf('Skipped, the moon is full:'))).toEqual([
      'Skipped, the moon is full:',
      '  test/support/sample/passing.sample.ts > passing > is skipped while it runs',
      '',
      'Skipped, needs coturn (no turnserver in PATH):',
      '  test/support/sample/passing.sample.ts > with coturn > calls',
      '',
      'Skipped, needs coturn (no turnserver in PATH) and openssl (no openssl in PATH):',
      '  test/support/sample/passing.sample.ts > serves',
      '',
      '2 passed, 0 failed, 3 skipped',
    ]);
  });

  it('does not list what a filter by name leaves out', async () => {
    const { lines } = await runSample('passing', noPrograms, '-t', 'holds too');
    expect(lines.join('\n')).not.toContain('is skipped while it runs');
    expect(lines.at(-1)).toBe('1 passed, 0 failed, 4 skipped');
  });

  it.runIf(process.platform === 'linux')('counts what lacks on CI as failed', async () => {
    const { exitCode, lastLine } = await runSample('passing', { ...noPrograms, CI: 'true' });
    expect({ exitCode, lastLine }).toEqual({ exitCode: 1, lastLine: '2 passed, 2 failed, 1 skipped' });
  });
});
