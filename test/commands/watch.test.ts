import { getEventListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/context.ts';
import { watch, type WatchOptions } from '../../src/commands/watch.ts';
import type { Report } from '../../src/model/report.ts';
import { reportOfScene } from '../support/report.ts';

const healthy = reportOfScene('healthy');
const broken = reportOfScene('broken');

interface Watched {
  stdout: string;
  stderr: string;
  exitCode: number | null;
  /** The content of --output after each round. */
  readonly written: string[];
  /** When each round began. */
  readonly beganMs: number[];
  /** Listeners on the signal at the start of each round. */
  readonly listeners: number[];
}

/** Watches rounds that give these reports, one after the other. */
async function watched(
  reports: readonly Report[],
  options: Partial<WatchOptions> & {
    file?: boolean;
    terminal?: boolean;
    roundMs?: number;
    stopAfter?: number;
  } = {},
): Promise<Watched> {
  const { file = false, terminal = false, roundMs = 0, stopAfter = null, ...rest } = options;
  const seen: Watched = { stdout: '', stderr: '', exitCode: null, written: [], beganMs: [], listeners: [] };
  const stop = new AbortController();
  const context: CommandContext = {
    stdout: (text) => void (seen.stdout += text),
    stderr: (text) => void (seen.stderr += text),
    ask: async () => '',
    stdin: async () => '',
    env: {},
    workingDirectory: '/',
    signal: stop.signal,
    stdoutIsTerminal: terminal,
    stdoutIsClosed: false,
    stderrIsTerminal: false,
    stdinIsTerminal: false,
    onHangUp: () => {},
    columns: 80,
    stderrColumns: 80,
    now: () => new Date(),
    exitWith: (code) => void (seen.exitCode = code),
  };
  let rounds = 0;
  let running = 0;
  const measure = async (signal: AbortSignal): Promise<Report> => {
    expect(++running).toBe(1);
    seen.beganMs.push(performance.now());
    seen.listeners.push(getEventListeners(stop.signal, 'abort').length);
    if (rounds === stopAfter) stop.abort(new Error('stopped'));
    // Whoever leaves a listener there leaves it to be collected with the round.
    signal.addEventListener('abort', () => {});
    await sleep(roundMs, undefined, { signal });
    running--;
    return reports[rounds++ % reports.length] ?? healthy;
  };
  const output = {
    file: file
      ? { write: async (text: string | Uint8Array) => void seen.written.push(text.toString()) }
      : null,
  };
  await watch(
    measure,
    { format: 'human', color: false, intervalMs: 20, count: reports.length, ...rest, output },
    context,
  );
  return seen;
}

describe('watching', () => {
  it('prints the first report, then only what changes, then a summary', async () => {
    const { stdout, stderr, exitCode } = await watched([healthy, healthy, broken, broken, healthy]);
    const [first = '', ...changes] = stdout.split(/^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2})/m);
    expect(first).toMatch(/^✔ healthy {3}/);
    expect(changes).toHaveLength(2);
    expect(changes[0]).toMatch(/^\S+ \S+ {2}✖ healthy → broken: users who need the relay/);
    expect(changes[0]).toMatch(
      / {2}turn:turn\.example\.com 203\.0\.113\.10\n {4}relay-address, relay-inbound[^:]+: passed →\s+failed: The relay/,
    );
    expect(changes[0]).toContain('(RELAY_ADDRESS_PRIVATE)');
    expect(changes[1]).toMatch(/✔ broken → healthy: /);
    expect(changes[1]).toMatch(/relay-address[^:]+:\s+failed → passed\n/);
    expect(changes[1]).toMatch(/\n5 rounds, 2 failed;\n {2}longest outage \d+ s, from \S+ \S+ to \S+ \S+\n$/);
    expect(stderr).toBe('');
    expect(exitCode).toBe(1);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('ends with 0 when no round failed', async () => {
    const { stdout, exitCode } = await watched([healthy, healthy]);
    expect(stdout).toMatch(/\n2 rounds, none failed\n$/);
    expect(exitCode).toBe(0);
  });

  it('gives one JSON document a line, and the summary on stderr', async () => {
    const { stdout, stderr } = await watched([healthy, broken, healthy], { format: 'json' });
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Report);
    expect(reports).toEqual([healthy, broken, healthy]);
    expect(stderr).toMatch(/^rtc-ops: 3 rounds, 1 failed; longest outage/);
  });

  it('writes the file anew each round; elsewhere only what turns, and a terminal sees the rest', async () => {
    const reports = [healthy, broken, broken];
    const plain = await watched(reports, { file: true, format: 'prometheus' });
    expect(plain.written.map((text) => /^rtc_ops_run_success (\d)$/m.exec(text)?.[1])).toEqual([
      '1',
      '0',
      '0',
    ]);
    expect(plain.stdout).toBe('');
    expect(plain.stderr).toMatch(
      /^rtc-ops: \S+ \S+ broken: .*\nrtc-ops: 3 rounds, 2 failed; .* and not over\n$/,
    );
    const quiet = await watched(reports, { file: true, format: 'prometheus', quiet: true });
    expect(quiet.stderr).toBe('');
    const terminal = await watched(reports, { file: true, format: 'prometheus', terminal: true });
    expect(terminal.stdout).toMatch(/^✔ healthy[^]*healthy → broken/);
  });

  it('keeps its rate, with never two rounds at once', async () => {
    const steady = await watched([healthy, healthy, healthy, healthy], { intervalMs: 100, roundMs: 30 });
    const [first = 0, ...later] = steady.beganMs;
    later.forEach((ms, index) => {
      const offset = (ms - first) / 100 - (index + 1);
      // No start is early, and what one is late the next is not.
      expect(offset).toBeGreaterThan(-0.1);
    });
    const slow = await watched([healthy, healthy, healthy], { intervalMs: 40, roundMs: 60 });
    const [zero = 0, one = 0] = slow.beganMs;
    expect(one - zero).toBeGreaterThan(75);
  });

  it('counts what was completed when it is stopped, and throws the reason when nothing was', async () => {
    const stopped = await watched([healthy, broken, healthy], { stopAfter: 2, roundMs: 5, count: null });
    expect(stopped.stdout).toMatch(/\n2 rounds, 1 failed;\n {2}.* and not over\n$/);
    expect(stopped.exitCode).toBe(1);
    await expect(watched([healthy], { stopAfter: 0, roundMs: 5, count: null })).rejects.toThrow('stopped');
  });

  it('leaves nothing behind from round to round', async () => {
    const { listeners } = await watched(
      Array.from({ length: 20 }, () => healthy),
      { intervalMs: 1 },
    );
    expect(new Set(listeners)).toEqual(new Set([1]));
  });
});
