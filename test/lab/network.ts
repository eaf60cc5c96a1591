import type { Scenario, ServerSite, Site } from './scenarios.ts';

/**
 * What a scenario is made of: hosts, the cables between them, and how each host is set up. Plain data; `namespaces.ts` makes
 * it real. Public addresses are those of the documentation networks (RFC 5737, RFC 3849), which nothing real has.
 */
export interface Network {
  readonly hosts: readonly Host[];
  readonly cables: readonly Cable[];
}

export type HostName = 'internet' | 'server' | 'server-nat' | 'a' | 'a-nat' | 'b' | 'b-nat' | 'elsewhere';

export interface Host {
  readonly name: HostName;
  /** Lines for `ip -batch`. */
  readonly ip: readonly string[];
  /** Whether it is a router. */
  readonly forwards?: boolean;
  /** For `nft -f`. */
  readonly ruleset?: string;
}

/** An Ethernet cable between two devices, with what it does to packets, if anything. */
export interface Cable {
  readonly ends: readonly [Plug, Plug];
  readonly line?: Site['line'];
}

export interface Plug {
  readonly host: HostName;
  readonly device: string;
}

/** The addresses that tests and people need to know. */
export const addresses = {
  server: { 4: '203.0.113.10', 6: '2001:db8:113::10' },
  /** Its second addresses, for RFC 5780. */
  serverAlternate: { 4: '203.0.113.11', 6: '2001:db8:113::11' },
  serverBehindNat: '172.16.0.10',
  a: '198.51.100.10',
  b: '192.0.2.10',
  /** Of a host at a third site, with no firewall. */
  elsewhere: '203.0.113.130',
} as const;

interface SitePlan {
  readonly name: 'a' | 'b';
  /** Of the network between the internet and the site. */
  readonly gateway: string;
  readonly address: string;
  /** `10.1.0`, without the host's part. */
  readonly lan: string;
}

const siteA: SitePlan = { name: 'a', gateway: '198.51.100.1', address: addresses.a, lan: '10.1.0' };
const siteB: SitePlan = { name: 'b', gateway: '192.0.2.1', address: addresses.b, lan: '10.2.0' };

const v6 = {
  server: { gateway: '2001:db8:113::1' },
  a: { gateway: '2001:db8:100::1', router: '2001:db8:100::10', lan: '2001:db8:a::' },
} as const;

export function networkOf({ a, b, server = {} }: Scenario): Network {
  const sites = [
    siteNetwork(siteA, a, b === 'beside a' ? 2 : 1),
    ...(b === 'beside a' ? [neighbour(siteA)] : [siteNetwork(siteB, b, 1)]),
    serverNetwork(server),
    thirdSite,
  ];
  return {
    hosts: [internet(a, b), ...sites.flatMap(({ hosts }) => hosts)],
    cables: sites.flatMap(({ cables }) => cables),
  };
}

/**
 * The internet is one router. It knows the public networks; what is sent to any other address vanishes in it, without an
 * error message, as what is sent to a private address mostly does out there.
 */
function internet(a: Site, b: Site | 'beside a'): Host {
  const v6Only = a.family === 6;
  return {
    name: 'internet',
    forwards: true,
    ip: [
      ...device('server', '203.0.113.1/25', `${v6.server.gateway}/64`),
      ...device('a', v6Only ? `${v6.a.gateway}/64` : `${siteA.gateway}/24`),
      ...(b === 'beside a' ? [] : device('b', `${siteB.gateway}/24`)),
      ...device('elsewhere', '203.0.113.129/25'),
      'route add blackhole default',
      'route add blackhole ::/0',
      ...(v6Only ? [`route add ${v6.a.lan}/64 via ${v6.a.router}`] : []),
    ],
  };
}

/** Lines that give a device its addresses and switch it on. */
function device(name: string, ...cidrs: readonly string[]): string[] {
  return [
    ...cidrs.map((cidr) => `addr add ${cidr} dev ${name}${cidr.includes(':') ? ' nodad' : ''}`),
    `link set dev ${name} up`,
  ];
}

function cable(from: HostName, fromDevice: string, to: HostName, toDevice: string): Cable {
  return {
    ends: [
      { host: from, device: fromDevice },
      { host: to, device: toDevice },
    ],
  };
}

// --- clients ---

function siteNetwork(plan: SitePlan, site: Site, clients: 1 | 2): Network {
  const { name, gateway, address, lan } = plan;
  if (site.nat === 'none' && site.family !== 6) {
    const ip = [...device('eth0', `${address}/24`), `route add default via ${gateway}`];
    return { hosts: [{ name, ip }], cables: [cable(name, 'eth0', 'internet', name)] };
  }
  const router: HostName = `${name}-nat`;
  const ports = (['a', 'b'] as const).filter((port) => port === name || clients === 2);
  const outer: Cable = {
    ...cable(router, 'wan', 'internet', name),
    ...(site.line === undefined ? {} : { line: site.line }),
  };
  return {
    hosts: [
      {
        name: router,
        forwards: true,
        ip: [
          'link add lan type bridge',
          ...ports.flatMap((port) => [`link set dev ${port} master lan`, `link set dev ${port} up`]),
          ...(site.family === 6
            ? [...device('lan', `${v6.a.lan}1/64`), ...device('wan', `${v6.a.router}/64`)]
            : [...device('lan', `${lan}.1/24`), ...device('wan', `${address}/24`)]),
          site.family === 6 ? `route add ::/0 via ${v6.a.gateway}` : `route add default via ${gateway}`,
        ],
        ruleset: [routerRuleset(site, `${lan}.2`), egressRuleset(site.egress ?? [])].join('\n'),
      },
      client(plan, name, 2, site.family),
    ],
    cables: [outer, cable(name, 'eth0', router, name)],
  };
}

/** The second client behind a router. */
function neighbour(plan: SitePlan): Network {
  return { hosts: [client(plan, 'b', 3, 4)], cables: [cable('b', 'eth0', `${plan.name}-nat`, 'b')] };
}

function client({ lan }: SitePlan, name: 'a' | 'b', number: number, family: 4 | 6 = 4): Host {
  return family === 6
    ? {
        name,
        ip: [...device('eth0', `${v6.a.lan}${number}/64`), `route add ::/0 via ${v6.a.lan}1`],
      }
    : { name, ip: [...device('eth0', `${lan}.${number}/24`), `route add default via ${lan}.1`] };
}

/**
 * What was not asked for is dropped, not rejected, and before conntrack confirms it: an early packet of a peer must not
 * leave an entry that takes the client's port away, which would turn a cone NAT into a symmetric one for that peer.
 */
function routerRuleset({ nat }: Site, clientAddress: string): string {
  const random = nat === 'symmetric' ? ' fully-random' : '';
  const forwarding = `chain prerouting {
        type nat hook prerouting priority dstnat;
        iifname "wan" udp dport 1024-65535 dnat to ${clientAddress}
      }`;
  const translation = `table ip nat {
      ${nat === 'full cone' ? forwarding : ''}
      chain postrouting { type nat hook postrouting priority srcnat; oifname "wan" masquerade${random}; }
    }`;
  return `${nat === 'none' ? '' : translation}
    table inet unasked {
      chain input { type filter hook input priority filter; iifname "wan" ct state new drop; }
      chain forward { type filter hook forward priority filter; iifname "wan" ct state new ct status & dnat == 0 drop; }
    }`;
}

function egressRuleset(statements: readonly string[]): string {
  if (statements.length === 0) return '';
  const rules = statements.map((statement) => `iifname "lan" ${statement}`).join('\n');
  return `table inet egress {
      chain forward {
        type filter hook forward priority filter - 10;
        ${rules}
      }
    }`;
}

// --- elsewhere ---

/** Where what the probe uses beside the server runs: a server that is known to work, an outside peer. */
const thirdSite: Network = {
  hosts: [
    {
      name: 'elsewhere',
      ip: [...device('eth0', `${addresses.elsewhere}/25`), 'route add default via 203.0.113.129'],
    },
  ],
  cables: [cable('elsewhere', 'eth0', 'internet', 'elsewhere')],
};

// --- the server ---

function serverNetwork(site: ServerSite): Network {
  return site.nat === '1:1' ? natServer(site) : publicServer(site);
}

function publicServer(site: ServerSite): Network {
  const v4 = [addresses.server[4], addresses.serverAlternate[4]].map((address) => `${address}/25`);
  const v6s = [addresses.server[6], addresses.serverAlternate[6]].map((address) => `${address}/64`);
  const everything = ['default'];
  const publicNetworks = ['198.51.100.0/24', '192.0.2.0/24', '203.0.113.128/25'];
  return {
    hosts: [
      {
        name: 'server',
        ip: [
          ...device('eth0', ...v4, ...v6s),
          ...(site.routes === 'public networks' ? publicNetworks : everything).map(
            (destination) => `route add ${destination} via 203.0.113.1`,
          ),
          `route add ::/0 via ${v6.server.gateway}`,
        ],
        ruleset: serverRuleset(site),
      },
    ],
    cables: [cable('server', 'eth0', 'internet', 'server')],
  };
}

function natServer(site: ServerSite): Network {
  const inside = addresses.serverBehindNat;
  return {
    hosts: [
      {
        name: 'server-nat',
        forwards: true,
        ip: [
          ...device('wan', `${addresses.server[4]}/25`),
          ...device('lan', '172.16.0.1/24'),
          'route add default via 203.0.113.1',
        ],
        ruleset: `table ip nat {
            chain prerouting { type nat hook prerouting priority dstnat; iifname "wan" dnat to ${inside}; }
            chain postrouting {
              type nat hook postrouting priority srcnat;
              oifname "wan" ip saddr ${inside} snat to ${addresses.server[4]}
            }
          }`,
      },
      {
        name: 'server',
        ip: [...device('eth0', `${inside}/24`), 'route add default via 172.16.0.1'],
        ruleset: serverRuleset(site),
      },
    ],
    cables: [cable('server-nat', 'wan', 'internet', 'server'), cable('server', 'eth0', 'server-nat', 'lan')],
  };
}

/** What the server sends to itself meets no firewall, as on a real host. */
function serverRuleset({ ingress = [], egress = [] }: ServerSite): string {
  if (ingress.length + egress.length === 0) return '';
  const chain = (hook: 'input' | 'output', match: string, statements: readonly string[]): string => `
      chain ${hook} {
        type filter hook ${hook} priority filter;
        ${statements.map((statement) => `${match} "eth0" ${statement}`).join('\n')}
      }`;
  return `table inet firewall {
    ${chain('input', 'iifname', ingress)}
    ${chain('output', 'oifname', egress)}
  }`;
}
