import { networkInterfaces } from 'node:os';
import type { InterfaceAddress } from '../model/observations.ts';

/** The addresses of this machine's interfaces, loopback included. */
export function interfaceAddresses(): InterfaceAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses.map(({ address, cidr }) => ({
      interface: name,
      // A link-local address may carry its zone, which is no part of the address.
      address: address.replace(/%.*$/, ''),
      prefixLength: Number(cidr?.split('/')[1] ?? (address.includes(':') ? 128 : 32)),
    })),
  );
}
