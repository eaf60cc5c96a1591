import { expect, it } from 'vitest';
import type { TargetFacts } from '../../src/model/observations.ts';
import { ttlFindings } from '../../src/rules/reply-ttl.ts';
import {
  deadFacts,
  done,
  healthyFacts,
  mapped,
  observationsOf,
  silence,
  targetOf,
} from '../support/facts.ts';

const [udp, tcp] = [targetOf('udp'), targetOf('tcp')];
const running = (software: string): Partial<TargetFacts> => ({
  binding: done({ mapped, software, rttMs: 12, sent: 1 }),
});
const besideIt = [{ interface: 'eth0', address: '203.0.113.77', prefixLength: 24 }];

it.each<[string, readonly TargetFacts[], boolean, readonly string[]]>([
  [
    'silent over UDP',
    [deadFacts(udp, 'binding', silence), healthyFacts(tcp, running('Coturn-4.17.0'))],
    false,
    ['error'],
  ],
  [
    'silent, another version',
    [deadFacts(udp, 'binding', silence), healthyFacts(tcp, running('Coturn-4.17.2'))],
    false,
    [],
  ],
  [
    'silent, ten times that version',
    [deadFacts(udp, 'binding', silence), healthyFacts(tcp, running('Coturn-4.17.10'))],
    false,
    [],
  ],
  // It has crossed a router.
  ['answered from elsewhere', [healthyFacts(udp, running('Coturn-4.17.1'))], false, []],
  ['answered from beside it', [healthyFacts(udp, running('Coturn-4.17.1'))], true, ['warning']],
  ['answered from beside it by another version', [healthyFacts(udp)], true, []],
])('a reply with TTL 1: %s', (_what, targets, isClose, expected) => {
  const facts = observationsOf(targets, isClose ? { interfaces: besideIt } : {});
  expect(ttlFindings(facts).map(({ severity }) => severity)).toEqual(expected);
});
