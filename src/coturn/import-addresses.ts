import { isIP } from 'node:net';
import { normalAddress } from '../config/address.ts';
import { defaults } from '../config/defaults.ts';
import { pairText, portsText, type Written } from '../config/written-config.ts';
import { familyOf } from '../model/endpoint.ts';
import { textOf, type ImportDraft } from './import-draft.ts';
import type { ParsedDirective } from './parse.ts';

/** The addresses that the file names. */
export interface ImportedAddresses {
  readonly listening: readonly string[];
  readonly relay: readonly string[];
}

/** Addresses, ports and the certificate. */
export function importListeners(draft: ImportDraft, hostName: string): ImportedAddresses {
  const given = addressesIn(draft, 'relay-ip');
  const listening = listeningIn(draft, given.length > 0);
  // coturn relays from where it listens unless it is told otherwise.
  const relay = given.length > 0 ? given : listening;
  const pairs = pairsOf(draft, relay);
  const isTranslated = pairs.some((each) => each.includes('/'));
  // Where a host has addresses, it listens on them and on no others.
  const isEverywhere = listening.length === 0 && relay.length > 0 && !isTranslated;
  if (listening.length === 0 && isTranslated) {
    const because = 'coturn listened on all addresses; from here on it does on those of hosts[0].addresses';
    draft.left.push({ line: null, name: 'listening-ip', because });
  }
  const sameAddresses = listening.length === relay.length && listening.every((each) => relay.includes(each));
  draft.written['hosts'] = [
    { name: hostName, ...(pairs.length > 0 && !isEverywhere && { addresses: pairs }) },
  ];
  draft.written['listen'] = {
    ...(sameAddresses ? {} : { addresses: listening }),
    ...portsIn(draft, listening),
  };
  const relayPorts = portRangeIn(draft);
  draft.written['relay'] = {
    ...(isEverywhere && { addresses: relay }),
    ...(relayPorts !== null && { ports: relayPorts }),
  };
  return { listening, relay };
}

function addressesIn(draft: ImportDraft, name: string): string[] {
  return draft.all(name).flatMap((each) => {
    const text = textOf(each);
    if (isIP(text)) return [normalAddress(text)];
    draft.leave(each, `${JSON.stringify(text)} is no IP address`);
    return [];
  });
}

/** All addresses of the machine are fine to listen on, and none to relay from. */
function listeningIn(draft: ImportDraft, relaysElsewhere: boolean): string[] {
  const listening = addressesIn(draft, 'listening-ip');
  if (relaysElsewhere || !listening.some(isWildcard)) return listening;
  draft.left.push({
    line: draft.last('listening-ip')?.line ?? null,
    name: 'listening-ip',
    because:
      'coturn would hand it out as a relay address; without it coturn takes those that the machine has',
  });
  return listening.filter((each) => !isWildcard(each));
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

/** Each relay address with the one by which the world knows it. */
function pairsOf(draft: ImportDraft, relay: readonly string[]): string[] {
  const outsideOf = new Map<string, { readonly address: string; readonly directive: ParsedDirective }>();
  for (const each of draft.all('external-ip')) {
    const [outside = '', inside] = textOf(each).split('/');
    const candidates = relay.filter((address) => isIP(outside) && familyOf(address) === familyOf(outside));
    const [only, ...more] = inside === undefined ? candidates : [inside];
    if (!isIP(outside) || (only !== undefined && !isIP(only))) draft.leave(each, 'it is no IP address');
    else if (only === undefined) {
      draft.leave(each, `the private address is not known: hosts[0].addresses: [${outside}/PRIVATE]`);
    } else if (more.length > 0) {
      draft.leave(
        each,
        `it stands for several relay addresses: hosts[0].addresses: [${outside}/PRIVATE] for each`,
      );
    } else {
      const [address, earlier] = [normalAddress(outside), outsideOf.get(normalAddress(only))];
      if (earlier !== undefined) draft.overrule([earlier.directive], each, () => earlier.address === address);
      outsideOf.set(normalAddress(only), { address, directive: each });
    }
  }
  const all = [...new Set([...relay, ...outsideOf.keys()])];
  return all.map((inside) => pairText({ public: outsideOf.get(inside)?.address ?? inside, private: inside }));
}

function portsIn(draft: ImportDraft, listening: readonly string[]): Record<string, Written> {
  const port = draft.port('listening-port', defaults.listen.udp) ?? defaults.listen.udp;
  const [noUdp, noTcp] = [draft.isOn('no-udp'), draft.isOn('no-tcp')];
  if (noUdp && noTcp) leaveAll(draft, ['listening-port'], 'no-udp and no-tcp leave it nothing to listen for');
  return {
    udp: noUdp ? 'off' : port,
    tcp: noTcp ? 'off' : port,
    tls: tlsPortIn(draft),
    ...extraPortsIn(draft, listening),
  };
}

function tlsPortIn(draft: ImportDraft): number | 'off' {
  const [cert, key] = [draft.text('cert'), draft.text('pkey')];
  const isOff = draft.isOn('no-tls');
  if (!isOff && cert && key) {
    draft.written['tls'] = { cert, key };
    return draft.port('tls-listening-port', defaults.listen.tls) ?? defaults.listen.tls;
  }
  const because = isOff ? 'no-tls turns it off' : 'coturn speaks no TLS without both cert and pkey';
  leaveAll(draft, ['cert', 'pkey', 'tls-listening-port'], because);
  return 'off';
}

function leaveAll(draft: ImportDraft, names: readonly string[], because: string): void {
  for (const name of names) {
    const last = draft.last(name);
    if (last !== undefined) draft.leave(last, because);
  }
}

/** Ports that are opened on every address; others have no place in rtc-ops.yaml. */
function extraPortsIn(draft: ImportDraft, listening: readonly string[]): Record<string, Written> {
  const servers = draft.all('aux-server').map((directive) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(textOf(directive)) ?? [];
    const address = bracketed ?? plain ?? '';
    return { directive, address: isIP(address) ? normalAddress(address) : '', port: Number(port) };
  });
  const isEverywhere = (port: number): boolean =>
    listening.every((address) => servers.some((each) => each.port === port && each.address === address));
  const ports = [...new Set(servers.map(({ port }) => port))].filter(
    (port) => port > 0 && isEverywhere(port),
  );
  for (const { directive, port, address } of servers) {
    if (ports.includes(port) && listening.includes(address)) continue;
    draft.leave(directive, 'listen.extraPorts opens a port on all addresses or on none');
  }
  return ports.length === 0 ? {} : { extraPorts: ports };
}

function portRangeIn(draft: ImportDraft): string | null {
  const otherwise = defaults.relay.ports;
  const min = draft.port('min-port', otherwise.min);
  const max = draft.port('max-port', otherwise.max);
  if (min === null && max === null) return null;
  return portsText({ min: min ?? otherwise.min, max: max ?? otherwise.max });
}
