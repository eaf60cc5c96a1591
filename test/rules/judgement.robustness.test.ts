import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkIds, type CheckId } from '../../src/model/check.ts';
import type { Attempt, CallFacts, Observations, TargetFacts } from '../../src/model/observations.ts';
import type { CheckReport } from '../../src/model/report.ts';
import type { Criteria } from '../../src/rules/criteria.ts';
import { judge } from '../../src/rules/judgement.ts';
import { arbitraryCriteria, arbitraryFailedStep, arbitraryObservations } from '../support/arbitrary-facts.ts';
import {
  bothWays,
  callFacts,
  criteriaWith,
  done,
  failed,
  healthyFacts,
  noConnection,
  notTried,
  observationsOf,
  systemError,
  portSample,
  targetOf,
  threeTargets,
} from '../support/facts.ts';
import { natFacts } from '../support/nat-facts.ts';

type Judged = ReturnType<typeof judge>;

/** Holds `property` for any facts and any criteria. */
function always(property: (judged: Judged, facts: Observations, criteria: Criteria) => void): void {
  fc.assert(
    fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
      property(judge(facts, criteria), facts, criteria);
    }),
    // One that is healthy is among them, as chance makes one in fifty.
    {
      numRuns: 150,
      examples: [[observationsOf(threeTargets().map((each) => healthyFacts(each))), criteriaWith()]],
    },
  );
}

function checksOf({ checks, targets }: Judged): CheckReport[] {
  return [...checks, ...targets.flatMap((target) => target.checks)];
}

/** The fact without which a check cannot have passed. */
const factOf: Partial<Record<CheckId, keyof TargetFacts>> = {
  'stun-binding': 'binding',
  'turn-challenge': 'challenge',
  'turn-allocate': 'allocate',
  'relay-address': 'allocate',
  'turn-permission': 'permission',
  'turn-channel': 'channel',
  'relay-inbound': 'inbound',
  'relay-outbound': 'outbound',
  'relay-reply': 'reply',
  'turn-refresh': 'refresh',
  'turn-release': 'release',
  'candidates-host': 'gathering',
  'candidates-srflx': 'gathering',
  'candidates-relay': 'gathering',
  'call-connects': 'call',
  'call-uses-relay': 'call',
  'call-audio': 'call',
  'call-quality': 'call',
};

it('every check is judged', () => {
  const facts = observationsOf(
    threeTargets().map((target) => healthyFacts(target, { ports: done(portSample([49160])) })),
    {
      nat: [
        natFacts(
          { mapping: 'endpoint-independent', filtering: 'endpoint-independent' },
          { lifetime: done({ aliveMs: 30_000, goneMs: null }) },
        ),
      ],
    },
  );
  const judged = new Set(checksOf(judge(facts, criteriaWith())).map(({ id }) => id));
  expect(checkIds.filter((id) => !judged.has(id))).toEqual([]);
});

describe('any facts', () => {
  it('give the same judgement twice, and after they were saved and read again', () => {
    always((judged, facts, criteria) => {
      expect(judge(facts, criteria)).toEqual(judged);
      expect(judge(JSON.parse(JSON.stringify(facts)) as Observations, criteria)).toEqual(judged);
    });
  });

  it('are called unknown only with a reason', () => {
    let reasonless = 0;
    always(({ verdict, open, targets }) => {
      if (verdict === 'unknown' && targets.length > 0 && open.length === 0) reasonless++;
    });
    expect(reasonless).toBe(0);
  });

  it('are called healthy only without a finding, with everything that is required passed or skipped', () => {
    let seen = 0;
    always((judged, _facts, { require }) => {
      if (judged.verdict !== 'healthy') return;
      seen++;
      expect(judged.exitCode).toBe(0);
      expect(judged.open).toEqual([]);
      expect(judged.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
      expect(judged.targets.length).toBeGreaterThan(0);
      if (require !== null) return;
      for (const check of checksOf(judged).filter(({ required }) => required)) {
        expect(['passed', 'skipped']).toContain(check.status);
      }
    });
    expect(seen).toBeGreaterThan(0);
  });

  it('exit 0 only when healthy, or degraded by warnings', () => {
    always(({ exitCode, verdict, findings, open }, _facts, { failOn }) => {
      const errors = findings.some(({ severity }) => severity === 'error');
      if (exitCode === 0) {
        expect(verdict === 'healthy' || (verdict === 'degraded' && failOn === 'error')).toBe(true);
        expect(errors).toBe(false);
        expect(open).toEqual([]);
      } else {
        expect(exitCode).toBe(1);
        expect(verdict).not.toBe('healthy');
      }
    });
  });

  it('are not healthy when a check failed', () => {
    always((judged) => {
      if (checksOf(judged).some(({ status }) => status === 'failed')) {
        expect(judged.verdict).not.toBe('healthy');
      }
    });
  });

  it('pass no check whose fact is not there', () => {
    always(({ targets }, facts) => {
      targets.forEach((target, index) => {
        const own = facts.targets[index] as TargetFacts;
        for (const { id, status } of target.checks) {
          const fact = factOf[id];
          if (fact === undefined || status !== 'passed') continue;
          // An outside peer proves these as well.
          if (id.startsWith('relay-') && own.outside?.state === 'done') continue;
          expect(own[fact], `${id} passed`).toMatchObject({ state: 'done' });
        }
        const listener = target.checks.find(({ id }) => id === 'listener-answers');
        if (listener?.status !== 'passed') return;
        const { binding, challenge } = own;
        const answers = [binding.state, challenge.state].includes('done') || binding.state === 'failed';
        expect(answers).toBe(true);
      });
    });
  });

  it('leave nothing unknown or skipped without a reason, and nothing failed without a finding', () => {
    always((judged) => {
      for (const { status, because, findings, severity } of checksOf(judged)) {
        expect(because !== null).toBe(status === 'unknown' || status === 'skipped');
        expect(findings.length > 0).toBe(status === 'failed');
        expect(severity !== null).toBe(status === 'failed');
        expect(because).not.toBe('');
      }
    });
  });

  it('name for each failed check a finding that is told, at this target', () => {
    always(({ targets, findings }) => {
      for (const { url, checks } of targets) {
        for (const code of checks.flatMap((check) => check.findings)) {
          expect(findings.some((each) => each.code === code && each.targets.includes(url))).toBe(true);
        }
      }
    });
  });

  it('name only causes that are told too, and no circle of them', () => {
    always(({ findings }) => {
      for (const { causedBy } of findings) {
        if (causedBy === null) continue;
        expect(findings.some(({ code, causedBy: root }) => code === causedBy && root === null)).toBe(true);
      }
    });
  });

  it('are told in words without a hole', () => {
    always(({ findings, headline, open, vantage }) => {
      const texts = [headline, ...open, vantage.because];
      for (const { title, cause, proof, fix } of findings)
        texts.push(title, cause, proof, ...fix.split('\n'));
      for (const text of texts) {
        expect(text).toMatch(/\S/);
        expect(text).not.toMatch(/undefined|\bnull\.|NaN|Infinity|\[object/);
      }
    });
  });

  it('are not called degraded when nothing serves', () => {
    always(({ verdict, targets }, _facts, { require }) => {
      if (verdict !== 'degraded' || require !== null) return;
      const serves = targets.some(({ scheme, checks, observations }) =>
        scheme.startsWith('turn')
          ? checks.some(({ id, status }) => id === 'relay-reply' && status === 'passed')
          : observations.binding.state === 'done',
      );
      expect(serves).toBe(true);
    });
  });
});

const steps = [
  'connect',
  'binding',
  'challenge',
  'allocate',
  'permission',
  'channel',
  'inbound',
  'outbound',
  'reply',
  'refresh',
  'release',
  'gathering',
  'call',
] as const;

describe('one step that went wrong at a server that is in order', () => {
  const oneStep = fc.record({
    transport: fc.constantFrom('udp', 'tcp', 'tls'),
    step: fc.constantFrom(...steps),
    outcome: arbitraryFailedStep,
    others: fc.boolean(),
  });

  it('is never healthy, and has one root cause at most', () => {
    fc.assert(
      fc.property(oneStep, ({ transport, step, outcome, others }) => {
        const targets = others ? threeTargets() : [targetOf(transport)];
        const facts = targets.map((target) =>
          healthyFacts(target, target.transport === transport ? afterwards(step, outcome) : {}),
        );
        const judged = judge(observationsOf(facts), criteriaWith());
        if (step !== 'connect') expect(judged.verdict).not.toBe('healthy');
        const roots = judged.findings.filter(({ causedBy }) => causedBy === null);
        expect(roots.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 150 },
    );
  });
});

/** What follows a step that went wrong is not tried. */
function afterwards(step: (typeof steps)[number], outcome: Attempt<never>): Partial<TargetFacts> {
  const later = steps.slice(steps.indexOf(step) + 1);
  const because = notTried('an earlier step went wrong');
  // The three ways through the relay, the gathering and the call are tried whatever becomes of the one before.
  const independent: readonly string[] = ['inbound', 'outbound', 'reply', 'refresh', 'release', 'gathering'];
  const untried = independent.includes(step) ? [] : later;
  return {
    ...Object.fromEntries(untried.map((each) => [each, because])),
    [step]: outcome,
  };
}

describe('what goes wrong here', () => {
  const [udp] = threeTargets();
  const cutOff = ['ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL'].map((code) => failed(systemError(code)));
  it.each(['allocate', 'permission', 'channel', 'refresh', 'release'])(
    'is not held against the server when the network of this machine goes at %s',
    (step) => {
      for (const failure of cutOff) {
        const facts = healthyFacts(udp, { [step]: failure, recheck: failure });
        const { findings, verdict } = judge(observationsOf([facts]), criteriaWith());
        expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
        expect(verdict).toBe('unknown');
      }
    },
  );

  it('is not held against the server when the network of this machine goes in a call', () => {
    const failure = systemError('ENETDOWN');
    for (const call of [noConnection(failure), endedEarly({ lost: [{ atMs: 900, failure }] })]) {
      const { findings, verdict } = judge(
        observationsOf([healthyFacts(udp, { call: done(call) })]),
        criteriaWith(),
      );
      expect([findings, verdict]).toEqual([[], 'unknown']);
    }
  });

  it('is not held against the server when this machine slept in a call', () => {
    const call = { ...endedEarly({}), longestStallMs: 40_000 };
    const { findings, verdict } = judge(
      observationsOf([healthyFacts(udp, { call: done(call) })]),
      criteriaWith(),
    );
    expect([findings, verdict]).toEqual([[], 'unknown']);
  });

  /** A call that ended after a second of three. */
  function endedEarly(relay: Partial<CallFacts['relay']>): CallFacts {
    const healthy = callFacts({ audio: bothWays({ sent: 50, received: 48, lastReceivedMs: 960 }) });
    const endedBecause = {
      kind: 'connection-ended',
      detail: 'the connection is closed',
      atMs: 1000,
    } as const;
    return { ...healthy, endedBecause, relay: { ...healthy.relay, ...relay } };
  }
});
