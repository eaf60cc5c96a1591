import { spawn, type ChildProcess as NodeChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { CallFacts } from '../../src/model/observations.ts';
import type { CallOrder } from '../../src/webrtc/call-worker.ts';
import type { CallProgress } from '../../src/webrtc/call.ts';
import { ChildProcess } from '../../src/webrtc/child-process.ts';
import { relayServer, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';
import { isRunning } from '../support/running-process.ts';
import { directoryWith } from '../support/temporary.ts';

function startChild(name = 'call-worker'): ChildProcess<CallOrder, CallFacts, CallProgress> {
  const child = new ChildProcess<CallOrder, CallFacts, CallProgress>(name, 'test');
  onTestFinished(async () => child.close());
  return child;
}

function orderFor(server: RelayServer, durationMs: number): CallOrder {
  const { username, password } = server.turnCredential;
  return {
    server: server.listener('udp'),
    credential: { username, password: password.reveal() },
    durationMs,
    connectAttempts: 1,
    connectTimeoutMs: 5000,
  };
}

/** A process of Node that runs `script` with the modules of dist/. */
function runNode(script: string): NodeChildProcess {
  const cwd = new URL('../../', import.meta.url);
  const node = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd,
    stdio: ['ignore', 'pipe', 2],
  });
  onTestFinished(() => void node.kill('SIGKILL'));
  return node;
}

async function firstLine(node: NodeChildProcess): Promise<string> {
  if (node.stdout === null) throw new Error('no pipe');
  const [chunk] = (await once(node.stdout, 'data')) as [Buffer];
  return chunk.toString().trim();
}

const never = new AbortController().signal;

describe('ChildProcess', () => {
  it('says so when there is nothing to run', async () => {
    const child = startChild('no-such-worker');
    const order = {} as CallOrder;
    expect(await child.run(order, { deadlineMs: 5000, signal: never })).toMatchObject({
      ok: false,
      failure: {
        kind: 'internal',
        detail: expect.stringMatching(/the process of the test ended with code 1/),
      },
    });
    expect(child.hasEnded).toBe(true);
    // It stays ended.
    expect(await child.run(order, { deadlineMs: 5000, signal: never })).toMatchObject({ ok: false });
  });

  it('repeats the last words of a child, without what a terminal would obey', async () => {
    const script =
      "process.stderr.write('first\\n\\u001b]0;owned\\u0007 \\u009b2J last\\n'); process.exitCode = 3;";
    const directory = await directoryWith({ 'worker.js': script });
    const child = startChild(`${'../'.repeat(30)}${directory.slice(1)}/worker`);
    expect(await child.run({} as CallOrder, { deadlineMs: 5000, signal: never })).toEqual({
      ok: false,
      failure: {
        kind: 'internal',
        detail: 'the process of the test ended with code 3: \ufffd]0;owned\ufffd \ufffd2J last',
      },
    });
  });

  it('passes on what the work throws', async () => {
    const child = startChild();
    expect(await child.run({} as CallOrder, { deadlineMs: 5000, signal: never })).toMatchObject({
      ok: false,
      failure: {
        kind: 'internal',
        detail: expect.stringMatching(/the process of the test failed: .*undefined/),
      },
    });
    expect(child.hasEnded).toBe(false);
  });

  it('does not run what was aborted before', async () => {
    const reason = new Error('too late');
    const running = startChild().run({} as CallOrder, {
      deadlineMs: 5000,
      signal: AbortSignal.abort(reason),
    });
    await expect(running).rejects.toBe(reason);
  });

  it('does not keep its parent from ending', async () => {
    const begun = performance.now();
    const node = runNode(`
      const { GatheringProcess } = await import('./dist/webrtc/gathering-process.js');
      GatheringProcess.start();
    `);
    expect(await once(node, 'exit')).toEqual([0, null]);
    expect(performance.now() - begun).toBeLessThan(5000);
  });
});

needs('coturn').describe('ChildProcess at work', () => {
  it('kills a child that is not done in time', async () => {
    const child = startChild();
    const order = orderFor(await relayServer(), 60_000);
    const begun = performance.now();
    expect(await child.run(order, { deadlineMs: 1000, signal: never })).toMatchObject({
      ok: false,
      failure: { kind: 'internal', detail: expect.stringMatching(/not done after 1 s/) },
    });
    expect(performance.now() - begun).toBeLessThan(4000);
    await child.close();
    expect(isRunning(child.pid ?? 0)).toBe(false);
  });

  it('kills a child that does not stop when told', async () => {
    const child = startChild();
    const order = orderFor(await relayServer(), 60_000);
    const abort = new AbortController();
    const running = child.run(order, { deadlineMs: 70_000, signal: abort.signal });
    await sleep(800);
    process.kill(child.pid ?? 0, 'SIGSTOP');
    const begun = performance.now();
    const reason = new Error('enough');
    abort.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect(performance.now() - begun).toBeLessThan(2500);
  });

  it('dies with its parent', async () => {
    const order = orderFor(await relayServer(), 60_000);
    const node = runNode(`
      const { ChildProcess } = await import('./dist/webrtc/child-process.js');
      const child = new ChildProcess('call-worker', 'call');
      const order = ${JSON.stringify(order)};
      void child.run(order, { deadlineMs: 70_000, signal: new AbortController().signal });
      setTimeout(() => console.log(child.pid), 800);
    `);
    const pid = Number(await firstLine(node));
    expect(isRunning(pid)).toBe(true);
    node.kill('SIGKILL');
    await expect.poll(() => isRunning(pid)).toBe(false);
  });

  it.each(['call-worker', 'gathering-worker'])(
    'dies with a parent that is killed at whatever moment of its first second: %s',
    async (name) => {
      const orphaned = async (afterMs: number): Promise<number> => {
        const node = runNode(`
          const { ChildProcess } = await import('./dist/webrtc/child-process.js');
          console.log(new ChildProcess('${name}', 'call').pid);
          setTimeout(() => {}, 60_000);
        `);
        const pid = Number(await firstLine(node));
        expect(isRunning(pid)).toBe(true);
        await sleep(afterMs);
        node.kill('SIGKILL');
        return pid;
      };
      // The first moments are those before it listens to anyone.
      for (const moments of [
        [0, 10, 25, 45, 70],
        [100, 250, 450, 700, 1000],
      ]) {
        const pids = await Promise.all(moments.map(async (afterMs) => orphaned(afterMs)));
        await expect.poll(() => pids.filter(isRunning), { timeout: 10_000 }).toEqual([]);
      }
    },
  );

  it('is killed by a parent that ends, even when it is frozen', async () => {
    const node = runNode(`
      const { ChildProcess } = await import('./dist/webrtc/child-process.js');
      const child = new ChildProcess('call-worker', 'call');
      setTimeout(() => { console.log(child.pid); }, 500);
      setTimeout(() => process.exit(3), 1500);
    `);
    const pid = Number(await firstLine(node));
    process.kill(pid, 'SIGSTOP');
    expect(await once(node, 'exit')).toEqual([3, null]);
    await expect.poll(() => isRunning(pid)).toBe(false);
  });
});
