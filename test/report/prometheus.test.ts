import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderPrometheus } from '../../src/report/prometheus.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import { golden, hostile, verdictScenes } from '../support/golden.ts';
import { reportOf, reportOfScene } from '../support/report.ts';

// https://prometheus.io/docs/instrumenting/exposition_formats, for gauges without a time.
const metricName = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const label = '[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\\n]|\\\\["\\\\n])*"';
const sampleLine = new RegExp(
  `^(${metricName})(\\{${label}(?:,${label})*\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?)$`,
);

type Series = ReadonlyMap<string, number>;

/** The series of a text that follows the format: each metric once, with HELP and TYPE before its samples, no series twice. */
function seriesOf(report: Report): Series {
  const text = renderPrometheus(report);
  expect(text.endsWith('\n')).toBe(true);
  const series = new Map<string, number>();
  const seen = new Set<string>();
  let current = '';
  let expected: 'HELP' | 'TYPE' | 'sample' = 'HELP';
  for (const line of text.slice(0, -1).split('\n')) {
    const [, kind, name = ''] = /^# (HELP|TYPE) (\S+) \S/.exec(line) ?? [];
    if (kind === 'HELP') {
      expect(seen).not.toContain(name);
      seen.add(name);
      current = name;
      expected = 'TYPE';
    } else if (kind === 'TYPE') {
      expect([expected, line]).toEqual(['TYPE', `# TYPE ${current} gauge`]);
      expected = 'sample';
    } else {
      const [, metric, labels = '', value] = sampleLine.exec(line) ?? [];
      expect([line, metric, expected]).toEqual([line, current, 'sample']);
      expect(series).not.toContain(`${metric}${labels}`);
      series.set(`${metric}${labels}`, Number(value));
    }
  }
  // What promtool objects to: other units than the base ones, and names that are those of other types.
  for (const name of seen) expect(name).not.toMatch(/_(ms|total|count|sum|bucket|percent|info)$/);
  return series;
}

function named(series: Series, pattern: RegExp): [string, number][] {
  return [...series].filter(([name]) => pattern.test(name));
}

describe('the Prometheus report', () => {
  it.each(verdictScenes)('%s', async (name) => {
    const report = reportOfScene(name);
    await expect(renderPrometheus(report)).toMatchFileSnapshot(golden(`prometheus-${name}.prom`));
    seriesOf(report);
  });

  it('is valid of any facts, with a sample for what passed or failed, and none for the rest', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, criteria);
        const series = seriesOf(report);
        const run = series.get('rtc_ops_run_success');
        expect(run).toBe(report.verdict === 'unknown' ? undefined : report.exitCode === 0 ? 1 : 0);
        for (const { url, address, checks } of report.targets) {
          const twins = report.targets.filter((other) => other.url === url && other.address === address);
          if (twins.length > 1) continue;
          const own = (id: string): [string, number][] =>
            named(series, /^rtc_ops_check_success/).filter(([name]) =>
              name.includes(`{check="${id}",target="${url}",address="${address}"`),
            );
          for (const { id, status } of checks) {
            const value = { passed: [1], failed: [0], skipped: [], unknown: [] }[status];
            expect(own(id).map(([, each]) => each)).toEqual(value);
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  it('calls no target a success of which something that is needed is unknown', () => {
    expect(named(seriesOf(reportOfScene('unknown')), /_(probe|run)_success/)).toEqual([]);
    expect(
      named(seriesOf(reportOfScene('broken')), /^rtc_ops_probe_success/).map(([, value]) => value),
    ).toEqual([0, 0, 0]);
    const healthy = named(seriesOf(reportOfScene('healthy')), /^rtc_ops_probe_success/);
    expect(healthy).toContainEqual([
      'rtc_ops_probe_success{target="turn:turn.example.com",address="203.0.113.10",transport="udp",family="4"}',
      1,
    ]);
  });

  it('keeps the words of a server apart from its own', () => {
    const report = reportOfScene('healthy');
    const [target] = report.targets;
    if (target === undefined) throw new Error('a scene without a target');
    const series = seriesOf({ ...report, targets: [{ ...target, url: `turn:${hostile}` }] });
    expect(named(series, /^rtc_ops_probe_success/)).toHaveLength(1);
  });
});
