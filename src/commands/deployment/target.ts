import type { Connection } from '../../ansible/inventory.ts';
import { configOfHost, type Config, type Host } from '../../config/config.ts';
import { RtcOpsError } from '../../model/error.ts';
import type { HostOptions, Login } from './options.ts';

/** A host of rtc-ops.yaml, and how to get there. */
export interface DeployTarget {
  readonly host: Host;
  /** As it is for this host. */
  readonly config: Config;
  readonly connection: Connection;
  /** How to get there, for a person: `root@203.0.113.10`, `local`. */
  readonly by: string;
}

/**
 * The hosts that a command is for. Each is one of rtc-ops.yaml: that is where stands what it is to be.
 * @throws RtcOpsError `usage`, `configuration`
 */
export function deployTargets(config: Config, options: HostOptions): DeployTarget[] {
  const { local, host: logins, inventory } = options;
  const given = [local === true && '--local', logins && '--host', inventory && '--inventory'].filter(Boolean);
  if (given.length > 1) throw new RtcOpsError('usage', `${given.join(' and ')} exclude each other`);
  if (config.hosts.length === 0) {
    throw new RtcOpsError('configuration', 'rtc-ops.yaml names no host', {
      hint: 'Add hosts: [turn.example.com], the name that clients dial.',
    });
  }
  const target = (host: Host, connection: Connection, by: string): DeployTarget => ({
    host,
    config: configOfHost(config, host),
    connection,
    by,
  });
  if (local === true) return [target(localHost(config, options), { kind: 'local' }, 'local')];
  if (inventory !== undefined)
    return config.hosts.map((host) => target(host, { kind: 'inventory' }, inventory));
  if (logins !== undefined)
    return logins.map((login) =>
      target(hostOf(login, config, logins), { kind: 'ssh', ...login }, spelled(login)),
    );
  return config.hosts.map((host) => target(host, { kind: 'ssh', ...host.ssh }, spelled(host.ssh)));
}

function localHost({ hosts }: Config, { limit }: HostOptions): Host {
  const candidates = limit === undefined ? hosts : hosts.filter(({ name }) => name === limit);
  const [only] = candidates;
  if (only !== undefined && candidates.length === 1) return only;
  throw new RtcOpsError('usage', 'it does not say which of the hosts of rtc-ops.yaml this machine is', {
    hint: `Add --limit with one of ${hosts.map(({ name }) => name).join(', ')}.`,
  });
}

/** The host that a login leads to: by its name or an address of it, or the only one there is. */
function hostOf({ address }: Login, { hosts }: Config, logins: readonly Login[]): Host {
  const named = hosts.find(
    ({ name, ssh, addresses }) =>
      name === address ||
      ssh.address === address ||
      addresses.some((pair) => pair.public === address || pair.private === address),
  );
  if (named !== undefined) return named;
  const [only] = hosts;
  if (only !== undefined && hosts.length === 1 && logins.length === 1) return only;
  throw new RtcOpsError('usage', `--host ${address} is none of the hosts of rtc-ops.yaml`, {
    hint: `They are ${hosts.map(({ name }) => name).join(', ')}; give addresses or ssh.address to the one that is meant.`,
  });
}

function spelled({ address, user, port }: Login): string {
  const host = port === null ? address : `${address.includes(':') ? `[${address}]` : address}:${port}`;
  return user === null ? host : `${user}@${host}`;
}
