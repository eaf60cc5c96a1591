import { defineConfig } from 'vitest/config';
import { TallyReporter } from '../tally-reporter.ts';

/** Small runs with known ends, which `tally-reporter.test.ts` looks at from outside. */
export default defineConfig({
  test: {
    include: ['test/support/sample/*.sample.ts'],
    reporters: ['default', new TallyReporter()],
  },
});
