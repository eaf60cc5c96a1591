import type { Config } from './config.ts';

/** A value that is right by itself and wrong beside others. */
export interface Conflict {
  /** Where it stands, as keys and indices. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What schema.ts cannot see, because it looks at one value at a time. */
export function conflictsIn(config: Config): Conflict[] {
  return [
    ...hostConflicts(config),
    ...authConflicts(config),
    ...listenConflicts(config),
    ...relayConflicts(config),
    ...quotaConflicts(config),
  ];
}

function hostConflicts({ hosts }: Config): Conflict[] {
  return hosts.flatMap(({ name }, index) =>
    hosts.findIndex((other) => other.name === name) < index
      ? [{ path: ['hosts', index], message: `names ${name} a second time` }]
      : [],
  );
}

function authConflicts({ profile, secrets }: Config): Conflict[] {
  if (profile !== 'turn' || secrets.length > 0) return [];
  return [
    {
      path: ['auth'],
      message: 'is missing: the profile turn needs auth.secret, else anyone could use the relay',
    },
  ];
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
  return conflicts;
}

function relayConflicts({ profile, listen, relay, hosts }: Config): Conflict[] {
  if (profile !== 'turn') return [];
  const conflicts: Conflict[] = [];
  const { min, max } = relay.ports;
  for (const key of ['udp', 'tcp', 'tls'] as const) {
    const port = listen[key];
    if (port !== null && port >= min && port <= max) {
      conflicts.push({ path: ['listen', key], message: `must not lie in relay.ports (${min}-${max})` });
    }
  }
  for (const [index, { addresses }] of hosts.entries()) {
    for (const [position, pair] of addresses.entries()) {
      if (relay.addresses.length === 0 || relay.addresses.includes(pair.private)) continue;
      conflicts.push({
        path: ['hosts', index, 'addresses', position],
        message: `${pair.private} is not among relay.addresses, so that nothing would be relayed there`,
      });
    }
  }
  return conflicts;
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
