import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished } from 'vitest';
import { directoryWith } from './temporary.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

/** An `rtc-ops credentials serve` of its own. */
export interface RunningService {
  readonly url: string;
  readonly port: number;
  /** All that it has written so far, to stdout and stderr. */
  readonly output: () => string;
  readonly signal: (name: NodeJS.Signals) => void;
  /** Replaces one of its files. */
  readonly write: (name: string, text: string) => Promise<void>;
  /** The exit code. */
  readonly ended: Promise<number | null>;
}

/** Starts one on a free port, in a directory with `files`; it ends with the test. */
export async function startService(
  files: Readonly<Record<string, string>>,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): Promise<RunningService> {
  const cwd = await directoryWith(files);
  const child: ChildProcess = spawn(
    process.execPath,
    [...nodeOptions, bin, '--debug', 'credentials', 'serve', '--listen', '127.0.0.1:0', ...args],
    { cwd, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  }
  const ended = once(child, 'close').then(([code]) => code as number | null);
  await expect.poll(() => text, { timeout: 15_000 }).toMatch(/listening on|"ready"/);
  const port = Number(/http:\/\/127\.0\.0\.1:(\d+)/.exec(text)?.[1]);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    output: () => text,
    signal: (name) => void child.kill(name),
    write: async (name, contents) => writeFile(join(cwd, name), contents, { mode: 0o600 }),
    ended,
  };
}
