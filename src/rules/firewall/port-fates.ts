import type { Family } from '../../model/endpoint.ts';
import type { FirewallFacts } from '../../model/firewall-facts.ts';
import type { Opening, PortSpan } from '../../model/firewall.ts';
import type { FilterTable } from '../../model/packet-filter.ts';
import { packetFate, type PacketFate } from './packet-path.ts';

/** What becomes of packets to some of the ports of an opening. */
export interface PortFate {
  readonly family: Family;
  readonly ports: PortSpan;
  readonly fate: PacketFate;
  /** For ports that are blocked: whether replies to what this host has sent are let in. */
  readonly repliesPass: boolean;
}

/** Every port of an opening, in as few spans as tell all differences. */
export function portFates(
  opening: Opening,
  tables: readonly FilterTable[],
  { devices, addresses }: Pick<FirewallFacts, 'devices' | 'addresses'>,
): PortFate[] {
  const fates: PortFate[] = [];
  for (const family of opening.families) {
    for (const ports of partsOf(opening.ports, tables)) {
      const packet = {
        family,
        protocol: opening.protocol,
        port: ports.first,
        device: devices[family],
        destinations: addresses,
      };
      const fate = packetFate(tables, { ...packet, state: 'new' });
      const repliesPass =
        fate.state === 'blocked' && packetFate(tables, { ...packet, state: 'established' }).state === 'open';
      const next = { family, ports, fate, repliesPass };
      const before = fates.at(-1);
      if (before !== undefined && alike(before, next)) {
        fates.splice(-1, 1, { ...before, ports: { first: before.ports.first, last: ports.last } });
      } else {
        fates.push(next);
      }
    }
  }
  return fates;
}

function alike(a: PortFate, b: PortFate): boolean {
  return (
    JSON.stringify([a.family, a.fate, a.repliesPass]) === JSON.stringify([b.family, b.fate, b.repliesPass])
  );
}

/** The span, cut wherever a rule begins or ends to speak of its ports: within a part all ports are alike. */
function partsOf({ first, last }: PortSpan, tables: readonly FilterTable[]): PortSpan[] {
  const spans = tables.flatMap(({ chains }) =>
    chains.flatMap(({ rules }) =>
      rules.flatMap(({ matches }) =>
        matches.flatMap((match) => (match.kind === 'port' && match.end === 'destination' ? match.spans : [])),
      ),
    ),
  );
  const cuts = spans.flatMap((span) => [span.first, span.last + 1]);
  const starts = [...new Set([first, ...cuts.filter((each) => each > first && each <= last)])].toSorted(
    (a, b) => a - b,
  );
  return starts.map((start, index) => ({ first: start, last: (starts[index + 1] ?? last + 1) - 1 }));
}
