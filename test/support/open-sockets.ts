import { createHook } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

// Longer than a stream may take to close, shorter than the time-outs that a test uses.
const closingMs = 1500;

/**
 * Runs `work`, and expects that it leaves behind neither a socket nor a timer that would keep a process alive. Sockets are
 * counted in the whole process; of timers, those that began during `work`.
 */
export async function expectNothingLeftOpen(work: () => Promise<void>): Promise<void> {
  const timers = new Map<number, NodeJS.Timeout>();
  const hook = createHook({
    init: (id, type, _trigger, resource) => {
      if (type === 'Timeout') timers.set(id, resource as NodeJS.Timeout);
    },
    destroy: (id) => timers.delete(id),
  });
  // What earlier tests have closed takes a turn or two of the event loop to be gone.
  await sleep(20);
  const before = openSockets();
  const left = (): string[] => [
    ...[...timers.values()].filter((timer) => timer.hasRef()).map(() => 'a timer'),
    ...openSockets().slice(before.length),
  ];
  hook.enable();
  await work();
  const deadline = performance.now() + closingMs;
  while (left().length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 5).unref());
  }
  hook.disable();
  expect(left(), 'left open').toEqual([]);
}

function openSockets(): string[] {
  return process.getActiveResourcesInfo().filter((name) => /^(?:UDP|TCP|TLS|Shutdown)/.test(name));
}
