import { describe, expect, it } from 'vitest';
import { judged } from '../../../src/commands/deployment/verification.ts';
import type { AddressPair } from '../../../src/config/address.ts';
import { healthyFacts, observationsOf, serverAddress } from '../../support/facts.ts';
import { reportOf } from '../../support/report.ts';

const report = reportOf(observationsOf([healthyFacts()]));

function hostAt(...addresses: readonly string[]): Parameters<typeof judged>[0]['host'] {
  return {
    name: 'turn.example.com',
    addresses: addresses.map((address): AddressPair => ({ public: address, private: address })),
    discoversAddresses: false,
    ssh: { address: 'turn.example.com', user: null, port: null },
    settings: {},
  };
}

describe('a deployment is verified', () => {
  it('where the probe is healthy and was of the host', () => {
    expect(report.exitCode).toBe(0);
    for (const host of [hostAt(serverAddress), hostAt()]) {
      expect(judged({ report, peers: [], host, isLocal: false })).toMatchObject({ holds: true });
    }
  });

  it('not where its name leads to another machine', () => {
    expect(judged({ report, peers: [], host: hostAt('192.0.2.7'), isLocal: false })).toMatchObject({
      holds: false,
      verdict: 'unknown',
      headline: expect.stringContaining(
        'leads to 203.0.113.10, which rtc-ops.yaml does not have among its addresses (192.0.2.7)',
      ) as string,
    });
  });

  it('not where users reach what nobody is to reach', () => {
    const peers = [{ peer: '127.0.0.1', denied: false, because: null }];
    expect(judged({ report, peers, host: hostAt(serverAddress), isLocal: false })).toMatchObject({
      holds: false,
      verdict: 'broken',
    });
  });
});
