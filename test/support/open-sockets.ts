import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';

const network = /^(?:UDP|TCP|TLS|Shutdown|Timeout)/;

/** What keeps this process alive that has to do with the network, and its timers. */
function held(): string[] {
  return process.getActiveResourcesInfo().filter((name) => network.test(name));
}

/** Runs `work`, and expects that it leaves behind neither a socket nor a timer that would keep a process alive. */
export async function expectNothingLeftOpen(work: () => Promise<void>): Promise<void> {
  // Closing takes some turns of the event loop, for what earlier tests have closed as well.
  await sleep(20);
  const before = held();
  await work();
  const left = (): string[] => {
    const now = held();
    for (const name of before) if (now.includes(name)) now.splice(now.indexOf(name), 1);
    return now;
  };
  // Longer than a stream may take to close, shorter than the time-outs in these tests.
  const deadline = performance.now() + 1500;
  while (left().length > 0 && performance.now() < deadline) await sleep(5);
  expect(left(), 'left open').toEqual([]);
}
