import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest-first.ts';
import { TallyReporter } from './test/support/tally-reporter.ts';

// Each runs whole processes, the command line or the set-up, as a user does, and needs no server.
const processTests = ['test/commands/**/*.test.ts', 'test/support/*.test.ts'];
// Each has a process of its own, in which it counts sockets, timers or memory.
const socketTests = ['net', 'turn', 'probes', 'webrtc', 'coturn'].map((room) => `test/${room}/**/*.test.ts`);
const otherKinds = ['test/**/*.integration.test.ts', 'test/**/*.lab.test.ts', 'test/**/*.vps.test.ts'];

export default defineConfig({
  test: {
    reporters: ['default', new TallyReporter()],
    globalSetup: 'test/support/fresh-build.ts',
    // vitest takes one core less than there are, which leaves a machine of two cores with one.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: [...otherKinds, ...processTests, ...socketTests],
          // A process and all its imports for each file cost more than the tests, and no module of src/ keeps state.
          pool: 'threads',
          isolate: false,
          maxWorkers: 3,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'unit-sockets',
          include: socketTests,
          exclude: otherKinds,
          // Much of their time goes by in waiting, so that more of them run than there are cores.
          maxWorkers: 3,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'process',
          include: processTests,
          exclude: otherKinds,
          sequence: { groupOrder: 1 },
          // None takes seconds by itself; on a busy machine a process that a test starts may.
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.integration.test.ts'],
          // After the others, so that the figures of a call are not taken on a machine that is busy with them.
          sequence: { groupOrder: 2 },
          // A call of some seconds, a deadline that has to pass, a coturn that starts: with room for a busy machine.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/**/*.lab.test.ts'],
          // Last and in one worker, which has several networks up at a time: what is measured there is not to be disturbed.
          sequence: { groupOrder: 3 },
          maxWorkers: 1,
          maxConcurrency: 2,
          testTimeout: 90_000,
        },
      },
      {
        test: {
          name: 'vps',
          include: ['test/**/*.vps.test.ts'],
          // Booted servers, and deployments onto them. The first test also makes their image.
          sequence: { groupOrder: 4 },
          maxWorkers: 2,
          // A machine that is busy with other work takes three times as long.
          testTimeout: 400_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
