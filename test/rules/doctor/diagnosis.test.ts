import { describe, expect, it } from 'vitest';
import type { NotExamined } from '../../../src/model/doctor-report.ts';
import {
  catalog,
  finding,
  type Finding,
  type FindingCode,
  type FindingOptions,
} from '../../../src/model/finding.ts';
import type { Observations } from '../../../src/model/observations.ts';
import type { Report } from '../../../src/model/report.ts';
import { diagnose, type Diagnosis, type DoctorQuestion } from '../../../src/rules/doctor/diagnosis.ts';
import type { UnseenThing } from '../../../src/rules/doctor/server.ts';
import {
  deadFacts,
  failed,
  healthyFacts,
  observationsOf,
  refusal,
  serverAddress,
  silence,
  targetOf,
} from '../../support/facts.ts';
import { faults } from '../../support/faults.ts';
import { reportOf } from '../../support/report.ts';

function example<C extends FindingCode>(
  code: C,
  overrides: object = {},
  options: FindingOptions = {},
): Finding {
  return finding(code, { ...catalog[code].example, ...overrides }, options);
}

interface Given {
  readonly server?: readonly Finding[];
  readonly addresses?: readonly string[];
  readonly notExamined?: readonly UnseenThing[];
  readonly probe?: Observations | Report;
  readonly network?: readonly Finding[];
  readonly symptom?: DoctorQuestion['symptom'];
  readonly application?: readonly Finding[];
  readonly leftOut?: readonly NotExamined[];
  readonly failOn?: 'error' | 'warning';
}

function diagnosisOf(given: Given): Diagnosis {
  const { server, addresses = [serverAddress], notExamined = [], probe, network = [] } = given;
  return diagnose({
    server:
      server === undefined
        ? null
        : { name: 'root@turn.example.com', addresses, findings: server, notExamined, starter: null },
    client: probe === undefined ? null : { probe: 'verdict' in probe ? probe : reportOf(probe), network },
    application: given.application ?? [],
    leftOut: given.leftOut ?? [],
    symptom: given.symptom ?? null,
    failOn: given.failOn ?? 'error',
  });
}

/** `ROOT > EFFECT > EFFECT`, for each tree. */
function treesOf({ findings }: Diagnosis): string[] {
  const path = (id: number): string => {
    const each = findings.find((one) => one.id === id);
    return each === undefined
      ? ''
      : [...findings.filter(({ causeId }) => causeId === id).map((one) => path(one.id))].reduce(
          (text, below) => `${text} > ${below}`,
          each.code as string,
        );
  };
  return findings.filter(({ causeId }) => causeId === null).map(({ id }) => path(id));
}

const [udp, tcp, tls] = [targetOf('udp'), targetOf('tcp'), targetOf('tls')];
const allHealthy = observationsOf([healthyFacts(udp), healthyFacts(tcp), healthyFacts(tls)]);
const tlsRefused = observationsOf([healthyFacts(udp), healthyFacts(tcp), deadFacts(tls, 'connect', refusal)]);
const relayShut = faults.RELAY_PORTS_BLOCKED.facts;

describe('from here alone', () => {
  it('finds nothing wrong with a healthy service', () => {
    const diagnosis = diagnosisOf({ probe: allHealthy });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', exitCode: 0, findings: [], notExamined: [] });
    expect(diagnosis.headline).toBe('audio flows through the relay over udp, tcp and tls');
  });

  it.each(Object.entries(faults))(
    '%s keeps its verdict, and has a headline',
    (code, { facts, criteria, verdict }) => {
      const probe = reportOf(facts, criteria);
      const diagnosis = diagnosisOf({ probe });
      expect(diagnosis.verdict).toBe(verdict);
      expect(diagnosis.findings.map((each) => each.code)).toContain(code);
      expect(diagnosis.headline).toMatch(/^\S.*\S$/);
      expect(diagnosis.headline).not.toMatch(/undefined|null/);
      // Root causes lead, and what is only worth a word never does.
      if (verdict === 'broken') expect(diagnosis.headline).toContain(diagnosis.findings[0]?.title);
    },
  );

  it('says what users feel beside what is wrong', () => {
    expect(diagnosisOf({ probe: relayShut }).headline).toMatch(
      /: users who need the relay will hear nothing$/,
    );
    // Whom it is open to is in what is wrong.
    expect(diagnosisOf({ probe: faults.ANONYMOUS_RELAY.facts }).headline).toBe(
      'turn.example.com relays for anyone',
    );
  });
});

describe('what the network here hides', () => {
  const portal = example('CAPTIVE_PORTAL');
  const dead = observationsOf([
    deadFacts(udp, 'binding', silence),
    deadFacts(tcp, 'connect', silence),
    deadFacts(tls, 'connect', silence),
  ]);

  it('is the cause, and says nothing about the server', () => {
    const diagnosis = diagnosisOf({ probe: dead, network: [portal] });
    expect(treesOf(diagnosis)).toEqual(['CAPTIVE_PORTAL > SERVER_UNREACHABLE']);
    expect(diagnosis).toMatchObject({ verdict: 'unknown', exitCode: 1 });
    expect(diagnosis.headline).toContain('so nothing is known about the server');
  });

  it('hides nothing that is seen on the server itself', () => {
    const diagnosis = diagnosisOf({
      probe: dead,
      network: [portal],
      server: [example('FIREWALL_BLOCKS_RELAY')],
    });
    expect(diagnosis.findings.map(({ code }) => code)).toContain('FIREWALL_BLOCKS_RELAY');
    expect(diagnosis.verdict).toBe('broken');
  });
});

describe('both sides', () => {
  it('fold what a probe sees under what the server shows, whatever either is called by', () => {
    const key = example('TLS_FILE_UNREADABLE');
    const missing = example('LISTENER_MISSING', { host: 'one' });
    const logged = example('LOG_CERTIFICATE_MISSING');
    const diagnosis = diagnosisOf({ server: [missing, logged, key], probe: tlsRefused });
    const [root, ...effects] = diagnosis.findings;
    expect(root).toMatchObject({ code: 'TLS_FILE_UNREADABLE', causeId: null, seenFrom: ['server'] });
    expect(effects.map(({ code }) => code).toSorted()).toEqual([
      'LISTENER_MISSING',
      'LOG_CERTIFICATE_MISSING',
      'TCP_REFUSED',
    ]);
    expect(effects.every(({ causeId }) => causeId !== null)).toBe(true);
    expect(diagnosis.verdict).toBe('degraded');
    expect(diagnosis.headline).toBe(`${root?.title}: works over udp and tcp, not over tls`);
  });

  it('take the firewall of the server for the cause of relay ports that are shut', () => {
    const diagnosis = diagnosisOf({
      server: [example('FIREWALL_BLOCKS_RELAY'), example('LOG_PEERS_SILENT')],
      probe: relayShut,
    });
    expect(diagnosis.findings.filter(({ causeId }) => causeId === null).map(({ code }) => code)).toEqual([
      'FIREWALL_BLOCKS_RELAY',
    ]);
    expect(diagnosis.headline).toBe(
      'The firewall of turn.example.com blocks the relay ports: users who need the relay will hear nothing',
    );
  });

  it('blame no other server for it', () => {
    const elsewhere = { addresses: ['192.0.2.77', serverAddress] };
    const other = targetOf('tls', { host: 'other.example.com', address: '192.0.2.99' });
    const probe = observationsOf([healthyFacts(udp), deadFacts(other, 'connect', refusal)]);
    const diagnosis = diagnosisOf({ ...elsewhere, server: [example('TLS_FILE_UNREADABLE')], probe });
    expect(treesOf(diagnosis).toSorted()).toEqual(['TCP_REFUSED', 'TLS_FILE_UNREADABLE']);
  });

  it('are one server where its address is known to neither', () => {
    const diagnosis = diagnosisOf({
      addresses: ['10.0.0.5'],
      server: [example('FIREWALL_BLOCKS_RELAY')],
      probe: relayShut,
    });
    expect(diagnosis.findings.filter(({ causeId }) => causeId === null)).toHaveLength(1);
  });

  it('say one fault once, in the words of the server', () => {
    const seen = faults.TLS_CERT_EXPIRED.facts;
    const own = example('TLS_CERT_EXPIRED', { host: 'one', serial: '04A1' });
    const diagnosis = diagnosisOf({ server: [own], probe: seen });
    expect(diagnosis.findings).toHaveLength(1);
    expect(diagnosis.findings[0]).toMatchObject({
      seenFrom: ['server', 'client'],
      evidence: { host: 'one' },
    });
  });

  it('say at which end of the way packets are lost', () => {
    const dead = observationsOf([healthyFacts(tcp), deadFacts(udp, 'binding', silence)]);
    const dropped = example('DROPPED_AT_HOST');
    const before = example('LOST_BEFORE_HOST');
    const rule = example('FIREWALL_BLOCKS_LISTENER', { protocol: 'udp', ports: ['3478'] });
    expect(treesOf(diagnosisOf({ server: [dropped, rule], probe: dead }))).toEqual([
      'FIREWALL_BLOCKS_LISTENER > DROPPED_AT_HOST > UDP_BLOCKED',
    ]);
    expect(treesOf(diagnosisOf({ server: [before], probe: dead }))).toEqual([
      'LOST_BEFORE_HOST > UDP_BLOCKED',
    ]);
    // What is lost on the way to the relay ports says nothing of a listener, nor the other way round.
    const ofRelay = example('LOST_BEFORE_HOST', { isRelay: true, places: ['UDP 49160'] });
    expect(treesOf(diagnosisOf({ server: [ofRelay], probe: dead })).toSorted()).toEqual([
      'LOST_BEFORE_HOST',
      'UDP_BLOCKED',
    ]);
    expect(treesOf(diagnosisOf({ server: [ofRelay, rule], probe: relayShut }))).toContain(
      'LOST_BEFORE_HOST > RELAY_PORTS_BLOCKED',
    );
  });

  it('fold what fails at an address of another machine under the name that leads there', () => {
    const other = targetOf('udp', { host: 'turn.example.com', address: '192.0.2.99' });
    const probe = observationsOf([healthyFacts(tcp), deadFacts(other, 'binding', silence)]);
    const at = { host: 'turn.example.com', address: '192.0.2.99' };
    const server = [example('NAME_LEADS_ELSEWHERE', at), example('LOST_BEFORE_HOST', at)];
    const roots = diagnosisOf({ server, probe }).findings.filter(({ causeId }) => causeId === null);
    expect(roots.map(({ code }) => code)).toEqual(['NAME_LEADS_ELSEWHERE']);
  });

  it('put first what users feel, and last what only makes it safer', () => {
    const server = [
      example('WEAK_SECRET'),
      example('LOG_CREDENTIALS_WRONG'),
      example('VERSION_EXPOSED'),
      example('FIREWALL_BLOCKS_RELAY'),
      example('LOG_SERVER_RESTARTED'),
      example('NO_QUOTAS'),
    ];
    const roots = diagnosisOf({ server, probe: relayShut }).findings.filter(
      ({ causeId }) => causeId === null,
    );
    expect(roots.map(({ code }) => code).slice(0, 4)).toEqual([
      'FIREWALL_BLOCKS_RELAY',
      'LOG_CREDENTIALS_WRONG',
      'WEAK_SECRET',
      'LOG_SERVER_RESTARTED',
    ]);
    expect(roots.filter(({ isHardening }) => isHardening).map(({ code }) => code)).toEqual([
      'WEAK_SECRET',
      'VERSION_EXPOSED',
      'NO_QUOTAS',
    ]);
  });

  it('put what keeps everybody out before what shuts one of several ways in', () => {
    const refused = faults.CREDENTIAL_SECRET_MISMATCH.facts;
    const probe = {
      ...refused,
      targets: [
        ...refused.targets.flatMap((each) => [each, { ...each, target: tcp }]),
        deadFacts(tls, 'connect', silence),
      ],
    };
    const server = [example('FIREWALL_BLOCKS_LISTENER', { protocol: 'tcp', ports: ['5349'] })];
    expect(treesOf(diagnosisOf({ server, probe }))).toEqual([
      'CREDENTIAL_SECRET_MISMATCH',
      'FIREWALL_BLOCKS_LISTENER > PORT_BLOCKED',
    ]);
  });

  it('make a cause as grave as what it leads to', () => {
    const few = example('RELAY_PORTS_FEW');
    const diagnosis = diagnosisOf({ server: [few], probe: faults.RELAY_CAPACITY_EXHAUSTED.facts });
    expect(diagnosis.findings[0]).toMatchObject({ code: 'RELAY_PORTS_FEW', severity: 'error' });
    expect(treesOf(diagnosis)).toEqual(['RELAY_PORTS_FEW > RELAY_CAPACITY_EXHAUSTED']);
  });

  it('give the same for the same, in whatever order it was found', () => {
    const server = [
      example('LOG_PEERS_SILENT'),
      example('FIREWALL_BLOCKS_RELAY'),
      example('NO_QUOTAS'),
      example('WEAK_SECRET'),
    ];
    const one = diagnosisOf({ server, probe: relayShut });
    expect(diagnosisOf({ server: server.toReversed(), probe: relayShut })).toEqual(one);
  });
});

describe('the fix', () => {
  const fixOf = (server: readonly Finding[], probe?: Observations): string | undefined =>
    diagnosisOf({ server, ...(probe === undefined ? {} : { probe }) }).findings[0]?.fix;

  it('of a line of the configuration has it read again', () => {
    expect(fixOf([example('DENIED_RANGE_CIDR')])).toMatch(
      /denied-peer-ip=.*\non the server: {2}sudo systemctl restart coturn$/,
    );
    expect(fixOf([example('TLS_FILE_EXPIRED')])).not.toContain('restart');
  });

  it('has the address at which clients are served, where that is known', () => {
    expect(fixOf([example('EXTERNAL_IP_MISSING')])).toContain('external-ip=PUBLIC/172.16.0.10');
    expect(fixOf([example('EXTERNAL_IP_MISSING')], allHealthy)).toContain(
      `external-ip=${serverAddress}/172.16.0.10`,
    );
  });
});

describe('healthy', () => {
  it('needs all that was asked for to be known', () => {
    const notExamined = [{ what: 'the log', because: 'it cannot be read without root', isRequired: true }];
    const diagnosis = diagnosisOf({ server: [], notExamined, probe: allHealthy });
    expect(diagnosis).toMatchObject({
      verdict: 'unknown',
      exitCode: 1,
      headline: 'it cannot be read without root',
    });
    expect(diagnosis.notExamined).toEqual([{ ...notExamined[0], how: null }]);
  });

  it('does not need what a probe from another network has shown to work', () => {
    const hidden = { what: 'its ports', because: 'it is in a container', isRequired: true };
    const notExamined = [{ ...hidden, isShownFromOutside: true as const }];
    const diagnosis = diagnosisOf({ server: [], notExamined, probe: allHealthy });
    expect(diagnosis.verdict).toBe('healthy');
    expect(diagnosis.notExamined).toEqual([{ ...hidden, isRequired: false, how: null }]);
    expect(diagnosisOf({ server: [], notExamined }).verdict).toBe('unknown');
    const near = diagnosisOf({ server: [], notExamined, probe: faults.VANTAGE_TOO_CLOSE.facts });
    expect(near.notExamined).toContainEqual({ ...hidden, how: null });
  });

  it('does not need what was not asked for, and says what that is', () => {
    const leftOut = [
      { what: 'the server itself', because: 'it was not asked for', how: 'add --host', isRequired: false },
    ];
    const diagnosis = diagnosisOf({ probe: allHealthy, leftOut });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', notExamined: leftOut });
  });

  it('counts what is to harden, and fails for it only where that is asked for', () => {
    const server = [example('PRIVATE_PEERS_ALLOWED'), example('NO_QUOTAS')];
    const diagnosis = diagnosisOf({ server, probe: allHealthy });
    expect(diagnosis).toMatchObject({ verdict: 'healthy', exitCode: 0 });
    expect(diagnosis.headline).toMatch(/, and nothing is wrong on the server; 1 thing to harden$/);
    expect(diagnosisOf({ server, probe: allHealthy, failOn: 'warning' }).exitCode).toBe(1);
  });

  it('is not what browsers never get to', () => {
    const application = [example('ICE_SERVERS_REFUSED')];
    expect(diagnosisOf({ probe: allHealthy, application })).toMatchObject({
      verdict: 'broken',
      exitCode: 1,
      headline:
        'Browsers refuse the iceServers of the application: users who need the relay will hear nothing',
    });
    expect(diagnosisOf({ application })).toMatchObject({ verdict: 'broken', exitCode: 1 });
    const beside = [example('ICE_SERVERS_DTLS')];
    expect(diagnosisOf({ probe: allHealthy, application: beside }).exitCode).toBe(0);
  });

  it('is not what others can misuse', () => {
    const diagnosis = diagnosisOf({ server: [example('WEAK_SECRET')], probe: allHealthy });
    expect(diagnosis).toMatchObject({ verdict: 'degraded', exitCode: 1 });
    expect(diagnosis.headline).toMatch(/^works, but others can misuse it: /);
  });
});

describe('the server alone', () => {
  it('is broken where nobody can get through', () => {
    const diagnosis = diagnosisOf({ server: [example('LISTENER_MISSING')] });
    expect(diagnosis).toMatchObject({ verdict: 'broken', exitCode: 1 });
    expect(diagnosis.headline).toBe(
      'Nothing listens on TCP 5349: users who need the relay will hear nothing',
    );
  });

  it('is healthy as far as it can be seen', () => {
    expect(diagnosisOf({ server: [] })).toMatchObject({
      verdict: 'healthy',
      headline: 'nothing is wrong on the server, as far as it can be seen there',
    });
  });
});

describe('a symptom', () => {
  const server = [example('FIREWALL_BLOCKS_RELAY'), example('TLS_FILE_UNREADABLE')];

  it('orders what is wrong, words the headline, and hides nothing', () => {
    const asIs = diagnosisOf({ server });
    for (const [symptom, first, words] of [
      ['turns-only', 'TLS_FILE_UNREADABLE', 'turns: fails, and turn: works'],
      ['one-way', 'FIREWALL_BLOCKS_RELAY', 'one side hears nothing'],
    ] as const) {
      const diagnosis = diagnosisOf({ server, symptom });
      expect(diagnosis.findings[0]?.code).toBe(first);
      expect(diagnosis.headline).toContain(words);
      expect(diagnosis.symptom).toMatchObject({ id: symptom, explainedBy: [1], advice: null });
      expect(diagnosis.findings.map(({ code }) => code).toSorted()).toEqual(
        asIs.findings.map(({ code }) => code).toSorted(),
      );
    }
  });

  it('that nothing explains has a next step', () => {
    expect(diagnosisOf({ probe: allHealthy, symptom: 'drops-after' }).symptom).toMatchObject({
      explainedBy: [],
      advice: expect.stringContaining('--duration') as string,
    });
    expect(diagnosisOf({ server, symptom: 'drops-after' }).symptom?.advice).toContain(
      'mend what stands below',
    );
  });
});

it('says that a probe on the server shows nothing of the way to it', () => {
  const diagnosis = diagnosisOf({ probe: faults.VANTAGE_TOO_CLOSE.facts });
  expect(diagnosis.notExamined).toMatchObject([
    { what: 'the way from the internet to the server', isRequired: false },
  ]);
});

it('knows nothing where a probe does not', () => {
  const silent = observationsOf([
    healthyFacts(udp, { allocate: failed({ kind: 'internal', detail: 'it froze' }) }),
  ]);
  const diagnosis = diagnosisOf({ probe: silent });
  expect(diagnosis).toMatchObject({ verdict: 'unknown', exitCode: 1 });
  expect(diagnosis.notExamined.length).toBeGreaterThan(0);
});
