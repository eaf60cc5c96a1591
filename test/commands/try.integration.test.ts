import { execa } from 'execa';
import { readFile, readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

interface Trial {
  readonly child: ReturnType<typeof spawnTry>;
  /** Everything that the trial starts inherits it, and all temporary files lie in it. */
  readonly temporary: string;
  readonly output: () => string;
}

/** As a shell does: in a process group of its own, which is what Ctrl-C reaches. */
function spawnTry(args: readonly string[], temporary: string) {
  return execa(process.execPath, [bin, 'try', ...args], {
    reject: false,
    all: true,
    stdin: 'ignore',
    detached: true,
    env: { TMPDIR: temporary },
  });
}

async function startTry(...args: readonly string[]): Promise<Trial> {
  const temporary = await directoryWith({});
  const child = spawnTry(args, temporary);
  let output = '';
  child.all.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return { child, temporary, output: () => output };
}

async function until({ output, child }: Trial, text: string): Promise<void> {
  while (!output().includes(text)) {
    if (child.exitCode !== null) throw new Error(`it ended before: ${output()}`);
    await sleep(5);
  }
}

function pressCtrlC({ child }: Trial): void {
  if (child.pid === undefined) throw new Error('it did not start');
  process.kill(-child.pid, 'SIGINT');
}

/** The command lines of the processes that a trial has left running. */
async function processesOf({ temporary }: Trial): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    ids.map(async (id) => {
      try {
        const environment = await readFile(`/proc/${id}/environ`, 'latin1');
        const isOurs = environment.split('\0').includes(`TMPDIR=${temporary}`);
        return isOurs ? [(await readFile(`/proc/${id}/cmdline`, 'latin1')).replaceAll('\0', ' ')] : [];
      } catch {
        // It ended in this moment, or belongs to somebody else.
        return [];
      }
    }),
  );
  return found.flat();
}

async function expectNothingLeft(trial: Trial): Promise<void> {
  expect(await processesOf(trial)).toEqual([]);
  expect(await readdir(trial.temporary)).toEqual([]);
}

needs('coturn').describe('Ctrl-C ends try, and leaves nothing', () => {
  // From the start of Node over that of coturn to the first packets; how far it is by then depends on the machine.
  it.each([300, 450, 600, 750, 900, 1200])(
    'after %i ms',
    async (ms) => {
      const trial = await startTry();
      await sleep(ms);
      pressCtrlC(trial);
      const { exitCode, signal } = await trial.child;
      // Before it listens to signals, Node itself ends by this one, which a shell tells as 130 too.
      expect(signal ?? exitCode).toBe(signal === undefined ? 130 : 'SIGINT');
      await expectNothingLeft(trial);
    },
    60_000,
  );

  it.each([0, 5, 20, 50, 100, 200, 400, 2000])(
    '%i ms after coturn runs',
    async (ms) => {
      const trial = await startTry();
      await until(trial, 'coturn 4');
      await sleep(ms);
      pressCtrlC(trial);
      expect((await trial.child).exitCode, trial.output()).toBe(130);
      await expectNothingLeft(trial);
    },
    60_000,
  );
});

needs('coturn').describe('try', () => {
  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)(
    'ends as cleanly on %s, with exit code %i',
    async (signal, code) => {
      const trial = await startTry();
      await until(trial, 'probing');
      trial.child.kill(signal);
      expect((await trial.child).exitCode).toBe(code);
      await expectNothingLeft(trial);
    },
    60_000,
  );

  it('--keep runs until Ctrl-C', async () => {
    const trial = await startTry('--keep');
    await until(trial, 'coturn runs until Ctrl-C');
    pressCtrlC(trial);
    const { exitCode } = await trial.child;
    expect(trial.output()).toContain('coturn is stopped, its files are removed');
    expect([0, 1]).toContain(exitCode);
    await expectNothingLeft(trial);
  }, 60_000);

  it('--keep fails when coturn ends by itself', async () => {
    const trial = await startTry('--keep');
    await until(trial, 'coturn runs until Ctrl-C');
    const [, pid] = /\(pid (\d+)\)/.exec(trial.output()) ?? [];
    process.kill(Number(pid), 'SIGKILL');
    expect((await trial.child).exitCode).toBe(4);
    expect(trial.output()).toContain('coturn ended by itself (SIGKILL)');
    await expectNothingLeft(trial);
  }, 60_000);

  it('says where it cannot write its files', async () => {
    const { exitCode, stderr } = await execa(process.execPath, [bin, 'try'], {
      reject: false,
      env: { TMPDIR: '/nonexistent' },
    });
    expect(exitCode).toBe(4);
    expect(stderr).toContain('no temporary directory can be made in /nonexistent');
    expect(stderr).toContain('Set TMPDIR');
  }, 60_000);
});
