import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { AllocationGate } from '../../src/probes/allocation-gate.ts';

// Longer than the server below holds an allocation.
const freeingMs = 60;

/** A server that gives `quota` allocations at once; each is held for a moment. */
function server(quota: number) {
  let held = 0;
  let most = 0;
  return {
    most: () => most,
    use: async (): Promise<'used' | 'refused'> => {
      if (held === quota) return 'refused';
      most = Math.max(most, ++held);
      await sleep(20);
      held--;
      return 'used';
    },
  };
}

const wasRefused = (result: string): boolean => result === 'refused';

it('lets everything run at once while nothing is refused', async () => {
  const { use, most } = server(8);
  const gate = new AllocationGate(new AbortController().signal, freeingMs);
  const results = await Promise.all(Array.from({ length: 8 }, () => gate.run(use, wasRefused)));
  expect([new Set(results), most()]).toEqual([new Set(['used']), 8]);
});

it('has each run alone once the quota was in the way of one', async () => {
  const { use } = server(2);
  const gate = new AllocationGate(new AbortController().signal, freeingMs);
  const results = await Promise.all(Array.from({ length: 4 }, () => gate.run(use, wasRefused)));
  expect(results).toEqual(['used', 'used', 'used', 'used']);
  let running = 0;
  let most = 0;
  const alone = async (): Promise<string> => {
    most = Math.max(most, ++running);
    await sleep(5);
    running--;
    return 'used';
  };
  await Promise.all([1, 2, 3].map(() => gate.run(alone, wasRefused)));
  expect(most).toBe(1);
});

it('gives up what is refused even then', async () => {
  let tries = 0;
  const gate = new AllocationGate(new AbortController().signal, freeingMs);
  const refuse = (): Promise<string> => Promise.resolve(`refused ${++tries}`.slice(0, 7));
  expect(await gate.run(refuse, wasRefused)).toBe('refused');
  expect(tries).toBe(2);
});

it('waits once only where nothing was ever to be had', async () => {
  let tries = 0;
  const gate = new AllocationGate(new AbortController().signal, freeingMs);
  const refuse = (): Promise<string> => Promise.resolve(`refused ${++tries}`.slice(0, 7));
  const results = await Promise.all([1, 2, 3, 4].map(() => gate.run(refuse, wasRefused)));
  expect(new Set(results)).toEqual(new Set(['refused']));
  // Each once, and the first of them once more.
  expect(tries).toBe(5);
  expect(await gate.run(() => Promise.resolve('used'), wasRefused)).toBe('used');
});

it('ends with its signal while it waits', async () => {
  const stop = new AbortController();
  const gate = new AllocationGate(stop.signal);
  const running = gate.run(() => Promise.resolve('refused'), wasRefused);
  const reason = new Error('enough');
  setTimeout(() => stop.abort(reason), 20);
  await expect(running).rejects.toBe(reason);
});
