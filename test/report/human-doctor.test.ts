import { describe, expect, it } from 'vitest';
import type { ClientNetworkFacts } from '../../src/model/client-network.ts';
import type { DoctorReport, Symptom } from '../../src/model/doctor-report.ts';
import { catalog, finding, type Finding, type FindingCode } from '../../src/model/finding.ts';
import type { Observations } from '../../src/model/observations.ts';
import { renderDoctorHuman } from '../../src/report/human-doctor.ts';
import { networkLines } from '../../src/rules/doctor/client-network.ts';
import { diagnose } from '../../src/rules/doctor/diagnosis.ts';
import {
  deadFacts,
  healthyFacts,
  observationsOf,
  refusal,
  serverAddress,
  targetOf,
} from '../support/facts.ts';
import { faults } from '../support/faults.ts';
import { golden, hostile } from '../support/golden.ts';
import { reportOf } from '../support/report.ts';

const network: ClientNetworkFacts = {
  connectivity: { state: 'unknown', because: 'NetworkManager is not installed here' },
  web: { state: 'unknown', because: 'the server itself answered' },
};

function example<C extends FindingCode>(code: C, overrides: object = {}): Finding {
  return finding(code, { ...catalog[code].example, ...overrides });
}

function reportWith(
  server: readonly Finding[] | null,
  facts: Observations,
  symptom: Symptom | null = null,
): DoctorReport {
  const probe = reportOf(facts);
  const left = {
    what: 'the server itself',
    because: 'it was looked at from here only',
    how: null,
    isRequired: false,
  };
  return {
    schemaVersion: 1,
    tool: { name: 'rtc-ops', version: '1.2.3' },
    command: 'doctor',
    startedAt: '2026-06-01T12:00:00.000Z',
    durationMs: 4200,
    ...diagnose({
      server:
        server === null
          ? null
          : {
              name: 'root@turn.example.com',
              addresses: [serverAddress],
              findings: server,
              notExamined: [],
              starter: null,
            },
      client: { probe, network: [] },
      application: [],
      leftOut: server === null ? [left] : [],
      symptom,
      failOn: 'error',
    }),
    client: { network: networkLines(facts, null, network), networkFacts: network, probe },
    server: null,
    witness: null,
  };
}

const all = [targetOf('udp'), targetOf('tcp'), targetOf('tls')];
const healthy = observationsOf(all.map((target) => healthyFacts(target)));
const plain = { color: false, columns: 80, all: false };

const scenes: Readonly<Record<string, DoctorReport>> = {
  healthy: reportWith(null, healthy),
  'both-sides': reportWith(
    [
      example('FIREWALL_BLOCKS_RELAY'),
      example('WEAK_SECRET'),
      example('NO_QUOTAS'),
      example('LOG_PEERS_SILENT'),
    ],
    faults.RELAY_PORTS_BLOCKED.facts,
    'one-way',
  ),
  degraded: reportWith(
    [example('TLS_FILE_UNREADABLE'), example('LISTENER_MISSING'), example('LOG_CERTIFICATE_MISSING')],
    observationsOf([
      ...all.slice(0, 2).map((target) => healthyFacts(target)),
      deadFacts(targetOf('tls'), 'connect', refusal),
    ]),
    'drops-after',
  ),
};

describe.each(Object.keys(scenes))('%s', (name) => {
  const report = scenes[name] as DoctorReport;

  it('reads as it should', async () => {
    await expect(renderDoctorHuman(report, plain)).toMatchFileSnapshot(golden(`doctor-${name}.txt`));
  });

  it.each([60, 80, 120])('fits %d columns', (columns) => {
    for (const shown of [false, true]) {
      const text = renderDoctorHuman(report, { ...plain, columns, all: shown });
      const prose = text.split('\n').filter((line) => !/sudo |:  /.test(line));
      for (const line of prose) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });

  it('names every finding, with or without --all', () => {
    for (const shown of [false, true]) {
      const text = renderDoctorHuman(report, { ...plain, all: shown });
      for (const { code } of report.findings) expect(text).toContain(code);
    }
  });
});

it('tells in full what less urgent things are with --all, and every check', () => {
  const report = scenes['both-sides'] as DoctorReport;
  const brief = renderDoctorHuman(report, plain);
  expect(brief).not.toContain(catalog.WEAK_SECRET.cause(catalog.WEAK_SECRET.example).slice(0, 30));
  const full = renderDoctorHuman(report, { ...plain, all: true });
  expect(full).toContain(catalog.WEAK_SECRET.cause(catalog.WEAK_SECRET.example).slice(0, 30));
  expect(full).toContain('relay, in');
});

it('obeys no text of a server', () => {
  const report = reportWith([example('LOG_BIND_FAILED', { line: hostile, details: [hostile] })], healthy);
  const text = renderDoctorHuman({ ...report, headline: hostile }, { ...plain, all: true });
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});
