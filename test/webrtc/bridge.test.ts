import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { Bridge } from '../../src/webrtc/bridge.ts';

// A documentation address (RFC 5737) is on no interface: it cannot be bound.
const elsewhere = '192.0.2.1' as '127.0.0.1';

it('a bridge that cannot be opened leaves no socket behind', async () => {
  const allocation = new Promise<never>(() => {});
  const before = readdirSync('/proc/self/fd').length;
  for (let round = 0; round < 20; round++) {
    await expect(Bridge.open({ allocation, address: elsewhere })).rejects.toThrow(/EADDRNOTAVAIL/);
  }
  expect(readdirSync('/proc/self/fd').length - before).toBeLessThan(10);
});
