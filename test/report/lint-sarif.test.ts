import { describe, expect, it } from 'vitest';
import { renderLintSarif } from '../../src/report/lint-sarif.ts';
import { textWith } from '../support/lint-facts.ts';
import { lintReport } from '../support/lint-report.ts';

interface Sarif {
  readonly $schema: string;
  readonly version: string;
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly name: string; readonly rules: readonly { readonly id: string }[] };
    };
    readonly columnKind: string;
    readonly results: readonly Result[];
  }[];
}

interface Result {
  readonly ruleId: string;
  readonly ruleIndex: number;
  readonly level: string;
  readonly message: { readonly text: string };
  readonly locations: readonly {
    readonly physicalLocation: {
      readonly artifactLocation: { readonly uri: string };
      readonly region?: {
        readonly startLine: number;
        readonly startColumn: number;
        readonly endColumn: number;
      };
    };
  }[];
}

function sarifOf(lines: readonly string[], file = 'turnserver.conf', without?: RegExp): Sarif {
  return JSON.parse(renderLintSarif(lintReport(textWith(lines, without), { file }))) as Sarif;
}

describe('the lint as SARIF 2.1.0', () => {
  it('is one run, whose results name their rules (§3.27.5, §3.27.6)', () => {
    const { version, $schema, runs } = sarifOf(
      ['min-port=70000', 'verbose', 'max-bps=1k', 'fingerprin'],
      'f',
      /quota/,
    );
    expect({ version, runs: runs.length }).toEqual({ version: '2.1.0', runs: 1 });
    expect($schema).toMatch(/sarif-schema-2\.1\.0\.json$/);
    const [run] = runs;
    const rules = run?.tool.driver.rules ?? [];
    expect(new Set(rules.map(({ id }) => id)).size).toBe(rules.length);
    expect(run?.results.length).toBeGreaterThan(3);
    for (const result of run?.results ?? []) {
      expect(rules[result.ruleIndex]?.id).toBe(result.ruleId);
      expect(['error', 'warning', 'note']).toContain(result.level);
      expect(result.message.text).not.toBe('');
    }
  });

  it('has regions that begin at 1 and end behind the last character (§3.30)', () => {
    const [result] = sarifOf(['min-port=70000']).runs[0]?.results ?? [];
    expect(result?.locations[0]?.physicalLocation).toEqual({
      artifactLocation: { uri: 'turnserver.conf' },
      region: { startLine: 19, startColumn: 10, endColumn: 15 },
    });
    const [whole] = sarifOf([], 'f', /^no-tcp-relay/).runs[0]?.results ?? [];
    expect(whole?.locations[0]?.physicalLocation).toEqual({ artifactLocation: { uri: 'f' } });
  });

  it.each([
    ['a b/ü#.conf', 'a%20b/%C3%BC%23.conf'],
    ['/etc/turnserver.conf', 'file:///etc/turnserver.conf'],
    ['../x.conf', '../x.conf'],
  ])('names %j as a URI', (file, uri) => {
    const [result] = sarifOf(['verbose'], file).runs[0]?.results ?? [];
    expect(result?.locations[0]?.physicalLocation.artifactLocation.uri).toBe(uri);
  });
});
