import { spanText } from '../../model/firewall.ts';
import type { Finding, FindingCode } from '../../model/finding.ts';

/** Nothing of a server comes up to a client. */
export const nothingThere = [
  'SERVER_UNREACHABLE',
  'NOTHING_LISTENS',
  'LISTENER_SILENT',
  'UDP_BLOCKED',
  'PORT_BLOCKED',
  'TCP_REFUSED',
  'UDP_REFUSED',
  'HOST_DOES_NOT_ANSWER',
] as const satisfies readonly FindingCode[];

export const relayShut = [
  'RELAY_PORTS_BLOCKED',
  'RELAY_PORTS_STATEFUL_ONLY',
  'RELAY_PORTS_PARTLY_BLOCKED',
] as const satisfies readonly FindingCode[];

const relayCodes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  ...relayShut,
  'FIREWALL_BLOCKS_RELAY',
  'FIREWALL_RELAY_STATEFUL_ONLY',
  'FIREWALL_BLOCKS_OUTSIDE',
]);

const listenerCodes: ReadonlySet<FindingCode> = new Set<FindingCode>([
  ...nothingThere,
  'FIREWALL_BLOCKS_LISTENER',
  'LISTENER_MISSING',
  'LISTENER_ELSEWHERE',
  'LISTENER_OTHER_PROGRAM',
]);

export function isAtOneAddress({ evidence: cause }: Finding, { evidence: effect }: Finding): boolean {
  return 'address' in cause && 'address' in effect && cause.address === effect.address;
}

/** Whether both are about the relay ports, or both about one listener, as far as each of them says so. */
export function sameWhere(cause: Finding, effect: Finding): boolean {
  const [a, b] = [isRelay(cause), isRelay(effect)];
  if (a !== null && b !== null && a !== b) return false;
  return a === true || b === true || samePort(cause, effect);
}

function isRelay({ code, evidence }: Finding): boolean | null {
  if (relayCodes.has(code)) return true;
  if ('isRelay' in evidence) return evidence.isRelay;
  return listenerCodes.has(code) ? false : null;
}

// A credential that this program makes is good for a day.
const ownLifetimeMs = 80_000_000;

/** Whether the clock of a server is so far ahead that what users come with has ended there. */
export function outlives({ evidence: clock }: Finding, { evidence }: Finding): boolean {
  if (!('offsetMs' in clock)) return false;
  const isOwn = 'derived' in evidence && evidence.derived;
  return clock.offsetMs > (isOwn ? ownLifetimeMs : 0);
}

interface Ports {
  readonly protocol: 'udp' | 'tcp' | null;
  readonly spans: readonly string[];
}

/** Of what a finding is about: the ports that it names. */
function portsOf({ evidence }: Finding): Ports {
  const { transport, protocol, port, ports, places } = { ...evidence } as {
    readonly places?: readonly string[];
    readonly transport?: string;
    readonly protocol?: 'udp' | 'tcp';
    readonly port?: number;
    readonly ports?: readonly string[] | string;
  };
  const seen = places?.map((place) => place.replace(/^\S+ /, ''));
  const spans =
    seen !== undefined
      ? seen
      : port !== undefined
        ? [spanText({ first: port, last: port })]
        : Array.isArray(ports)
          ? ports
          : [];
  if (protocol !== undefined) return { protocol, spans };
  return { protocol: transport === undefined ? null : transport === 'udp' ? 'udp' : 'tcp', spans };
}

/** Whether both are about one port, as far as each of them names one. */
export function samePort(cause: Finding, effect: Finding): boolean {
  const [a, b] = [portsOf(cause), portsOf(effect)];
  if (a.protocol !== null && b.protocol !== null && a.protocol !== b.protocol) return false;
  if (a.spans.length === 0 || b.spans.length === 0) return true;
  return a.spans.some((one) => b.spans.some((other) => overlap(one, other)));
}

function overlap(a: string, b: string): boolean {
  const [first = 0, last = first] = a.split('-').map(Number);
  const [from = 0, to = from] = b.split('-').map(Number);
  return first <= to && from <= last;
}

/** Whether it is about TLS alone. What is at a whole server is not. */
export function isOfTls({ code, evidence }: Finding): boolean {
  if (code.startsWith('LOG_')) return true;
  if (code === 'SERVER_UNREACHABLE' || code === 'NOTHING_LISTENS') return false;
  if ('transport' in evidence) return evidence.transport === 'tls';
  return 'title' in evidence && evidence.title.includes('TLS');
}

export function isOption(name: string): (cause: Finding) => boolean {
  return ({ evidence }) => 'option' in evidence && evidence.option === name;
}
