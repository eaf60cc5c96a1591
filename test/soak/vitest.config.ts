import { defineConfig } from 'vitest/config';
import { TallyReporter } from '../support/tally-reporter.ts';

/** Long runs (`npm run test:soak`), one after the other: what they measure is not to be disturbed. */
export default defineConfig({
  test: {
    reporters: ['default', new TallyReporter()],
    globalSetup: 'test/support/fresh-build.ts',
    include: ['test/soak/**/*.soak.ts'],
    fileParallelism: false,
    testTimeout: 3 * 60 * 60_000,
    hookTimeout: 60_000,
  },
});
