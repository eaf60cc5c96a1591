import { describe, expect, it } from 'vitest';
import type { IdentityFacts, TargetFacts } from '../../src/model/observations.ts';
import { judgeAllocate } from '../../src/rules/allocation.ts';
import { twoServers } from '../../src/rules/identity.ts';
import {
  failed,
  done,
  healthyFacts,
  identity,
  notTried,
  now,
  nowSeconds,
  stunError,
  targetOf,
  unallocatedFacts,
} from '../support/facts.ts';

function factsWith(...others: Partial<IdentityFacts>[]): TargetFacts {
  return healthyFacts(targetOf(), {
    identities: done({ answers: [identity(), identity(), ...others.map((each) => identity(each))] }),
  });
}

describe('two servers on one port', () => {
  it.each<[string, TargetFacts, string | null]>([
    ['one server', factsWith(), null],
    ['one server, and losses', factsWith({ code: null, realm: null, software: null, signed: null }), null],
    ['one server, and a lost second answer', factsWith({ signed: null }), null],
    ['one that is busy for a moment', factsWith({ code: 486, realm: null, signed: null }), null],
    ['another realm', factsWith({ realm: 'old.example.com' }), 'warning'],
    ['another software', factsWith({ software: 'Coturn-4.5.2' }), 'warning'],
    ['one that hides its software', factsWith({ software: null }), 'warning'],
    ['another secret', factsWith({ signed: 401 }), 'error'],
    ['one without credentials', factsWith({ code: 0, realm: null, signed: null }), 'error'],
    [
      'not tried',
      healthyFacts(targetOf(), { identities: notTried('a connection stays with one server') }),
      null,
    ],
  ])('%s', (_what, facts, severity) => {
    expect(twoServers(facts)?.severity ?? null).toBe(severity);
  });

  it('are told by what differs, and how often', () => {
    expect(twoServers(factsWith({ realm: 'old.example.com', signed: 401 }))?.evidence).toMatchObject({
      seen: [
        '2 of 3: realm example.com, accepts these credentials',
        '1 of 3: realm old.example.com, refuses these credentials',
      ],
    });
  });

  it('are why a good credential is refused', () => {
    const credential = { source: 'secret', username: 'x', expiresAt: nowSeconds + 60 } as const;
    const codeOf = (signed: number): unknown => {
      const { identities } = factsWith({ signed });
      const facts = unallocatedFacts(targetOf(), failed(stunError(401)), { identities });
      const outcome = judgeAllocate(facts, credential, now);
      return outcome.status === 'failed' ? outcome.findings.map(({ code }) => code) : outcome.status;
    };
    expect(codeOf(401)).toEqual(['TWO_SERVERS_ANSWER']);
    expect(codeOf(437)).toEqual(['CREDENTIAL_SECRET_MISMATCH']);
  });
});
