import type { PortSpan } from '../../model/firewall.ts';
import type { FilterCondition, FilterMatch } from '../../model/packet-filter.ts';

/** The elements of the sets and maps of a table, by name. */
export type NamedSets = ReadonlyMap<string, unknown>;

type Json = Readonly<Record<string, unknown>>;

/** One condition of nftables: `left op right`, with what it says of the protocol or the family besides. */
export function matchOf(op: string, left: unknown, right: unknown, sets: NamedSets): FilterMatch[] {
  if (typeof left !== 'object' || left === null) return [unknown('a condition')];
  const negated = op === '!=';
  const yes = (condition: FilterCondition): FilterMatch => ({ ...condition, negated: false });
  const values = valuesOf(right, sets);
  const expression = left as Json;
  const payload = expression['payload'] as Json | undefined;
  const masked = expression['&'] as readonly unknown[] | undefined;
  if (masked !== undefined) return maskedMatch(masked, values, negated);
  if (payload !== undefined) {
    const { protocol, field } = payload;
    const implied = impliedBy(String(protocol)).map(yes);
    return [...implied, { ...payloadCondition(String(protocol), String(field), op, values), negated }];
  }
  return [{ ...plainCondition(expression, values), negated }];
}

function unknown(what: string): FilterMatch {
  return { kind: 'unknown', what, negated: false };
}

/** A field of UDP is looked for in UDP alone. */
function impliedBy(protocol: string): FilterCondition[] {
  if (protocol === 'ip') return [{ kind: 'family', family: 4 }];
  if (protocol === 'ip6') return [{ kind: 'family', family: 6 }];
  return protocol === 'th' || protocol === 'ether' ? [] : [{ kind: 'protocol', names: [protocol] }];
}

function payloadCondition(
  protocol: string,
  field: string,
  op: string,
  values: readonly unknown[],
): FilterCondition {
  const name = `${protocol} ${field}`;
  if (field === 'dport' || field === 'sport') {
    const spans = spansOf(values, op);
    if (spans === null) return { kind: 'unknown', what: name };
    return { kind: 'port', end: field === 'dport' ? 'destination' : 'source', spans };
  }
  if (name === 'ip protocol' || name === 'ip6 nexthdr')
    return { kind: 'protocol', names: values.map(String) };
  if ((protocol === 'ip' || protocol === 'ip6') && (field === 'saddr' || field === 'daddr')) {
    const networks = values.map(networkOf);
    if (networks.includes(null)) return { kind: 'unknown', what: name };
    return {
      kind: 'address',
      end: field === 'saddr' ? 'source' : 'destination',
      networks: networks.filter((each) => each !== null),
    };
  }
  if (name === 'tcp flags' && op === 'in') {
    // One of them is enough, and a packet that opens a connection has SYN alone.
    return values.includes('syn')
      ? { kind: 'tcp-flags', mask: ['syn'], flags: ['syn'] }
      : { kind: 'tcp-flags', mask: values.map(String), flags: values.map(String) };
  }
  return { kind: 'unknown', what: name };
}

/** `tcp flags & (fin|syn) == syn`. Of marks it is not known here who sets them. */
function maskedMatch(
  [field, mask]: readonly unknown[],
  values: readonly unknown[],
  negated: boolean,
): FilterMatch[] {
  const payload = (field as Json | undefined)?.['payload'] as Json | undefined;
  if (payload?.['protocol'] !== 'tcp' || payload['field'] !== 'flags') return [unknown('a mask')];
  const flags = values.map(String).filter((each) => each !== '0');
  return [
    { kind: 'protocol', names: ['tcp'], negated: false },
    { kind: 'tcp-flags', mask: [mask].flat().map(String), flags, negated },
  ];
}

function plainCondition(left: Json, values: readonly unknown[]): FilterCondition {
  const meta = (left['meta'] as Json | undefined)?.['key'];
  const ct = (left['ct'] as Json | undefined)?.['key'];
  const fib = left['fib'] as Json | undefined;
  const names = values.map(String);
  if (meta === 'l4proto') return { kind: 'protocol', names };
  if (meta === 'nfproto' || meta === 'protocol') return familyCondition(names);
  if (meta === 'iifname' || meta === 'iif') return { kind: 'interface', end: 'in', names };
  if (meta === 'oifname' || meta === 'oif') return { kind: 'interface', end: 'out', names };
  if (meta === 'pkttype') {
    return names.some((each) => each === 'host' || each === 'unicast')
      ? { kind: 'address-type', end: 'destination', types: ['local'] }
      : { kind: 'never' };
  }
  if (ct === 'state') return { kind: 'state', states: names };
  // Nothing has translated a packet that is on its way to this host itself.
  if (ct === 'status' && names.every((each) => each === 'dnat' || each === 'snat')) return { kind: 'never' };
  if (ct === 'direction')
    return names.includes('original')
      ? { kind: 'state', states: ['new', 'untracked'] }
      : { kind: 'state', states: ['established'] };
  if (fib !== undefined) return fibCondition(fib, values);
  const key = meta ?? ct;
  return {
    kind: 'unknown',
    what: typeof key === 'string' ? `${meta === undefined ? 'ct' : 'meta'} ${key}` : 'a condition',
  };
}

function familyCondition(names: readonly string[]): FilterCondition {
  const is4 = names.some((each) => each === 'ipv4' || each === 'ip');
  const is6 = names.some((each) => each === 'ipv6' || each === 'ip6');
  if (is4 && is6) return { kind: 'protocol', names: ['tcp', 'udp'] };
  if (!is4 && !is6) return { kind: 'never' };
  return { kind: 'family', family: is4 ? 4 : 6 };
}

function fibCondition({ result, flags }: Json, values: readonly unknown[]): FilterCondition {
  const at = new Set([flags].flat().map(String));
  if (result === 'type') {
    const end = at.has('daddr') ? 'destination' : 'source';
    return { kind: 'address-type', end, types: values.map(String) };
  }
  // The check of the return path: what comes in where the default route goes out passes it.
  if (result === 'oif' && at.has('saddr') && values.every((each) => each === false)) return { kind: 'never' };
  return { kind: 'unknown', what: 'fib' };
}

/** The values on the right: one, those of a set, or those of a set by its name. */
function valuesOf(right: unknown, sets: NamedSets): unknown[] {
  if (typeof right === 'string' && right.startsWith('@')) return elementsOf(sets.get(right.slice(1)));
  if (typeof right === 'object' && right !== null && 'set' in right) return elementsOf(right.set);
  return elementsOf([right]);
}

function elementsOf(list: unknown): unknown[] {
  // Flags stand in a list of their own: `ct state established,related`.
  return [list].flat(2).map((each: unknown) => {
    const element = typeof each === 'object' && each !== null && 'elem' in each ? each.elem : each;
    return typeof element === 'object' && element !== null && 'val' in element ? element.val : element;
  });
}

function spansOf(values: readonly unknown[], op: string): PortSpan[] | null {
  const spans = values.map((value): PortSpan | null => {
    if (typeof value === 'number') return compared(value, op);
    const range = (value as Json | null)?.['range'];
    if (!Array.isArray(range) || range.some((each) => typeof each !== 'number')) return null;
    const [first, last] = range as [number, number];
    return { first, last };
  });
  return spans.includes(null) ? null : spans.filter((each) => each !== null);
}

function compared(value: number, op: string): PortSpan {
  switch (op) {
    case '<':
      return { first: 0, last: value - 1 };
    case '<=':
      return { first: 0, last: value };
    case '>':
      return { first: value + 1, last: 65_535 };
    case '>=':
      return { first: value, last: 65_535 };
    default:
      return { first: value, last: value };
  }
}

function networkOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  const { prefix, range } = (value ?? {}) as { prefix?: { addr: string; len: number }; range?: string[] };
  if (prefix !== undefined) return `${prefix.addr}/${prefix.len}`;
  return range === undefined ? null : range.join('-');
}
