import { BaseSequencer, type TestSpecification } from 'vitest/node';

// Minutes each, so that one that begins last keeps a core idle for as long.
const longest = ['deploy.vps', 'deploy.failures.vps', 'deploy.certificate.vps', 'deploy.firewall.vps'];

/** The order of vitest, but for the files that take longest, which come first. It knows of these only where it has run before. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = longest.findIndex((name) => moduleId.endsWith(`/${name}.test.ts`));
      return index < 0 ? longest.length : index;
    };
    const sorted: TestSpecification[] = await super.sort(files); // oxlint-disable-line unicorn/no-array-sort -- not that of an array
    return sorted.toSorted((one, other) => place(one) - place(other));
  }
}
