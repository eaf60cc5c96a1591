import { fileURLToPath } from 'node:url';
import stringWidth from 'string-width';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import type { Report } from '../../src/model/report.ts';
import { renderHuman } from '../../src/report/human.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import {
  deadFacts,
  failed,
  healthyFacts,
  observationsOf,
  silence,
  stunError,
  systemError,
  targetOf,
  threeTargets,
} from '../support/facts.ts';
import { faultCodes, faults } from '../support/faults.ts';
import { reportOf, reportOfScene } from '../support/report.ts';
import { scenes, type SceneName } from '../support/scenes.ts';

// Compared letter by letter, and read by a person; `npx vitest run test/report -u` writes them anew.
function golden(name: string): string {
  return fileURLToPath(new URL(`golden/${name}.txt`, import.meta.url));
}

function shown(report: Report, options: { color?: boolean; columns?: number } = {}): string {
  return renderHuman(report, { color: false, columns: 80, ...options });
}

function uncolored(text: string): string {
  // oxlint-disable-next-line no-control-regex -- the escape character is what is looked for
  return text.replaceAll(/\u001b\[\d+m/g, '');
}

/** What is to be pasted: it stands in one line, however long that is. */
function pastesOf({ findings }: Report): string[] {
  return (
    findings
      // The fix of an effect is that of its cause.
      .filter(({ severity, causedBy }) => severity !== 'info' && causedBy === null)
      .flatMap(({ fix }) => [...fix.matchAll(/^\S.*?: {2}(.+)$/gm)].map(([, text = '']) => text))
  );
}

/** Lines that are wider than `columns` and hold nothing to paste. */
function tooWide(report: Report, columns: number): string[] {
  const pastes = pastesOf(report);
  return shown(report, { columns })
    .split('\n')
    .filter((line) => stringWidth(line) > columns && !pastes.includes(line.trim()));
}

const names = Object.keys(scenes) as SceneName[];

describe('the report for a person', () => {
  it.each(names)('%s', async (name) => {
    await expect(shown(reportOfScene(name))).toMatchFileSnapshot(golden(name));
  });

  it.each([
    ['healthy', 60],
    ['broken', 60],
    ['broken', 120],
    ['many', 60],
  ] as const)('%s in %d columns', async (name, columns) => {
    await expect(shown(reportOfScene(name), { columns })).toMatchFileSnapshot(golden(`${name}-${columns}`));
  });

  it.each(['healthy', 'degraded', 'broken', 'unknown'] as const)('%s, in colour', async (name) => {
    await expect(shown(reportOfScene(name), { color: true })).toMatchFileSnapshot(golden(`${name}-color`));
  });
});

describe('every report', () => {
  it.each(names)('%s says the same in colour as without', (name) => {
    const report = reportOfScene(name);
    expect(uncolored(shown(report, { color: true }))).toBe(shown(report));
  });

  it.each(names)('%s begins with its verdict and ends with its figures', (name) => {
    const report = reportOfScene(name);
    const lines = shown(report).trimEnd().split('\n');
    expect(lines[0]).toMatch(new RegExp(`^[✔!✖?] ${report.verdict} {3}\\S`));
    expect(lines.at(-1)).toMatch(/^ {2}\d+ checks: \d+ passed.*, \d+\.\d s$/);
  });

  it.each(['healthy', 'broken', 'unknown', 'same-host', 'ipv6-call', 'refused-credential'] as const)(
    '%s fits into a screen',
    (name) => {
      expect(shown(reportOfScene(name)).trimEnd().split('\n').length).toBeLessThanOrEqual(40);
    },
  );

  it('keeps its width, but for what is to be pasted', () => {
    for (const columns of [60, 80, 100]) {
      for (const name of names) expect(tooWide(reportOfScene(name), columns)).toEqual([]);
      for (const code of faultCodes) {
        const { facts, criteria = {} } = faults[code];
        expect(tooWide(reportOf(facts, criteria), columns)).toEqual([]);
      }
    }
  });

  it('is drawn neither narrower than 60 columns nor wider than 100', () => {
    const report = reportOfScene('degraded');
    expect(shown(report, { columns: 10 })).toBe(shown(report, { columns: 60 }));
    expect(shown(report, { columns: 250 })).toBe(shown(report, { columns: 100 }));
  });

  it.each(faultCodes)('tells %s: title, code, and its fix in lines that can be pasted', (code) => {
    const { facts, criteria = {} } = faults[code];
    const report = reportOf(facts, criteria);
    const text = shown(report);
    expect(text).toContain(code);
    const lines = text.split('\n').map((line) => line.trimEnd());
    for (const paste of pastesOf(report)) {
      expect(lines.some((line) => line.endsWith(` ${paste}`))).toBe(true);
    }
    const { title, severity } = report.findings[0] ?? {};
    if (severity !== 'info') expect(text.replaceAll(/\s+/g, ' ')).toContain(title);
  });

  it('is drawn of any facts, with every check that is not known', () => {
    fc.assert(
      fc.property(
        arbitraryObservations,
        arbitraryCriteria,
        fc.constantFrom(60, 80),
        (facts, criteria, columns) => {
          const report = reportOf(facts, criteria);
          expect(tooWide(report, columns)).toEqual([]);
          const text = shown(report, { columns }).replaceAll(/\s+/g, ' ');
          expect(text).not.toMatch(/undefined|NaN|\[object/);
          for (const { checks } of report.targets) {
            for (const { status, because } of checks) {
              if (status === 'unknown') expect(text).toContain(because);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('survives a host name as long as they get', () => {
    const host = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(57)}`;
    const targets = threeTargets({ host });
    const dead = targets.map((target) => deadFacts(target, 'connect', silence));
    expect(tooWide(reportOf(observationsOf(dead)), 80)).toEqual([]);
    expect(tooWide(reportOf(observationsOf(targets.map((target) => healthyFacts(target)))), 80)).toEqual([]);
  });
});

describe('marks', () => {
  it('a check that fails with a warning is marked as a warning', () => {
    const { facts } = faults.TLS_CERT_EXPIRES_SOON;
    expect(shown(reportOf(facts))).toMatch(/certificate +! ends soon\n/);
    expect(shown(reportOf(faults.TLS_CERT_EXPIRED.facts))).toMatch(/certificate +✖ expired\n/);
  });

  it('what is not known is never shown as passed', () => {
    const text = shown(reportOfScene('unknown'));
    expect(text).not.toMatch(/allocation +✔|call +✔/);
    expect(text).toMatch(/\? no credentials were given \(not known: allocation/);
  });

  // A check that is added and gets no row would be missed here.
  it.each(reportOfScene('healthy').targets[2]?.checks.map(({ id }) => id) ?? [])(
    '%s: why it is not known',
    (id) => {
      const report = reportOfScene('healthy');
      const targets = report.targets.map((target) => ({
        ...target,
        checks: target.checks.map((check) =>
          check.id === id ? { ...check, status: 'unknown' as const, because: `no word of ${id}` } : check,
        ),
      }));
      expect(shown({ ...report, targets })).toContain(`no word of ${id}`);
    },
  );

  it.each<[string, TargetFacts, RegExp]>([
    ['silence', deadFacts(targetOf('udp'), 'binding', silence), /✖ silent\n/],
    [
      'what the network said',
      deadFacts(targetOf('udp'), 'binding', systemError('EHOSTUNREACH')),
      /✖ unreachable\n/,
    ],
    ['a refused Binding', healthyFacts(targetOf('udp'), { binding: failed(stunError(401)) }), /! refused\n/],
    ['no Binding', healthyFacts(targetOf('udp'), { binding: failed(silence) }), /! no answer\n/],
  ])('a cell tells %s in its own word', (_what, facts, word) => {
    const text = shown(reportOf(observationsOf([facts])));
    expect(/listener · STUN binding .*\n/.exec(text)?.[0]).toMatch(word);
  });

  it('the call is shown as poor by its quality, not by its connection', () => {
    expect(shown(reportOf(faults.MOS_LOW.facts))).toMatch(/call through the relay +! poor\n/);
    expect(shown(reportOf(faults.AUDIO_SILENT.facts))).toMatch(/call through the relay +✖ silent\n/);
    expect(shown(reportOf(faults.OWN_RELAY_DENIED.facts))).toMatch(/call through the relay +✖ denied\n/);
  });
});

it('lets nothing in a report command the terminal', () => {
  const evil = 'turn.example\u001b[2J\u009b31m\u202e.com\n::error::';
  const target = targetOf('udp', { host: evil });
  const facts = observationsOf([
    deadFacts(target, 'binding', { kind: 'system', code: 'EODD', message: evil }),
  ]);
  const text = shown(reportOf(facts));
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/);
  expect(text).not.toMatch(/^::error::/m);
});

describe('many servers', () => {
  function servers(count: number, dead: number): Report {
    const facts = Array.from({ length: count }, (_, index) => {
      const target = targetOf('udp', { host: `t${index}.example`, address: `10.0.0.${index}` });
      return index < dead ? deadFacts(target, 'binding', silence) : healthyFacts(target);
    });
    return reportOf(observationsOf(facts));
  }

  it('of one fault are told once, with the names of the others', () => {
    const text = shown(servers(30, 25));
    expect(text.match(/SERVER_UNREACHABLE/g)).toHaveLength(1);
    expect(text).toMatch(/Also +t1\.example 10\.0\.0\.1, t2\.example/);
    expect(text).toContain('and 14 more');
    expect(text.split('\n').length).toBeLessThan(60);
  });

  it('of which one is wrong at every listener: the others are named by that', () => {
    const text = shown(reportOfScene('stun-without-turn'));
    expect(text.match(/NOT_A_TURN_SERVER/g)).toHaveLength(1);
    expect(text).toMatch(/Also +TCP 3478, TLS 5349\n/);
  });

  it('two of one fault are both told in full', () => {
    expect(shown(servers(3, 2)).match(/SERVER_UNREACHABLE/g)).toHaveLength(2);
  });

  it('in order are told in one line', () => {
    const text = shown(servers(200, 0));
    expect(text).toContain('200 addresses');
    expect(text).toContain('✔ all passed all that was tested');
    expect(text.split('\n').length).toBeLessThan(12);
  });
});
