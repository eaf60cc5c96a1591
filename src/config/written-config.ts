import { networkTexts, type AddressPair } from './address.ts';
import type { PortRange } from './relay-range.ts';
import type { Config, Database, Host, Settings } from './config.ts';
import type { ProviderConfig } from './provider.ts';
import type { SecretSource } from './secret-source.ts';
import { formatTurnUri } from '../model/turn-uri.ts';

/** A value as it stands in rtc-ops.yaml. */
export type Written = string | number | boolean | readonly Written[] | { readonly [key: string]: Written };

type WrittenMap = Record<string, Written>;

/** All of a config in the form in which rtc-ops.yaml has it, with what counts by default spelled out. */
export function writtenConfig(config: Config): WrittenMap {
  // Nothing else counts then.
  if (config.provider !== null) return { provider: writtenProvider(config.provider) };
  return {
    profile: config.profile,
    realm: config.realm,
    hosts: config.hosts.map(writtenHost),
    auth: authOf(config),
    ...writtenSettings(config),
    ...(config.database === null ? {} : { database: databaseOf(config.database) }),
    addressDiscovery: { stun: config.discovery.map(formatTurnUri) },
  };
}

function writtenProvider(provider: ProviderConfig): Written {
  if (provider.kind === 'static') {
    const { uris, user } = provider;
    const known = user === null ? {} : { username: user.name, password: user.password };
    return { static: { urls: uris.map(formatTurnUri), ...known } };
  }
  const { kind, settings, secret, secretKey, endpoint } = provider;
  return { [kind]: present({ ...settings, [secretKey]: secret, endpoint }) };
}

function writtenHost({ name, addresses, discoversAddresses, ssh, settings }: Host): Written {
  const known = discoversAddresses ? 'auto' : addresses.map(pairText);
  return {
    name,
    ...(known.length === 0 ? {} : { addresses: known }),
    ssh: present(ssh),
    ...writtenSettings(settings),
  };
}

function authOf({ auth, secrets, users }: Config): Written {
  const [secret, ...more] = secrets;
  return {
    method: auth,
    ...(secret === undefined ? {} : { secret: more.length === 0 ? secret : [...secrets] }),
    ...(users.length === 0
      ? {}
      : {
          users: Object.fromEntries(
            users.map(({ name, password }): [string, SecretSource] => [name, password]),
          ),
        }),
  };
}

function writtenSettings(settings: Partial<Settings>): WrittenMap {
  const { listen, relay, tls, quotas, peers, logging, prometheus, firewall } = settings;
  return present({
    listen: listen && {
      addresses: [...listen.addresses],
      families: [...listen.families],
      udp: listen.udp ?? 'off',
      tcp: listen.tcp ?? 'off',
      tls: listen.tls ?? 'off',
      extraPorts: [...listen.extraPorts],
    },
    relay: relay && {
      addresses: [...relay.addresses],
      ...(relay.users === null ? { ports: portsText(relay.ports) } : { users: relay.users }),
    },
    tls: tls === undefined ? undefined : writtenTls(tls),
    quotas: quotas && present({ ...quotas }),
    peers: peers && {
      allow: peers.allow.flatMap(networkTexts),
      deny: peers.deny.flatMap(networkTexts),
      ...(peers.only === null ? {} : { only: peers.only.flatMap(networkTexts) }),
    },
    logging: logging && present(logging),
    prometheus: prometheus === undefined ? undefined : prometheus === null ? 'off' : { ...prometheus },
    firewall,
  });
}

function writtenTls(tls: Settings['tls']): Written {
  if (tls === null) return 'off';
  const { cert, key, certbot } = tls;
  if (certbot === null) return { cert, key };
  const { challenge, names, ...others } = certbot;
  return {
    certbot: {
      ...present(others),
      names: [...names],
      challenge: challenge === 'http-01' ? challenge : present(challenge),
    },
  };
}

function databaseOf(database: Database): Written {
  if (database.kind === 'sqlite') return { sqlite: database.path };
  const { kind, ...others } = database;
  return { [kind]: present(others) };
}

/** Without what is not there. */
function present(map: Readonly<Record<string, Written | null | undefined>>): WrittenMap {
  return Object.fromEntries(
    Object.entries(map).flatMap(([key, value]) =>
      value === null || value === undefined ? [] : [[key, value]],
    ),
  );
}

export function portsText({ min, max }: PortRange): string {
  return `${min}-${max}`;
}

export function pairText({ public: outside, private: inside }: AddressPair): string {
  return outside === inside ? outside : `${outside}/${inside}`;
}
