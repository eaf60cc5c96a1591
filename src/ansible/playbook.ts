import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { RtcOpsError } from '../model/error.ts';
import { parseEvent, type PlaybookEvent, type TaskResult } from './event.ts';
import { playbookArguments, playbookEnvironment, type PlaybookRun } from './inventory.ts';

/** Where the role and its playbooks are; beside src/ and beside dist/ alike. */
export const ansibleDirectory = fileURLToPath(new URL('../../ansible', import.meta.url));

export interface PlaybookOptions {
  readonly signal: AbortSignal;
  readonly onEvent: (event: PlaybookEvent) => void;
  /** What Ansible itself says, as it comes. */
  readonly onOutput: (text: string) => void;
}

/** What came of a run. */
export interface PlaybookResult {
  /** Every result of a task, in order. */
  readonly results: readonly TaskResult[];
  /** Of the hosts on which it did not come to its end, why; a host that is not here is through. */
  readonly failures: ReadonlyMap<string, HostFailure>;
  readonly changed: ReadonlySet<string>;
}

export interface HostFailure {
  readonly kind: 'unreachable' | 'failed';
  readonly task: string;
  /** In the words of Ansible, of ssh, or of the program that failed. */
  readonly message: string;
}

/**
 * Runs a playbook to its end. A host that fails is a result.
 * @throws RtcOpsError `tool-failed` when Ansible does not get as far as the hosts
 */
export async function runPlaybook(run: PlaybookRun, options: PlaybookOptions): Promise<PlaybookResult> {
  const { signal, onEvent, onOutput } = options;
  signal.throwIfAborted();
  // The path of a control socket has to be short: 108 bytes hold it with a random end.
  const controlDirectory = await mkdtemp(join(tmpdir(), 'rtc-ops-ssh-'));
  try {
    const subprocess = execa('ansible-playbook', playbookArguments(run, ansibleDirectory), {
      reject: false,
      all: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: playbookEnvironment({ directory: ansibleDirectory, controlDirectory, eventsFile: '3' }),
      cancelSignal: signal,
      // Ansible ends its tasks by itself; what runs on a host goes on to the end of its step.
      forceKillAfterDelay: 10_000,
    });
    subprocess.all.on('data', (chunk: Buffer) => onOutput(chunk.toString()));
    const events: PlaybookEvent[] = [];
    const reading = readEvents(subprocess.stdio[3], (event) => {
      events.push(event);
      onEvent(event);
    });
    const { exitCode, all, failed, shortMessage } = await subprocess;
    await reading;
    signal.throwIfAborted();
    if (!events.some(({ event }) => event === 'end')) {
      throw new RtcOpsError(
        'tool-failed',
        `ansible-playbook did not run to its end: ${reasonIn(all) ?? (failed ? shortMessage : all)}`,
        {
          hint: 'Run again with --debug to see all that it says.',
          cause: exitCode,
        },
      );
    }
    return resultOf(events);
  } finally {
    await closeConnections(controlDirectory);
    await rm(controlDirectory, { recursive: true, force: true });
  }
}

async function readEvents(stream: Readable, onEvent: (event: PlaybookEvent) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) {
    const event = parseEvent(line);
    if (event !== null) onEvent(event);
  }
}

function resultOf(events: readonly PlaybookEvent[]): PlaybookResult {
  const results = events.filter((event) => event.event === 'result');
  const end = events.findLast((event) => event.event === 'end');
  const failures = new Map<string, HostFailure>();
  for (const [host, counts] of Object.entries(end?.hosts ?? {})) {
    if ((counts['failures'] ?? 0) === 0 && (counts['unreachable'] ?? 0) === 0) continue;
    const last = results.findLast(
      (result) => result.host === host && (result.status === 'failed' || result.status === 'unreachable'),
    );
    failures.set(host, {
      kind: last?.status === 'unreachable' ? 'unreachable' : 'failed',
      task: last?.task ?? '',
      message: messageOf(last),
    });
  }
  const changed = new Set(results.flatMap(({ status, host }) => (status === 'changed' ? [host] : [])));
  return { results, failures, changed };
}

function messageOf(result: TaskResult | undefined): string {
  const { message = '', stderr = '' } = result ?? {};
  // "non-zero return code" says less than what the program printed.
  const told =
    stderr.trim() !== '' && (message === '' || message === 'non-zero return code') ? stderr : message;
  return told.trim();
}

function reasonIn(output: string): string | undefined {
  return output.split('\n').find((line) => line.startsWith('ERROR!') || line.startsWith('fatal:'));
}

/** Ends the ssh that Ansible leaves behind for the next run, which it would wait for a minute for. */
async function closeConnections(directory: string): Promise<void> {
  const sockets = await readdir(directory);
  await Promise.all(
    sockets.map(async (name) => {
      const path = join(directory, name);
      await execa('ssh', ['-o', `ControlPath=${path}`, '-O', 'exit', 'host'], {
        reject: false,
        stdin: 'ignore',
      });
    }),
  );
}
