import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkIds } from '../../src/model/check.ts';
import type { Report } from '../../src/model/report.ts';
import { renderJson, renderJsonLine } from '../../src/report/json.ts';
import { judge } from '../../src/rules/judgement.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import {
  bothWays,
  callFacts,
  criteriaWith,
  done,
  healthyFacts,
  noConnection,
  observationsOf,
  targetOf,
} from '../support/facts.ts';
import { reportOf, reportOfScene } from '../support/report.ts';
import { scenes, type Scene, type SceneName } from '../support/scenes.ts';

function read(report: Report): Record<string, unknown> {
  return JSON.parse(renderJson(report)) as Record<string, unknown>;
}

describe('the JSON report', () => {
  it.each(Object.keys(scenes) as SceneName[])('%s: reads back as it was', (name) => {
    const report = reportOfScene(name);
    expect(read(report)).toEqual(report);
    expect(renderJson(report)).toMatch(/^\{\n {2}"schemaVersion": 1,[^]*\n\}\n$/);
  });

  it('reads back as it was, of any facts', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, criteria);
        expect(read(report)).toEqual(report);
      }),
      { numRuns: 60 },
    );
  });

  it('is ASCII where a terminal would obey or show another text, and reads back as it was', () => {
    const headline = 'a\u001b[2J\u009b31m\u202e\u2066\u2028\u2029\u007f größer';
    const report = { ...reportOfScene('healthy'), headline };
    for (const text of [renderJson(report), renderJsonLine(report)]) {
      // eslint-disable-next-line no-control-regex
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
      expect(text).toContain('größer');
      expect(JSON.parse(text)).toMatchObject({ headline });
    }
  });

  // Scripts rely on these: none may go, or mean something else, without a new schemaVersion.
  it('has the keys that are public', () => {
    const report = read(reportOfScene('broken'));
    expect(report).toMatchObject({
      schemaVersion: 1,
      tool: { name: 'rtc-ops', version: '1.2.3' },
      command: 'probe',
      startedAt: '2026-06-01T12:00:00.000Z',
      durationMs: 3412,
      verdict: 'broken',
      exitCode: 1,
      vantage: { kind: 'off-link', because: '198.51.100.20, behind NAT' },
      checks: [{ id: 'dns-resolves', title: 'the name resolves', status: 'passed' }],
    });
    const [target] = report['targets'] as Record<string, unknown>[];
    expect(target).toMatchObject({
      url: 'turn:turn.example.com',
      address: '203.0.113.10',
      family: 4,
      transport: 'udp',
      observations: { binding: { state: 'done' } },
    });
    const checks = target?.['checks'] as Record<string, unknown>[];
    expect(checks.find(({ id }) => id === 'turn-allocate')).toEqual({
      id: 'turn-allocate',
      title: 'an allocation is granted',
      status: 'passed',
      because: null,
      detail: '24 ms',
      durationMs: 10,
      required: true,
      findings: [],
      severity: null,
    });
    expect(checks.find(({ id }) => id === 'relay-address')).toMatchObject({
      status: 'failed',
      findings: ['RELAY_ADDRESS_PRIVATE'],
      severity: 'error',
    });
    expect((report['findings'] as unknown[])[0]).toEqual({
      code: 'RELAY_ADDRESS_PRIVATE',
      severity: 'error',
      title: 'The relay address is private',
      cause: expect.any(String) as string,
      proof: 'Allocate over udp returned 172.16.0.10:49341.',
      fix: '/etc/turnserver.conf:  external-ip=203.0.113.10/172.16.0.10\non the server:  sudo systemctl restart coturn',
      evidence: expect.objectContaining({
        host: 'turn.example.com',
        relayedAddress: '172.16.0.10',
      }) as object,
      targets: [
        'turn:turn.example.com',
        'turn:turn.example.com?transport=tcp',
        'turns:turn.example.com?transport=tcp',
      ],
      subject: { kind: 'server', host: 'turn.example.com', address: '203.0.113.10' },
      causedBy: null,
    });
  });

  it('has one entry for each call, and the worst of them', () => {
    const report = reportOfScene('degraded');
    expect(report.calls).toHaveLength(3);
    expect(report.call).toEqual(report.calls[0]);
    expect(report.call).toEqual({
      transport: 'udp',
      target: 'turn:turn.example.com',
      address: '203.0.113.10',
      connectMs: 182,
      selectedPair: { local: 'relay', remote: 'relay' },
      audio: { sent: 300, received: 286, lossRatio: 0.047, jitterMs: 0.6, rttMs: 42, mos: 3.4 },
    });
    expect(reportOfScene('unknown')).toMatchObject({ call: null, calls: [] });
    const calls = (...scores: readonly (number | null)[]): Report =>
      reportOf(
        observationsOf(
          scores.map((mos, index) =>
            healthyFacts(targetOf('udp', { port: 3478 + index }), {
              call: done(mos === null ? noConnection(null) : callFacts({ audio: bothWays({ mos }) })),
            }),
          ),
        ),
      );
    expect(calls(4.4, 4.1, 4.2).call).toMatchObject({ audio: { mos: 4.1 } });
    expect(calls(4.4, null, 4.2).call).toMatchObject({ connectMs: null });
    // A call that did not connect is worse than any that did.
    expect(reportOfScene('broken').call).toMatchObject({ connectMs: null, selectedPair: null, audio: null });
  });

  it('names checks of the catalog, each once for a target', () => {
    for (const name of Object.keys(scenes) as SceneName[]) {
      for (const { checks } of reportOfScene(name).targets) {
        const ids = checks.map(({ id }) => id);
        expect(new Set(ids).size).toBe(ids.length);
        for (const id of ids) expect(checkIds).toContain(id);
      }
    }
  });

  it('holds all that it takes to judge it again', () => {
    for (const name of Object.keys(scenes) as SceneName[]) {
      const report = reportOfScene(name);
      const saved = JSON.parse(renderJson(report)) as Report;
      const facts = {
        ...saved.observations,
        startedAt: saved.startedAt,
        durationMs: saved.durationMs,
        targets: saved.targets.map(({ checks: _checks, observations, ...target }) => ({
          target,
          ...observations,
        })),
      };
      const criteria = criteriaWith((scenes[name] as Scene).criteria);
      expect(judge(facts, criteria)).toMatchObject({ verdict: report.verdict, findings: report.findings });
    }
  });
});
