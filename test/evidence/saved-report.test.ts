import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSavedReport } from '../../src/evidence/saved-report.ts';
import { RtcOpsError } from '../../src/model/error.ts';
import type { Observations } from '../../src/model/observations.ts';
import type { Report } from '../../src/model/report.ts';
import { renderJson, renderJsonLine } from '../../src/report/json.ts';
import type { Requirement } from '../../src/rules/criteria.ts';
import { judge } from '../../src/rules/judgement.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import {
  done,
  failed,
  healthyFacts,
  notTried,
  observationsOf,
  outsideFacts,
  portSample,
  silence,
  targetOf,
} from '../support/facts.ts';
import { cone, natFacts } from '../support/nat-facts.ts';
import { reportOf, reportOfScene } from '../support/report.ts';
import { scenes, type SceneName } from '../support/scenes.ts';

const file = 'report.json';

/** What the rules make of a saved text. */
function judgedAgain(text: string): ReturnType<typeof judge> {
  const { observations, criteria } = parseSavedReport(text, file);
  return judge(observations, {
    ...criteria,
    require: criteria.require as Requirement[] | null,
    now: new Date(criteria.now),
  });
}

/** The error that a text is refused with; fails when it is read, or fails otherwise. */
function refusal(text: string): RtcOpsError {
  try {
    parseSavedReport(text, file);
  } catch (error) {
    if (error instanceof RtcOpsError) return error;
    throw error;
  }
  throw new Error('it was read');
}

function changed(change: (report: Record<string, unknown>) => void): string {
  const report = JSON.parse(renderJson(reportOfScene('degraded'))) as Record<string, unknown>;
  change(report);
  return JSON.stringify(report);
}

describe('a saved report', () => {
  it.each(Object.keys(scenes) as SceneName[])('%s: has all its facts, and is judged as it was', (name) => {
    const report = reportOfScene(name);
    expect(parseSavedReport(renderJson(report), file).observations).toEqual(scenes[name].facts);
    expect(report).toMatchObject(judgedAgain(renderJson(report)));
  });

  it('is judged as it was, of any facts and criteria', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, criteria);
        expect(parseSavedReport(renderJsonLine(report), file).observations).toEqual(facts);
        expect(report).toMatchObject(judgedAgain(renderJsonLine(report)));
      }),
      { numRuns: 200 },
    );
  });

  it.each(Object.keys(scenes) as SceneName[])(
    '%s: is judged as it was by what was tried, where it does not say what was asked for',
    (name) => {
      const report = reportOfScene(name);
      const { asked: _, ...observations } = report.observations;
      expect(report).toMatchObject(judgedAgain(JSON.stringify({ ...report, observations })));
    },
  );

  it('tells what was asked for from what was tried, where it does not say it', () => {
    const silent = {
      ...outsideFacts({ direct: failed(silence), echo: failed(silence) }),
      url: 'udp://192.0.2.9:3479',
    };
    const facts = observationsOf(
      [
        healthyFacts(targetOf(), {
          outside: done(silent),
          ports: done({ ...portSample([49160]), wanted: 8 }),
        }),
        healthyFacts(targetOf('tcp'), { outside: notTried('no address'), ports: notTried('no permission') }),
      ],
      {
        controls: [healthyFacts(targetOf('udp', { scheme: 'stun', host: 'stun.example.net' }))],
        nat: [natFacts(cone, { lifetime: done({ aliveMs: 30_000, goneMs: 60_000 }) })],
      },
    );
    const tried = (change: (report: Report) => void = () => {}): Observations['asked'] => {
      const report = JSON.parse(renderJson(reportOf(facts))) as Report;
      Reflect.deleteProperty(report.observations, 'asked');
      change(report);
      return parseSavedReport(JSON.stringify(report), file).observations.asked;
    };
    expect(tried()).toEqual({
      callDurationMs: 3000,
      peer: 'udp://192.0.2.9:3479',
      ports: 8,
      nat: { lifetimeMs: 30_000 },
      controls: ['stun:stun.example.net'],
    });
    expect(
      tried(({ observations }) => Object.assign(observations, { callDurationMs: null, nat: null })),
    ).toMatchObject({
      callDurationMs: null,
      nat: null,
    });
    // Nothing tells the name of a peer that never came to be asked.
    expect(tried(({ targets }) => void (targets as unknown[]).shift())).toMatchObject({
      peer: '--peer',
      ports: 1,
    });
  });

  it('may begin with a byte order mark, and have keys that a later version adds', () => {
    const text = changed((report) => Object.assign(report, { added: [{ deep: {} }] }));
    expect(judgedAgain(`\ufeff${text}`).verdict).toBe('degraded');
  });
});

describe('what is no saved report is refused by name and place', () => {
  const whole = renderJson(reportOfScene('healthy'));

  it.each<[string, string, RegExp]>([
    ['nothing', '', /^report\.json is empty$/],
    ['a part', whole.slice(0, 1000), /^report\.json is not JSON: /],
    ['another text', '✔ healthy', /is not JSON/],
    ['a list', '[]', /is no report of rtc-ops:\n {2}it is no object$/],
    ['null', 'null', /is no report of rtc-ops/],
    [
      'another JSON',
      '{"name":"x"}',
      /is no report of rtc-ops:\n {2}schemaVersion: it is missing\n {2}tool: it is missing/,
    ],
    [
      'a newer one',
      changed((report) => (report['schemaVersion'] = 2)),
      /schemaVersion 2; this rtc-ops reads 1/,
    ],
    [
      'one of another command',
      changed((report) => (report['command'] = 'audit')),
      /of rtc-ops audit, not of rtc-ops probe/,
    ],
    ['one without facts', changed((report) => delete report['observations']), /\n {2}observations: /],
    ['depths', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /is no report of rtc-ops/],
  ])('%s', (_, text, told) => {
    const error = refusal(text);
    expect(error.message).toMatch(told);
    expect(error.exitCode).toBe(3);
  });

  it.each<[string, (report: Report) => void, RegExp]>([
    [
      'a target that commands a terminal',
      ({ targets: [target] }) => Object.assign(target ?? {}, { host: '\u001b]0;owned\u0007' }),
      /targets\[0\]\.host: must be a host name/,
    ],
    [
      'a name that is none',
      ({ observations: { names } }) => Object.assign(names[0] ?? {}, { host: 'a b' }),
      /observations\.names\[0\]\.host: must be a host name/,
    ],
    [
      'a list without an end',
      ({ targets: [target] }) =>
        Object.assign(target?.observations ?? {}, {
          redirects: Array.from({ length: 10_001 }, () => ({ address: '192.0.2.1', port: 1 })),
        }),
      /redirects: it is too much, at most/,
    ],
    [
      'a call with more than two directions',
      ({ targets: [target] }) => {
        const call = target?.observations.call;
        if (call?.state !== 'done') throw new Error('the scene has no call');
        Object.assign(call.value, { audio: Array(3).fill(call.value.audio[0]) });
      },
      /call\.value\.audio: it is too much, at most/,
    ],
  ])('%s', (_, change, told) => {
    const report = JSON.parse(whole) as Report;
    change(report);
    expect(refusal(JSON.stringify(report)).message).toMatch(told);
  });

  it('several on a line each, with a way to take one', () => {
    const line = renderJsonLine(reportOfScene('healthy'));
    expect(refusal(line + line).hint).toContain('tail -n 1');
  });

  it('one with many faults, in a few lines that are safe to print', () => {
    const text = changed((report) => {
      report['targets'] = Array.from({ length: 50 }, () => ({ '\u001b[31m': 1 }));
      report['criteria'] = { '\u0007': 1 };
    });
    const { message } = refusal(text);
    expect(message.split('\n').length).toBeLessThan(9);
    for (const control of ['\u0007', '\u001b']) expect(message).not.toContain(control);
    expect(message).toMatch(/and \d+ more$/);
  });

  it('keys that would reach a prototype are keys like others', () => {
    const text = whole.replace('"observations": {', '"observations": {"__proto__": {"polluted": 1},');
    expect(judgedAgain(text).verdict).toBe('healthy');
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('anything else within it: it is judged, or refused, and no rule breaks on it', () => {
    const odd = fc.constantFrom<unknown>(
      null,
      -1,
      1e300,
      '',
      '\ud800',
      'constructor',
      [],
      {},
      true,
      '999.1.1.1',
      0.5,
    );
    fc.assert(
      fc.property(
        fc.constantFrom<SceneName[]>('degraded', 'server-stopped', 'ipv6-call'),
        fc.nat(),
        odd,
        (name, seed, value) => {
          const report = JSON.parse(renderJson(reportOfScene(name))) as Report;
          const places = placesIn([report.targets, report.observations, report.criteria]);
          const [holder, key] = places[seed % places.length] ?? [{}, ''];
          holder[key] = value;
          try {
            judgedAgain(JSON.stringify(report));
          } catch (error) {
            if (!(error instanceof RtcOpsError)) throw error;
            expect(error.message).toMatch(/^report\.json is no whole report:\n {2}\w/);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

type Place = [Record<string, unknown>, string];

/** Every value within plain data, as the object that holds it and its key there. */
function placesIn(data: unknown): Place[] {
  if (typeof data !== 'object' || data === null) return [];
  const holder = data as Record<string, unknown>;
  return Object.keys(holder).flatMap((key): Place[] => [[holder, key], ...placesIn(holder[key])]);
}
