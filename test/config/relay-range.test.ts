import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mostUsersPerAddress, relayPortsFor, relayRangeFor } from '../../src/config/relay-range.ts';

describe('relayRangeFor', () => {
  it.each([
    [1, { min: 65_496, max: 65_535 }],
    [100, { min: 65_136, max: 65_535 }],
    // The last that leaves the ports of outgoing sockets alone.
    [1133, { min: 61_004, max: 65_535 }],
    [4096, { min: 49_152, max: 65_535 }],
    [mostUsersPerAddress, { min: 10_000, max: 65_535 }],
    [mostUsersPerAddress + 1, null],
  ])('gives %d users at once their ports', (users, range) => {
    expect(relayRangeFor(users)).toEqual(range);
  });

  it('has exactly the ports that the formula asks for', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: mostUsersPerAddress }), (users) => {
        const range = relayRangeFor(users);
        expect(range === null ? null : range.max - range.min + 1).toBe(relayPortsFor(users));
      }),
    );
  });
});
