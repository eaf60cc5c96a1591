import { covers, networkTexts, type Network } from '../config/address.ts';
import { rangeOf, uncovered, type PeerRange } from './lint/address-range.ts';
import type { ImportDraft } from './import-draft.ts';
import { alwaysRendered, deniedNetworks } from './peers.ts';

/** Whom users may reach. `relay` are the addresses of the relay itself. */
export function importPeers(draft: ImportDraft, relay: readonly string[]): void {
  const allowed = networksIn(draft, 'allowed-peer-ip');
  const ranges = rangesIn(draft, 'denied-peer-ip');
  const denied = ranges.map(networkOf);
  tellOfMore(draft, ranges);
  const hasAllIpv4 = denied.some(({ first, last }) => isLow(first) && last === '255.255.255.255');
  const own = new Set(relay);
  const loopback = draft.isOn('allow-loopback-peers') ? ['127.0.0.0/8', '::1'] : [];
  // The addresses of the relay itself are excepted by render.
  const exceptions = allowed
    .filter(({ first, last }) => first !== last || !own.has(first))
    .flatMap(networkTexts);
  if (hasAllIpv4 && exceptions.length > 0) {
    draft.written['peers'] = { only: exceptions };
    return;
  }
  const deny = denied.filter((each) => !isAlwaysDenied(each)).flatMap(networkTexts);
  const hasLoopback = exceptions.some((text) => text.startsWith('127.') || text === '::1');
  const allow = [...exceptions, ...(hasLoopback ? [] : loopback)];
  if (allow.length === 0 && deny.length === 0) return;
  draft.written['peers'] = { ...(allow.length > 0 && { allow }), ...(deny.length > 0 && { deny }) };
}

/** What users could reach until now and can no more. */
function tellOfMore(draft: ImportDraft, ranges: readonly PeerRange[]): void {
  const open = uncovered(deniedNetworks, ranges).flatMap(networkTexts);
  const [first] = open;
  if (first === undefined || draft.written['profile'] !== 'turn') return;
  const because = `${open.length} special ranges that were open are denied from here on, such as ${first}; peers.allow excepts`;
  draft.left.push({ line: null, name: 'denied-peer-ip', because });
}

function isLow(address: string): boolean {
  return address === '0.0.0.0' || address === '0.0.0.1' || address === '1.0.0.0';
}

function isAlwaysDenied(range: Network): boolean {
  return (
    deniedNetworks.some((each) => covers(each, range)) ||
    alwaysRendered.has(`${range.first}-${range.last}`) ||
    // Built in: 0.0.0.0/8 and ::.
    (range.family === 4 && range.last.startsWith('0.'))
  );
}

function networksIn(draft: ImportDraft, name: string): Network[] {
  return rangesIn(draft, name).map(networkOf);
}

function networkOf({ family, first, last }: PeerRange): Network {
  return { family, first, last };
}

function rangesIn(draft: ImportDraft, name: string): PeerRange[] {
  return draft.all(name).flatMap((each): PeerRange[] => {
    const range = rangeOf(each);
    if (range === null || range.isEmpty) {
      draft.leave(each, 'coturn reads it as no range of addresses');
      return [];
    }
    if (!range.isBoundless) return [range];
    draft.leave(each, 'coturn reads it as every address of both families');
    return [];
  });
}
