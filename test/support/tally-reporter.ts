import type { Reporter, SerializedError, TestCase, TestModule, Vitest } from 'vitest/node';

/**
 * Ends the output with `N passed, N failed, N skipped`, alone on its line, and before it names each test that was skipped
 * and why. A run that fails without a failed test (a file that does not load, an error outside tests, an interrupt) counts
 * as one failure at least.
 */
export class TallyReporter implements Reporter {
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #skippedByReason = new Map<string, string[]>();
  #filtered = false;

  onInit(vitest: Vitest): void {
    this.#filtered = vitest.config.testNamePattern !== undefined;
    // Nothing is printed after the listeners of `exit`: not the summary, not an error of vitest itself.
    process.once('exit', (code) => process.stdout.write(this.#text(code)));
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    // In watch mode there are many runs; the last one counts.
    this.#passed = this.#skipped = 0;
    this.#failed = unhandledErrors.length;
    this.#skippedByReason = new Map();
    for (const testModule of modules) this.#count(testModule);
  }

  #count(testModule: TestModule): void {
    this.#failed += testModule.errors().length;
    for (const suite of testModule.children.allSuites()) this.#failed += suite.errors().length;
    for (const test of testModule.children.allTests()) {
      const result = test.result();
      if (result.state === 'passed') this.#passed++;
      else if (result.state === 'failed') this.#failed++;
      else this.#countSkipped(test, result.state === 'skipped' ? result.note : undefined);
    }
  }

  #countSkipped(test: TestCase, note: string | undefined): void {
    this.#skipped++;
    const because =
      test.meta().skippedBecause ?? note ?? (hookFailed(test) ? 'a hook before it failed' : undefined);
    // With -t, everything else is skipped too, and nobody wants the list.
    if (because === undefined && this.#filtered) return;
    const names = this.#skippedByReason.get(because ?? 'no reason given') ?? [];
    names.push(`${test.module.relativeModuleId} > ${test.fullName}`);
    this.#skippedByReason.set(because ?? 'no reason given', names);
  }

  #text(exitCode: number): string {
    const skipped = [...this.#skippedByReason].map(
      ([because, names]) => `\nSkipped, ${because}:\n${names.map((name) => `  ${name}\n`).join('')}`,
    );
    const failed = exitCode === 0 ? this.#failed : Math.max(this.#failed, 1);
    return `${skipped.join('')}\n${this.#passed} passed, ${failed} failed, ${this.#skipped} skipped\n`;
  }
}

function hookFailed(test: TestCase): boolean {
  let parent = test.parent;
  while (parent.type === 'suite' && parent.errors().length === 0) parent = parent.parent;
  return parent.errors().length > 0;
}
