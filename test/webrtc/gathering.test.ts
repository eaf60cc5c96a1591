import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { GatheringFacts } from '../../src/model/observations.ts';
import { openRelay, parseCandidate, untilRelayed } from '../../src/webrtc/gathering.ts';
import { scriptedServer, turnCredential } from '../support/scripted-server.ts';

type Gathered = Omit<GatheringFacts, 'attempts'>;

const relay = { type: 'relay', address: '192.0.2.1', port: 49160, protocol: 'udp', atMs: 5 } as const;
const lost: Gathered = {
  candidates: [],
  complete: true,
  durationMs: 9,
  stunUntried: null,
  relayFailure: null,
};
const found: Gathered = { ...lost, candidates: [relay] };
const refused: Gathered = { ...lost, relayFailure: { kind: 'stun-error', code: 486, reason: '' } };

/** The facts, and how many of the rounds were taken. */
async function gathered(
  rounds: readonly Gathered[],
  wantsRelay = true,
): Promise<{ facts: GatheringFacts; taken: number }> {
  let taken = 0;
  const facts = await untilRelayed(wantsRelay, () => {
    const round = rounds[taken++];
    return round ? Promise.resolve(round) : Promise.reject(new Error('one round too many'));
  });
  return { facts, taken };
}

describe('untilRelayed', () => {
  it.each([
    ['found at once', [found], found],
    ['lost once', [lost, found], found],
    ['lost twice', [lost, lost], lost],
    ['lost, then refused', [lost, refused], refused],
    ['refused', [refused], refused],
    // The deadline has passed: asking again would double it.
    ['cut short', [{ ...lost, complete: false }], { ...lost, complete: false }],
  ])('%s', async (_what, rounds, last) => {
    const { facts, taken } = await gathered(rounds);
    expect(facts).toEqual({ ...last, attempts: rounds.length });
    expect(taken).toBe(rounds.length);
  });

  it('misses no relay candidate that was not asked for', async () => {
    expect((await gathered([lost], false)).facts.attempts).toBe(1);
  });
});

describe('openRelay', () => {
  it('asks the server for nothing when the bridge cannot be opened', async () => {
    let asked = 0;
    const { server } = await scriptedServer('udp', () => void asked++);
    const { signal } = new AbortController();
    const request = { stun: null, turn: null, bindAddress: null, timeoutMs: 300 };
    // A documentation address (RFC 5737) is on no interface: it cannot be bound.
    const opened = openRelay(
      request,
      { server, credential: turnCredential },
      '192.0.2.1' as '127.0.0.1',
      signal,
    );
    await expect(opened).rejects.toThrow(/EADDRNOTAVAIL/);
    await sleep(100);
    expect(asked).toBe(0);
  });
});

describe('parseCandidate', () => {
  it('reads what ICE writes', () => {
    const line = 'a=candidate:2 1 UDP 1677721855 192.0.2.7 50123 typ srflx raddr 0.0.0.0 rport 0';
    expect(parseCandidate(line, 12)).toEqual({
      type: 'srflx',
      address: '192.0.2.7',
      port: 50123,
      protocol: 'udp',
      atMs: 12,
    });
  });

  it.each(['', 'a=end-of-candidates', 'candidate:1 1 UDP 1 192.0.2.7 50123 typ local'])(
    'takes %j for no candidate',
    (line) => {
      expect(parseCandidate(line, 0)).toBeNull();
    },
  );
});
