import { familyOf, sameAddress, scopeOf } from '../../model/endpoint.ts';
import { listed, listenerName } from '../../model/catalog/entry.ts';
import type { ClientNetworkFacts, NetworkLine } from '../../model/client-network.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Observations, TargetFacts } from '../../model/observations.ts';
import type { NatReport } from '../../model/report.ts';
import { printable } from '../../model/printable.ts';

type Seen = Pick<Observations, 'targets' | 'controls' | 'interfaces'>;

/** Whether a server itself has answered, which no portal can do in its place: it knew a secret, or the key of a certificate. */
export function serverHasAnswered({ allocate, tls }: TargetFacts): boolean {
  return (
    allocate.state === 'done' ||
    (tls.state === 'done' && tls.value.chainError === null && tls.value.nameError === null)
  );
}

export function clientNetworkFindings(facts: ClientNetworkFacts): Finding[] {
  const { connectivity, web } = facts;
  if (web.state === 'seen' && web.value.status === 511) {
    const seen = `HTTP 511 in answer to a request to ${web.value.address}`;
    return [finding('CAPTIVE_PORTAL', { seen, location: web.value.location })];
  }
  if (connectivity.state === 'seen' && connectivity.value === 'portal') {
    return [
      finding('CAPTIVE_PORTAL', { seen: 'the word of NetworkManager, which is “portal”', location: null }),
    ];
  }
  return [];
}

/** What the network of this machine is like, as far as this run shows it; a line for each question. */
export function networkLines(
  seen: Seen,
  nat: readonly NatReport[] | null,
  facts: ClientNetworkFacts,
): NetworkLine[] {
  return [addresses(seen), natLine(seen, nat), ipv6(seen), leaves(seen), portal(seen, facts)];
}

function addresses({ interfaces }: Seen): NetworkLine {
  const own = interfaces.filter(({ address }) => !['loopback', 'link-local'].includes(scopeOf(address)));
  if (own.length === 0)
    return line('addresses', 'unknown', 'this machine has no address but those of its own');
  const shared = own.some(
    (each) => scopeOf(each.address) === 'cgnat' && !each.interface.startsWith('tailscale'),
  );
  const texts = own.slice(0, mostNamed).map((each) => `${each.address} (${each.interface})`);
  const more = own.length > mostNamed ? ` and ${own.length - mostNamed} more` : '';
  const note = shared ? '; one is of 100.64.0.0/10, which a provider shares out (CGNAT)' : '';
  return line('addresses', 'known', `${texts.join(', ')}${more}${note}`);
}

const mostNamed = 6;

function natLine({ targets, controls, interfaces }: Seen, nat: readonly NatReport[] | null): NetworkLine {
  const summaries = (nat ?? []).filter(({ present }) => present !== null);
  if (summaries.length > 0) {
    return line(
      'nat',
      'known',
      summaries.map(({ family, summary }) => `IPv${family}: ${summary}`).join('. '),
    );
  }
  const mapped = [...targets, ...controls].flatMap(({ binding }) =>
    binding.state === 'done' ? [binding.value.mapped.address] : [],
  );
  const [first] = mapped;
  if (first === undefined) return line('nat', 'unknown', 'no server has said how it sees this machine');
  const own = interfaces.some(({ address }) => sameAddress(address, first));
  const isPublic = scopeOf(first) === 'global';
  if (!own) return line('nat', 'known', `servers see this machine as ${first}, which is an address of a NAT`);
  return isPublic
    ? line('nat', 'known', `servers see this machine as ${first}, an address of its own: no NAT on the way`)
    : line(
        'nat',
        'unknown',
        `the server sees the inner address ${first}, so what lies towards the internet is not seen`,
      );
}

function ipv6({ targets, controls, interfaces }: Seen): NetworkLine {
  const global = interfaces.find(({ address }) => familyOf(address) === 6 && scopeOf(address) === 'global');
  const asked = [...targets, ...controls].filter(
    ({ target }) => target.family === 6 && scopeOf(target.address) === 'global',
  );
  const answered = asked.filter(({ binding }) => binding.state === 'done');
  if (answered.length > 0) return line('ipv6', 'known', 'works: a server answered over it');
  if (global === undefined) return line('ipv6', 'known', 'none: this machine has no global IPv6 address');
  if (asked.length === 0) {
    return line(
      'ipv6',
      'unknown',
      `there is a global address, ${global.address}; no server with IPv6 was asked`,
    );
  }
  return line(
    'ipv6',
    'unknown',
    `there is a global address, ${global.address}, and no server answered over IPv6: it may be broken here or there`,
  );
}

/** What is known to get out: only an answer proves it. */
function leaves({ targets, controls }: Seen): NetworkLine {
  const all = [...targets, ...controls].filter(({ target }) => scopeOf(target.address) !== 'loopback');
  const names = (facts: readonly TargetFacts[]): string[] => [
    ...new Set(facts.map(({ target }) => listenerName(target))),
  ];
  const open = names(
    all.filter(({ binding, challenge }) => binding.state === 'done' || challenge.state === 'done'),
  );
  const silent = names(all).filter((name) => !open.includes(name));
  if (all.length === 0) return line('leaves', 'unknown', 'no server beyond this machine was asked');
  if (open.length === 0) return line('leaves', 'unknown', `nothing came back from ${listed(silent)}`);
  const rest = silent.length === 0 ? '' : `; nothing came back from ${listed(silent)}`;
  return line('leaves', 'known', `${listed(open)}${rest}`);
}

function portal({ targets }: Seen, { connectivity, web }: ClientNetworkFacts): NetworkLine {
  const [found] = clientNetworkFindings({ connectivity, web });
  if (found !== undefined) return line('captive-portal', 'known', 'there is one');
  if (targets.some(serverHasAnswered))
    return line('captive-portal', 'known', 'none: the server itself answered');
  if (connectivity.state === 'seen' && connectivity.value === 'full')
    return line('captive-portal', 'known', 'none, as NetworkManager has it');
  if (web.state === 'unknown') return line('captive-portal', 'unknown', web.because);
  const { address, status, location } = web.value;
  const to = location === null ? '' : `, and sends browsers to ${printable(location)}`;
  return line('captive-portal', 'unknown', `TCP 80 of ${address} answers with HTTP ${status}${to}`);
}

function line(id: NetworkLine['id'], status: NetworkLine['status'], text: string): NetworkLine {
  return { id, status, text };
}
