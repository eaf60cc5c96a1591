import { covers, type Network } from './address.ts';
import { configOfHost, type Config, type Settings } from './config.ts';
import { familyOf } from '../model/endpoint.ts';

/** A value that is right by itself and wrong beside others. */
export interface Conflict {
  /** Where it stands, as keys and indices. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What schema.ts cannot see, because it looks at one value at a time. */
export function conflictsIn(config: Config): Conflict[] {
  if (config.provider !== null) return providerConflicts(config);
  const shared = [...duplicateHosts(config), ...authConflicts(config), ...settingConflicts(config)];
  const known = new Set(shared.map(textOf));
  const ofHosts = config.hosts.flatMap((host, index) => [
    ...addressConflicts(configOfHost(config, host), index),
    ...settingConflicts(configOfHost(config, host))
      .filter((conflict) => !known.has(textOf(conflict)))
      .map((conflict) => placedIn(conflict, host.settings, index)),
  ]);
  return [...shared, ...ofHosts];
}

/** With somebody else's servers, what would describe ours has no meaning. */
function providerConflicts({ hosts, secrets, users }: Config): Conflict[] {
  const message = 'stands beside provider, whose servers and users are not ours: leave one of the two out';
  return [
    ...(hosts.length > 0 ? [{ path: ['hosts'], message }] : []),
    ...(secrets.length > 0 || users.length > 0 ? [{ path: ['auth'], message }] : []),
  ];
}

function textOf({ path, message }: Conflict): string {
  return `${path.join('.')} ${message}`;
}

/** In the host when that says something about it, else where it stands for all. */
function placedIn({ path, message }: Conflict, own: Partial<Settings>, index: number): Conflict {
  const [section] = path;
  const isOwn = typeof section === 'string' && Object.keys(own).includes(section);
  return isOwn ? { path: ['hosts', index, ...path], message } : { path, message };
}

function duplicateHosts({ hosts }: Config): Conflict[] {
  return hosts.flatMap(({ name }, index) =>
    hosts.findIndex((other) => other.name === name) < index
      ? [{ path: ['hosts', index], message: `names ${name} a second time` }]
      : [],
  );
}

/** What is wrong with the settings that may be different from host to host. */
function settingConflicts(config: Config): Conflict[] {
  return [
    ...listenConflicts(config),
    ...relayConflicts(config),
    ...quotaConflicts(config),
    ...peerConflicts(config),
    ...loggingConflicts(config),
    ...prometheusConflicts(config),
  ];
}

function authConflicts({ profile, secrets, users, auth }: Config): Conflict[] {
  const unused = auth === 'rest' ? users.length > 0 : secrets.length > 0;
  if (unused) {
    const [key, other] = auth === 'rest' ? ['users', 'secret'] : ['secret', 'users'];
    const message = `is of no use with method ${auth}: coturn takes a secret or users, so leave it out, or auth.${other} and the method`;
    return [{ path: ['auth', key], message }];
  }
  if (profile !== 'turn') return [];
  if (auth === 'static' && users.length === 0) {
    return [{ path: ['auth', 'users'], message: 'is missing: the method static needs a user at least' }];
  }
  if (auth === 'rest' && secrets.length === 0) {
    const message = 'is missing: the profile turn needs auth.secret, else anyone could use the relay';
    return [{ path: ['auth'], message }];
  }
  return [];
}

function listenConflicts({ listen, tls }: Config): Conflict[] {
  const conflicts: Conflict[] = [];
  const { udp, tcp } = listen;
  if (udp === null && tcp === null && listen.tls === null) {
    conflicts.push({ path: ['listen'], message: 'turns udp, tcp and tls all off: nothing would listen' });
  }
  if (udp !== null && tcp !== null && udp !== tcp) {
    conflicts.push({
      path: ['listen', 'tcp'],
      message: `must be ${udp} as listen.udp is, or off: coturn has one port for both`,
    });
  }
  if (listen.tls !== null && tls === null) {
    conflicts.push({ path: ['listen', 'tls'], message: 'needs tls: { cert: PATH, key: PATH }' });
  }
  if (listen.tls === null && tls !== null) {
    conflicts.push({ path: ['listen', 'tls'], message: 'is off, but tls names a certificate' });
  }
  if (listen.tls !== null && (listen.tls === udp || listen.tls === tcp)) {
    conflicts.push({
      path: ['listen', 'tls'],
      message: 'must be another port than that of listen.udp and listen.tcp',
    });
  }
  for (const [index, port] of listen.extraPorts.entries()) {
    if (![udp, tcp, listen.tls].includes(port)) continue;
    conflicts.push({ path: ['listen', 'extraPorts', index], message: `is ${port}, which is open already` });
  }
  return [...conflicts, ...familyConflicts(listen)];
}

function familyConflicts({ addresses, families }: Settings['listen']): Conflict[] {
  return addresses.flatMap((address, index) =>
    families.includes(familyOf(address))
      ? []
      : [
          {
            path: ['listen', 'addresses', index],
            message: `is IPv${familyOf(address)}, which listen.families leaves out`,
          },
        ],
  );
}

function relayConflicts({ profile, listen, relay }: Config): Conflict[] {
  if (profile !== 'turn') return [];
  const { min, max } = relay.ports;
  const range =
    relay.users === null ? `relay.ports (${min}-${max})` : `the ports for relay.users (${min}-${max})`;
  const isRelayed = (port: number | null): boolean => port !== null && port >= min && port <= max;
  const message = `must not lie in ${range}`;
  return [
    ...(['udp', 'tcp', 'tls'] as const)
      .filter((key) => isRelayed(listen[key]))
      .map((key) => ({ path: ['listen', key], message })),
    ...listen.extraPorts.flatMap((port, index) =>
      isRelayed(port) ? [{ path: ['listen', 'extraPorts', index], message }] : [],
    ),
    ...relay.addresses.flatMap((address, index) =>
      listen.families.includes(familyOf(address))
        ? []
        : [
            {
              path: ['relay', 'addresses', index],
              message: `is IPv${familyOf(address)}, which listen.families leaves out`,
            },
          ],
    ),
  ];
}

function addressConflicts({ profile, hosts, relay, listen }: Config, index: number): Conflict[] {
  const addresses = hosts[index]?.addresses ?? [];
  const known = addresses.filter((pair) => listen.families.includes(familyOf(pair.private)));
  if (addresses.length > 0 && known.length === 0) {
    return [{ path: ['hosts', index, 'addresses'], message: 'has no address of listen.families' }];
  }
  if (profile !== 'turn' || relay.addresses.length === 0) return [];
  return addresses.flatMap((pair, position) =>
    relay.addresses.includes(pair.private) || !known.includes(pair)
      ? []
      : [
          {
            path: ['hosts', index, 'addresses', position],
            message: `${pair.private} is not among relay.addresses, so that nothing would be relayed there`,
          },
        ],
  );
}

function quotaConflicts({ quotas }: Config): Conflict[] {
  const { userQuota, totalQuota, maxBps, bpsCapacity } = quotas;
  const conflicts: Conflict[] = [];
  if (bpsCapacity !== undefined && maxBps === undefined) {
    conflicts.push({
      path: ['quotas', 'bpsCapacity'],
      message: 'needs quotas.maxBps: coturn does not start without it',
    });
  }
  if (bpsCapacity !== undefined && maxBps !== undefined && maxBps > bpsCapacity) {
    conflicts.push({
      path: ['quotas', 'maxBps'],
      message: `must be at most quotas.bpsCapacity (${bpsCapacity})`,
    });
  }
  if (userQuota !== undefined && totalQuota !== undefined && userQuota > totalQuota) {
    conflicts.push({
      path: ['quotas', 'userQuota'],
      message: `must be at most quotas.totalQuota (${totalQuota})`,
    });
  }
  return conflicts;
}

function peerConflicts({ peers: { allow, deny, only } }: Config): Conflict[] {
  const isBoundless = ({ first, last }: Network): boolean => first === '::' || last === '0.0.0.0';
  const boundless = Object.entries({ allow, deny, only: only ?? [] }).flatMap(([key, networks]) =>
    networks.flatMap((each, index) =>
      // addr_any() of coturn's ns_turn_ioaddr.c: an end of zeros counts as no end at all, and no end matches either family.
      isBoundless(each) ? [{ path: ['peers', key, index], message: boundlessMessage }] : [],
    ),
  );
  const beside = (['allow', 'deny'] as const).filter(
    (key) => only !== null && { allow, deny }[key].length > 0,
  );
  return [
    ...boundless,
    ...beside.map((key) => ({
      path: ['peers', key],
      message: 'is of no use beside peers.only, which names all that is allowed',
    })),
    ...deny.flatMap((each, index) =>
      allow.some((exception) => covers(exception, each))
        ? [
            {
              path: ['peers', 'deny', index],
              message: 'lies in what peers.allow excepts, which coturn looks at first',
            },
          ]
        : [],
    ),
  ];
}

const boundlessMessage =
  'is all of IPv4 as well to coturn; name the networks that matter (all that is given out of IPv6 is 2000::/3)';

function loggingConflicts({ logging }: Config): Conflict[] {
  if (logging.facility === null || logging.to === 'syslog') return [];
  return [{ path: ['logging', 'facility'], message: 'is of no use unless logging.to is syslog' }];
}

function prometheusConflicts({ prometheus, listen, relay, profile }: Config): Conflict[] {
  if (prometheus === null) return [];
  const { port } = prometheus;
  const path = ['prometheus', 'port'];
  if ([listen.tcp, listen.tls, ...listen.extraPorts].includes(port)) {
    return [{ path, message: `is ${port}, on which clients are served` }];
  }
  const { min, max } = relay.ports;
  if (profile !== 'turn' || port < min || port > max) return [];
  return [{ path, message: `must not lie in relay.ports (${min}-${max})` }];
}
