import { describe, expect, it } from 'vitest';
import { deployTargets } from '../../../src/commands/deployment/target.ts';
import { stunServersFor, withAddresses } from '../../../src/commands/deployment/host-addresses.ts';
import { parseConfig } from '../../../src/config/parse.ts';

const config = parseConfig(
  `realm: r
auth: { secret: { env: S } }
hosts: [{ name: a.example, addresses: auto }, { name: b.example, addresses: [203.0.113.2] }]
listen: { families: [4] }
addressDiscovery: { stun: ["stun:s.example"] }`,
  'f',
);
const targets = deployTargets(config, { color: false, format: 'json' });
const [auto, known] = targets;
if (auto === undefined || known === undefined) throw new Error('there are two');
const server = 's.example:3478';

describe('addresses: auto of a host that is deployed to', () => {
  it('are what it found itself, of the families that are served', () => {
    const facts = {
      addresses: ['10.0.0.1', '2001:db8::1'],
      sightings: [
        { family: 4, server, local: '10.0.0.1', mapped: '203.0.113.1' },
        { family: 6, server, local: '2001:db8::1', mapped: '2001:db8::1' },
      ] as const,
    };
    const { shared, target, notes } = withAddresses(config, auto, {
      ...facts,
      sightings: [...facts.sightings],
    });
    const addresses = [{ public: '203.0.113.1', private: '10.0.0.1' }];
    expect([target.host.addresses, shared.hosts[0]?.addresses]).toEqual([addresses, addresses]);
    expect(shared.hosts[1]).toBe(config.hosts[1]);
    expect(notes.join()).toContain(
      'addresses: auto is [203.0.113.1/10.0.0.1], s.example:3478 sees 203.0.113.1',
    );
  });

  it('are not guessed', () => {
    const sightings = [{ family: 4, server, local: null, mapped: null } as const];
    expect(() => withAddresses(config, auto, { addresses: ['10.0.0.1'], sightings })).toThrow(
      'the addresses of a.example are auto, and no STUN server told it its public one (asked: s.example:3478)',
    );
  });

  it('are asked for where a host wants them alone', () => {
    expect(stunServersFor(config, targets)).toEqual([{ host: 's.example', port: 3478 }]);
    expect(stunServersFor(config, [known])).toEqual([]);
    expect(withAddresses(config, known, { addresses: [], sightings: [] })).toMatchObject({
      shared: config,
      notes: [],
    });
  });
});
