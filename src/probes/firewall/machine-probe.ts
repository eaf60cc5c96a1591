import { scopeOf } from '../../model/endpoint.ts';
import type { FirewallFacts } from '../../model/firewall-facts.ts';
import { interfaceAddresses } from '../interfaces.ts';
import { loadedRules } from './filter-probe.ts';
import { defaultDevices, listeningSockets } from './socket-probe.ts';

/** What this machine lets in and listens to. It is read, and nothing is sent. */
export async function machineFacts(signal: AbortSignal): Promise<Omit<FirewallFacts, 'outside'>> {
  const [rules, sockets, devices] = await Promise.all([
    loadedRules(signal),
    listeningSockets(),
    defaultDevices(),
  ]);
  const addresses = interfaceAddresses()
    .map(({ address }) => address)
    .filter((address) => scopeOf(address) !== 'loopback' && scopeOf(address) !== 'link-local');
  return { rules, sockets, devices, addresses };
}
