import fc from 'fast-check';
import { parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/config.ts';
import type { Passwords } from '../../src/coturn/render.ts';
import { RtcOpsError } from '../../src/model/error.ts';
import { Secret } from '../../src/model/secret.ts';

/** What a config may be made of; on a real machine its own addresses, ports and files. */
export interface Surroundings {
  /** As hosts[].addresses has them; some subset of them is taken. */
  readonly addresses: readonly string[];
  /** Four that do not lie in `relay`. */
  readonly ports: readonly [number, number, number, number];
  readonly relay: { readonly min: number; readonly max: number };
  readonly cert: string;
  readonly key: string;
}

export const elsewhere: Surroundings = {
  addresses: ['203.0.113.10/10.0.0.10', '198.51.100.20', '2001:db8::20', '203.0.113.11/100.64.0.11'],
  ports: [3478, 5349, 443, 9641],
  relay: { min: 49_152, max: 65_535 },
  cert: '/etc/turn/cert.pem',
  key: '/etc/turn/key.pem',
};

/** A valid rtc-ops.yaml as it may be written (JSON is YAML), with every key there or not. */
export function arbitraryYaml(around: Surroundings): fc.Arbitrary<string> {
  return fc
    .record(
      {
        profile: fc.constantFrom('turn', 'stun-only'),
        realm: fc.constantFrom('example.org', 'a realm with blanks'),
        hosts: arbitraryHosts(around),
        auth: arbitraryAuth,
        ...arbitrarySettings(around),
        database: arbitraryDatabase,
      },
      { requiredKeys: ['realm', 'auth'] },
    )
    .map((written) => JSON.stringify(written))
    .filter(isValid);
}

function isValid(text: string): boolean {
  try {
    parseConfig(text, 'rtc-ops.yaml');
    return true;
  } catch (error) {
    if (error instanceof RtcOpsError && error.code === 'configuration') return false;
    throw error;
  }
}

function arbitrarySettings({ ports, relay, cert, key, addresses }: Surroundings) {
  const [plain, secure, further, figures] = ports;
  const optional = { requiredKeys: [] };
  const own = addresses.map((each) => each.split('/').at(-1) ?? '');
  // One that is private and translated to none is what lint has to warn of.
  const untranslated = addresses.filter((each) => !each.includes('/'));
  return {
    listen: fc.record(
      {
        addresses: fc.subarray(untranslated),
        families: fc.constantFrom([4], [6], [4, 6]),
        udp: fc.constantFrom(plain, 'off'),
        tcp: fc.constantFrom(plain, 'off'),
        tls: fc.constantFrom(secure, 'off'),
        extraPorts: fc.constantFrom([], [further]),
      },
      { requiredKeys: ['udp', 'tcp', 'tls'] },
    ),
    relay: fc.oneof(
      fc.record({ ports: fc.constant(`${relay.min}-${relay.max}`), addresses: fc.constantFrom([], own) }),
      fc.record({ users: fc.integer({ min: 1, max: Math.floor((relay.max - relay.min) / 4) }) }),
    ),
    tls: fc.constantFrom('off', { cert, key }),
    quotas: fc.oneof(
      fc.record(
        { userQuota: fc.integer({ min: 1, max: 50 }), totalQuota: fc.integer({ min: 50, max: 5000 }) },
        optional,
      ),
      fc.record(
        {
          maxBps: fc.integer({ min: 1, max: 10_000 }),
          bpsCapacity: fc.integer({ min: 10_000, max: 2 ** 31 - 1 }),
        },
        { requiredKeys: ['maxBps'] },
      ),
    ),
    peers: fc.oneof(
      fc.record(
        {
          allow: fc.subarray(['10.1.2.3', '172.16.9.0/29', '2001:db8:5::1']),
          deny: fc.subarray(['198.51.100.0/24', '2001:db8:9::/48']),
        },
        optional,
      ),
      fc.record({ only: fc.subarray(['10.1.2.3', '203.0.113.7', '2001:db8::7'], { minLength: 1 }) }),
    ),
    logging: fc.oneof(
      fc.record({ to: fc.constantFrom('stdout', '/var/log/turn.log'), verbose: fc.boolean() }, optional),
      fc.record(
        { facility: fc.constantFrom('daemon', 'local7'), minLevel: fc.constantFrom('debug', 'warning') },
        optional,
      ),
    ),
    prometheus: fc.oneof(
      fc.constantFrom('off', 'on'),
      fc.record(
        { port: fc.constant(figures), path: fc.constant('/figures'), usernameLabels: fc.boolean() },
        optional,
      ),
    ),
    firewall: fc.constantFrom('auto', 'ufw', 'firewalld', 'nftables', 'none'),
  };
}

function arbitraryHosts(around: Surroundings): fc.Arbitrary<unknown[]> {
  const { listen, tls, quotas, logging, peers } = arbitrarySettings(around);
  const host = (name: string) =>
    fc.oneof(
      fc.constant(name),
      fc.record(
        {
          name: fc.constant(name),
          addresses: fc.subarray([...around.addresses], { minLength: 1 }),
          ssh: fc.record({ user: fc.constant('admin'), port: fc.constant(2222) }, { requiredKeys: [] }),
          listen,
          tls,
          quotas,
          logging,
          peers,
        },
        { requiredKeys: ['name', 'addresses'] },
      ),
    );
  return fc.oneof(
    host('a.example.org').map((each) => [each]),
    fc.tuple(host('a.example.org'), host('b.example.org')),
  );
}

const source = fc.constantFrom({ env: 'SOME' }, { file: 'some.secret' });

const arbitraryAuth = fc.oneof(
  fc.record({ secret: source }),
  fc.record({ method: fc.constant('rest'), secret: fc.array(source, { minLength: 1, maxLength: 3 }) }),
  fc.record({ users: fc.dictionary(fc.constantFrom('alice', 'bob', 'çelik'), source, { minKeys: 1 }) }),
);

const arbitraryDatabase = fc.oneof(
  fc.record({ sqlite: fc.constant('/var/lib/turn/turndb') }),
  fc.record({
    postgresql: fc.record(
      {
        host: fc.constant('db.example.org'),
        name: fc.constant('coturn'),
        user: fc.constant('turn'),
        password: source,
      },
      { requiredKeys: ['name', 'user'] },
    ),
  }),
  fc.record({
    redis: fc.record(
      { port: fc.constant(6380), database: fc.constant(2), password: source },
      { requiredKeys: [] },
    ),
  }),
);

const strong = '4e8f7a9c3b5d1e0f28a7f3c5e9b1d204';

/** Secrets and passwords that nobody has to object to, for all that a config names. */
export function secretsFor({ secrets, users, database }: Config): {
  secrets: Secret[];
  passwords: Passwords;
} {
  const hasPassword = database !== null && 'password' in database && database.password !== null;
  return {
    secrets: secrets.map((_, index) => new Secret(strong + index)),
    passwords: {
      users: new Map(users.map(({ name }, index) => [name, new Secret(strong + index)])),
      database: hasPassword ? new Secret(strong) : null,
    },
  };
}
