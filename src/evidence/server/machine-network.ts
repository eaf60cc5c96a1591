import ipaddr from 'ipaddr.js';
import { scopeOf } from '../../model/endpoint.ts';
import type { FirewallFacts, Seen } from '../../model/firewall-facts.ts';
import type { InterfaceAddress } from '../../model/observations.ts';
import type { FilterTable } from '../../model/packet-filter.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import { parseIptablesSave } from './iptables-ruleset.ts';
import { parseNftRuleset } from './nft-ruleset.ts';
import { isRoot, sectionOf, seen, textOf, unknown } from './section.ts';
import { defaultDevices, listeningSockets } from './socket-table.ts';

/** What a machine lets in and listens to. */
export function machineNetwork(evidence: ServerEvidence): Omit<FirewallFacts, 'outside'> {
  const addresses = interfaceAddressesOf(evidence)
    .map(({ address }) => address)
    .filter((address) => scopeOf(address) !== 'loopback' && scopeOf(address) !== 'link-local');
  return {
    rules: loadedRules(evidence),
    sockets: listeningSockets(evidence),
    devices: defaultDevices(evidence),
    addresses,
  };
}

/** `2: eth0    inet 192.0.2.1/24 brd … scope global eth0`. */
export function interfaceAddressesOf(evidence: ServerEvidence): InterfaceAddress[] {
  return textOf(evidence, 'addresses')
    .split('\n')
    .flatMap((line): InterfaceAddress[] => {
      const [, name = '', address = '', peer, length = ''] =
        /^\d+:\s+(\S+)\s+inet6?\s+([\da-fA-F.:]+)(\s+peer\s+[\da-fA-F.:]+)?(?:\/(\d+))?\s/.exec(line) ?? [];
      if (!ipaddr.isValid(address)) return [];
      const whole = address.includes(':') ? 128 : 32;
      const prefixLength = length === '' || peer !== undefined ? whole : Number(length);
      return [{ interface: name.replace(/@.*$/, ''), address, prefixLength }];
    });
}

/** Every rule that packets to a machine meet: those of nftables, and those of iptables in both its kinds. */
export function loadedRules(evidence: ServerEvidence): Seen<FilterTable[]> {
  if (!textOf(evidence, 'uname').startsWith('Linux')) return unknown('the rules are read on Linux alone');
  const ruleset = sectionOf(evidence, 'nft-json');
  if (ruleset.status !== '0') return unknown(nftFailure(ruleset.status, isRoot(evidence)));
  // Where the tool is not there, what nft shows of its rules stands, and what it shows by name alone is not understood.
  const saved = ruleset.text.includes('"xt"')
    ? [
        ...parseIptablesSave(textOf(evidence, 'iptables-nft'), 'iptables'),
        ...parseIptablesSave(textOf(evidence, 'ip6tables-nft'), 'ip6tables'),
      ]
    : [];
  const tables = rulesetOf(ruleset.text, textOf(evidence, 'nft-text'), saved);
  if (tables === null) return unknown('nft list ruleset printed what cannot be read');
  // Those of the older kernel interface, which nft does not see.
  for (const tool of ['iptables', 'ip6tables'] as const) {
    const { status, text } = sectionOf(evidence, `${tool}-legacy`);
    if (status === 'absent') continue;
    if (status !== '0') return unknown(`${tool}-legacy has rules, and ${tool}-legacy-save cannot be run`);
    tables.push(...parseIptablesSave(text, tool));
  }
  return seen(tables);
}

/** Null for what is no output of nft, as that of a machine that is not what it should be. */
function rulesetOf(json: string, listing: string, saved: readonly FilterTable[]): FilterTable[] | null {
  try {
    return [...parseNftRuleset(json, listing, saved)];
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return null;
    throw error;
  }
}

function nftFailure(status: string, asRoot: boolean): string {
  if (status === '127')
    return 'nft is not installed, and without it no rule can be read: sudo apt-get install nftables';
  if (status === '124') return 'nft list ruleset took too long';
  return asRoot
    ? 'nft list ruleset failed: this system lets nobody read its rules'
    : 'reading the rules needs root: run it with sudo';
}
