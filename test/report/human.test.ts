import { fileURLToPath } from 'node:url';
import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { findingCodes } from '../../src/model/finding.ts';
import { renderHuman } from '../../src/report/human.ts';
import { faults } from '../support/faults.ts';
import { criteriaWith } from '../support/facts.ts';
import { reportOf } from '../support/report.ts';
import { scenes, type Scene, type SceneName } from '../support/scenes.ts';

// Read by a person, line by line; `npx vitest run test/report -u` writes them anew.
const golden = (name: string): string => fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url));

function shown(name: SceneName, options: { color?: boolean; columns?: number } = {}): string {
  const { facts, criteria = {} }: Scene = scenes[name];
  return renderHuman(reportOf(facts, criteria), { color: false, columns: 80, ...options });
}

const names = Object.keys(scenes) as SceneName[];

describe('the report for a person', () => {
  it.each(names)('%s', async (name) => {
    await expect(shown(name)).toMatchFileSnapshot(golden(name));
  });

  it.each([
    ['healthy', 60],
    ['broken', 60],
    ['broken', 120],
    ['many', 60],
  ] as const)('%s in %d columns', async (name, columns) => {
    await expect(shown(name, { columns })).toMatchFileSnapshot(golden(`${name}-${columns}`));
  });

  it('broken, in colour', async () => {
    await expect(shown('broken', { color: true })).toMatchFileSnapshot(golden('broken-color'));
  });
});
