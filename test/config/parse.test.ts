import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Host } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { RtcOpsError } from '../../src/model/error.ts';

const minimal = 'realm: example.org\nauth: { secret: { file: secret } }\n';

function hostWith(given: Partial<Host> & Pick<Host, 'name'>): Host {
  const ssh = { address: given.name, user: null, port: null };
  return { addresses: [], discoversAddresses: false, ssh, settings: {}, ...given };
}

function complaints(text: string): string[] {
  try {
    parseConfig(text, 'rtc-ops.yaml');
  } catch (error) {
    if (!(error instanceof RtcOpsError) || error.code !== 'configuration') throw error;
    const lines = error.message.split('\n');
    if (lines.length === 1) return lines;
    expect(lines[0]).toBe(`rtc-ops.yaml is wrong in ${lines.length - 1} places:`);
    return lines.slice(1);
  }
  return [];
}

describe('parseConfig', () => {
  it('fills in the defaults', () => {
    expect(parseConfig(minimal, 'rtc-ops.yaml')).toEqual({
      profile: 'turn',
      realm: 'example.org',
      provider: null,
      hosts: [],
      listen: { addresses: [], families: [4, 6], udp: 3478, tcp: 3478, tls: null, extraPorts: [] },
      relay: { addresses: [], ports: { min: 49_152, max: 65_535 }, users: null },
      auth: 'rest',
      secrets: [{ file: 'secret' }],
      users: [],
      tls: null,
      quotas: {},
      peers: { allow: [], deny: [], only: null },
      logging: { to: 'syslog', verbose: false, facility: null, minLevel: null },
      prometheus: null,
      database: null,
      firewall: 'auto',
      discovery: [
        { scheme: 'stun', host: 'stun.l.google.com', port: 19_302, transport: 'udp' },
        { scheme: 'stun', host: 'stun.cloudflare.com', port: 3478, transport: 'udp' },
      ],
    });
  });

  it('takes everything that can be said', () => {
    const text = `
profile: turn
realm: example.org
hosts:
  - stun.example.org
  - name: turn.example.org
    addresses: [203.0.113.10/172.16.0.10, "2001:DB8::10"]
    ssh: { address: 203.0.113.10, user: admin, port: 2222 }
  - { name: auto.example.org, addresses: auto }
listen: { addresses: [0.0.0.0], families: [6, 4], udp: 3478, tcp: off, tls: 443, extraPorts: [80] }
relay: { addresses: [172.16.0.10, "2001:db8::10"], ports: 50000-50999 }
auth:
  method: rest
  secret: [{ env: NEW_SECRET }, { file: old-secret }]
tls: { cert: /etc/ssl/turn.pem, key: /etc/ssl/turn.key }
quotas: { userQuota: 12, totalQuota: 1200, maxBps: 64000, bpsCapacity: 1000000 }
peers: { allow: [10.1.2.3, fd00::/8], deny: [198.51.100.0/24] }
logging: { to: syslog, verbose: true, facility: local3, minLevel: warning }
prometheus: { address: 10.0.0.9, port: 9000, path: /m, usernameLabels: true }
database: { postgresql: { host: db, port: 5433, name: coturn, user: turn, password: { env: DB } } }
firewall: nftables
addressDiscovery: { stun: ["stun:192.0.2.1"] }
`;
    expect(parseConfig(text, 'rtc-ops.yaml')).toEqual({
      profile: 'turn',
      realm: 'example.org',
      provider: null,
      hosts: [
        hostWith({ name: 'stun.example.org' }),
        hostWith({
          name: 'turn.example.org',
          ssh: { address: '203.0.113.10', user: 'admin', port: 2222 },
          addresses: [
            { public: '203.0.113.10', private: '172.16.0.10' },
            { public: '2001:db8::10', private: '2001:db8::10' },
          ],
        }),
        hostWith({ name: 'auto.example.org', discoversAddresses: true }),
      ],
      listen: {
        addresses: ['0.0.0.0'],
        families: [6, 4],
        udp: 3478,
        tcp: null,
        tls: 443,
        extraPorts: [80],
      },
      relay: {
        addresses: ['172.16.0.10', '2001:db8::10'],
        ports: { min: 50_000, max: 50_999 },
        users: null,
      },
      auth: 'rest',
      users: [],
      secrets: [{ env: 'NEW_SECRET' }, { file: 'old-secret' }],
      tls: { cert: '/etc/ssl/turn.pem', key: '/etc/ssl/turn.key', certbot: null },
      quotas: { userQuota: 12, totalQuota: 1200, maxBps: 64_000, bpsCapacity: 1_000_000 },
      peers: {
        allow: [
          { family: 4, first: '10.1.2.3', last: '10.1.2.3' },
          { family: 6, first: 'fd00::', last: 'fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' },
        ],
        deny: [{ family: 4, first: '198.51.100.0', last: '198.51.100.255' }],
        only: null,
      },
      logging: { to: 'syslog', verbose: true, facility: 'local3', minLevel: 'warning' },
      prometheus: { address: '10.0.0.9', port: 9000, path: '/m', usernameLabels: true },
      database: {
        kind: 'postgresql',
        host: 'db',
        port: 5433,
        name: 'coturn',
        user: 'turn',
        password: { env: 'DB' },
      },
      firewall: 'nftables',
      discovery: [{ scheme: 'stun', host: '192.0.2.1', port: 3478, transport: 'udp' }],
    });
  });

  it('needs no secret for a server that does not relay', () => {
    expect(parseConfig('profile: stun-only\nrealm: example.org', 'rtc-ops.yaml').secrets).toEqual([]);
  });

  it('puts TLS on its port when there is a certificate', () => {
    expect(parseConfig(`${minimal}tls: { cert: /c, key: /k }`, 'rtc-ops.yaml').listen.tls).toBe(5349);
  });
});

describe('a complaint', () => {
  it('stands at the value that is wrong', () => {
    expect(complaints(`${minimal}tls:\n  cert: turn.pem\n  key: /k\n`)).toEqual([
      'rtc-ops.yaml:4:9 tls.cert: must be an absolute path: it is that of a file on the TURN server',
    ]);
  });

  it('stands at a key that does not exist, with the one that was meant', () => {
    expect(complaints(`${minimal}tls:\n  crt: /c\n  key: /k\n  cert: /c\nRelay: {}\nfoo: 1`)).toEqual([
      'rtc-ops.yaml:4:3 tls.crt: there is no such key; did you mean cert?',
      'rtc-ops.yaml:7:1 Relay: there is no such key; did you mean relay?',
      'rtc-ops.yaml:8:1 foo: there is no such key; there are profile, realm, provider, hosts, listen, relay, auth, tls, quotas, peers, logging, prometheus, database, firewall, addressDiscovery',
    ]);
  });

  it('stands at the map in which a key is missing', () => {
    expect(complaints('auth:\n  secret: { file: s }\ntls:\n  cert: /c\n')).toEqual([
      'rtc-ops.yaml:1:1 realm: is missing',
      'rtc-ops.yaml:4:3 tls.key: is missing',
    ]);
  });

  it.each([
    ['', 'realm: is missing'],
    ['- a', 'must be a map, not a list'],
    ['realm:', 'realm: has no value'],
    ['realm: 5', 'realm: must be text, not 5'],
    ['realm: " x"', 'realm: must be text without quotes, line breaks, and blanks around it'],
    ['realm: "a\\nb"', 'realm: must be text without quotes, line breaks, and blanks around it'],
    [`realm: ${'é'.repeat(64)}`, 'realm: must be 127 bytes at most'],
    ['profile: stun', 'profile: must be turn or stun-only'],
    ['auth: { secret: hunter2 }', 'auth.secret: must be { file: PATH } or { env: NAME }, or a list of them'],
    ['auth: { secret: [] }', 'auth.secret: must not be empty'],
    ['auth: { secret: { file: 5 } }', 'auth.secret.file: must be text, not 5'],
    ['auth: { secret: { env: "A-B" } }', 'auth.secret.env: must be the name of an environment variable'],
    [
      'auth: { secret: { file: a, env: B } }',
      'auth.secret: must be { file: PATH } or { env: NAME }, or a list of them',
    ],
    ['hosts: turn.example.org', 'hosts: must be a list, not text'],
    ['hosts: [a, b, { name: a }]', 'hosts[2]: names a a second time'],
    ['hosts: [turn_host!]', 'hosts[0]: must be a host name or an IP address'],
    ['hosts: [{ nam: x }]', 'hosts[0].nam: there is no such key; did you mean name?'],
    [
      'hosts: [{ name: x, addresses: [1.2.3] }]',
      'hosts[0].addresses[0]: must be PUBLIC or PUBLIC/PRIVATE, two IP',
    ],
    [
      'hosts: [{ name: x, addresses: [1.2.3.4/::1] }]',
      'hosts[0].addresses[0]: must be PUBLIC or PUBLIC/PRIVATE, two IP',
    ],
    ['listen: { addresses: [eth0] }', 'listen.addresses[0]: must be an IP address'],
    ['listen: { udp: 0 }', 'listen.udp: must be'],
    ['listen: { udp: 3478.5 }', 'listen.udp: must be'],
    ['listen: { udp: on }', 'listen.udp: must be a port (1 to 65535) or off'],
    ['listen: { udp: off, tcp: off }', 'listen: turns udp, tcp and tls all off: nothing would listen'],
    [
      'listen: { tcp: 3479 }',
      'listen.tcp: must be 3478 as listen.udp is, or off: coturn has one port for both',
    ],
    ['listen: { tls: 5349 }', 'listen.tls: needs tls: { cert: PATH, key: PATH }'],
    ['listen: { tls: off }\ntls: { cert: /c, key: /k }', 'listen.tls: is off, but tls names a certificate'],
    [
      'listen: { tls: 3478 }\ntls: { cert: /c, key: /k }',
      'listen.tls: must be another port than that of listen.udp',
    ],
    ['listen: { udp: 50000, tcp: off }', 'listen.udp: must not lie in relay.ports (49152-65535)'],
    [
      'relay: { ports: 60000-50000 }',
      'relay.ports: must be two ports from 1024 to 65535, the lower one first',
    ],
    ['relay: { ports: 100-50000 }', 'relay.ports: must be two ports from 1024 to 65535, the lower one first'],
    [
      'relay: { ports: 50000-70000 }',
      'relay.ports: must be two ports from 1024 to 65535, the lower one first',
    ],
    ['quotas: { maxBps: 64k }', 'quotas.maxBps: must be a number, not text'],
    [
      'quotas: { bpsCapacity: 9 }',
      'quotas.bpsCapacity: needs quotas.maxBps: coturn does not start without it',
    ],
    ['quotas: { maxBps: 10, bpsCapacity: 9 }', 'quotas.maxBps: must be at most quotas.bpsCapacity (9)'],
    ['quotas: { userQuota: 10, totalQuota: 9 }', 'quotas.userQuota: must be at most quotas.totalQuota (9)'],
    ['quotas: { userQuota: 4294967296 }', 'quotas.userQuota: must be at most 2147483647'],
    [
      'peers: { allow: [10.0.0.1/8] }',
      'peers.allow[0]: must be an IP address or a network such as 10.0.0.0/8',
    ],
    [
      'peers: { deny: [10.0.0.0/33] }',
      'peers.deny[0]: must be an IP address or a network such as 10.0.0.0/8',
    ],
    [
      'logging: { to: sylog }',
      'logging.to: must be syslog, stdout, or the absolute path of a file on the TURN server',
    ],
    ['logging: { verbose: yes }', 'logging.verbose: must be true or false, not text'],
    ['tls: on', 'tls: must be off, { cert: PATH, key: PATH }, or { certbot: … }'],
    ['tls: { certbt: {} }', 'tls.certbt: there is no such key; did you mean certbot?'],
    ['tls: { certbot: { email: me } }', 'tls.certbot.email: must be an e-mail address'],
    [
      'tls: { certbot: { server: "http://ca" } }',
      'tls.certbot.server: must be a URL that begins with https://',
    ],
    [
      'tls: { certbot: { challenge: dns } }',
      'tls.certbot.challenge: must be http-01, { webroot: PATH }, or { dns: PLUGIN,',
    ],
    ['tls: { certbot: { challenge: { dns: Cloud Flare } } }', 'challenge.dns: must be the name of a plugin'],
    ['tls: { certbot: {}, cert: /c, key: /k }', 'tls: must be off, { cert: PATH'],
    ['hosts: [{ name: x, addresses: none }]', 'hosts[0].addresses: must be auto, or a list such as'],
    ['hosts: [{ name: x, ssh: { port: 0 } }]', 'hosts[0].ssh.port: must be at least 1'],
    ['hosts: [{ name: x!y }]', 'hosts[0].name: must be a host name or an IP address'],
    ['listen: { families: [5] }', 'listen.families[0]: '],
    ['listen: { families: [] }', 'listen.families: must not be empty'],
    [
      'listen: { families: [6], addresses: [10.0.0.1] }',
      'listen.addresses[0]: is IPv4, which listen.families leaves',
    ],
    ['listen: { families: [6] }\nrelay: { addresses: [10.0.0.1] }', 'relay.addresses[0]: is IPv4, which'],
    ['listen: { extraPorts: [443, 3478] }', 'listen.extraPorts[1]: is 3478, which is open already'],
    ['listen: { extraPorts: [50000] }', 'listen.extraPorts[0]: must not lie in relay.ports (49152-65535)'],
    ['relay: { users: 100, ports: 50000-50999 }', 'relay.users: stands beside ports; one of the two says'],
    ['relay: { users: 100000 }', 'relay.users: must be at most 13884'],
    [
      'relay: { users: 1 }\nlisten: { udp: 65500, tcp: off }',
      'listen.udp: must not lie in the ports for relay.users (65496-',
    ],
    ['auth: { method: static }', 'auth.users: is missing: the method static needs a user at least'],
    ['auth: { method: static, secret: { env: A } }', 'auth.secret: is of no use with method static'],
    ['auth: { secret: { env: A }, users: { a: { env: B } } }', 'auth.users: is of no use with method rest'],
    [
      'auth: { users: { a: hunter2 } }',
      'auth.users.a: must be { file: PATH } or { env: NAME }: secrets do not',
    ],
    ['auth: { users: { "a:b": { env: A } } }', 'auth.users.a:b: must be a name of at most 128 characters'],
    ['peers: { only: [] }', 'peers.only: must not be empty'],
    ['peers: { only: [10.0.0.1], deny: [10.0.0.2] }', 'peers.deny: is of no use beside peers.only'],
    ['peers: { allow: [10.0.0.0/8], deny: [10.0.0.2] }', 'peers.deny[0]: lies in what peers.allow excepts'],
    ['peers: { deny: ["::/0"] }', 'peers.deny[0]: is all of IPv4 as well to coturn'],
    ['peers: { allow: ["::/64"] }', 'peers.allow[0]: is all of IPv4 as well to coturn'],
    ['peers: { deny: [0.0.0.0] }', 'peers.deny[0]: is all of IPv4 as well to coturn'],
    [
      'logging: { to: stdout, facility: local0 }',
      'logging.facility: is of no use unless logging.to is syslog',
    ],
    ['logging: { minLevel: warn }', 'logging.minLevel: must be debug or info or warning or error'],
    ['prometheus: 9641', 'prometheus: must be on, off, or { address: …'],
    ['prometheus: { port: 3478 }', 'prometheus.port: is 3478, on which clients are served'],
    ['prometheus: { port: 50000 }', 'prometheus.port: must not lie in relay.ports (49152-65535)'],
    ['prometheus: { path: metrics }', 'prometheus.path: must be the path of a URL, such as /metrics'],
    ['database: {}', 'database: must be one of sqlite, postgresql and redis'],
    ['database: { sqlite: /a, redis: {} }', 'database: must be one of sqlite, postgresql and redis'],
    ['database: { sqlite: db }', 'database.sqlite: must be an absolute path'],
    [
      'database: { postgresql: { name: a, user: "b c" } }',
      'database.postgresql.user: must be text without blanks',
    ],
    ['firewall: iptables', 'firewall: must be auto or ufw or firewalld or nftables or none'],
    [
      'addressDiscovery: { stun: [stun.example.org] }',
      'addressDiscovery.stun[0]: must be the URI of a STUN server',
    ],
  ])('about %j', (line, complaint) => {
    const key = /^\w*/.exec(line)?.[0] ?? '';
    const others = line.startsWith('-')
      ? []
      : minimal.split('\n').filter((other) => !other.startsWith(`${key}:`));
    const text = line === '' ? '' : [...others, line].join('\n');
    expect(complaints(text)).toContainEqual(expect.stringContaining(complaint));
  });

  it('about a profile that relays without a secret', () => {
    expect(complaints('realm: example.org')).toEqual([
      'rtc-ops.yaml:1:1 auth: is missing: the profile turn needs auth.secret, else anyone could use the relay',
    ]);
  });

  it('about an address that is not relayed from', () => {
    const text = `${minimal}relay: { addresses: [10.0.0.1] }\nhosts:\n  - name: x\n    addresses: [203.0.113.1/10.0.0.2]`;
    expect(complaints(text)).toEqual([
      'rtc-ops.yaml:6:17 hosts[0].addresses[0]: 10.0.0.2 is not among relay.addresses, so that nothing would be relayed there',
    ]);
  });

  it('about YAML that is none, and about a key that stands twice', () => {
    expect(complaints('realm: a\nrealm: b\n')).toEqual(['rtc-ops.yaml:2:1 stands here a second time']);
    expect(complaints('realm: a\n---\nrealm: b\n')).toEqual([
      'rtc-ops.yaml:2:1 begins a second document (---); the configuration is one: keep one in the file',
    ]);
    expect(complaints('realm: "a\n')[0]).toMatch(/^rtc-ops\.yaml:2:1 is not YAML: Missing closing/);
    expect(complaints('a: {')[0]).toMatch(/^rtc-ops\.yaml:1:\d+ is not YAML:/);
  });

  it('about an alias of nothing', () => {
    expect(complaints(`${minimal}tls: *files`)[0]).toMatch(/^rtc-ops\.yaml:3:6 Unresolved alias/);
  });

  it('about aliases that grow without bound', () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const [name, of] of ['ba', 'cb', 'dc', 'ed'])
      bomb.push(`${name}: &${name} [${`*${of}, `.repeat(9)}*${of}]`);
    expect(complaints(bomb.join('\n'))[0]).toMatch(/^rtc-ops\.yaml:1:1 Excessive alias count/);
  });
});

describe('any text', () => {
  it('gives a config or a configuration error', () => {
    const keys = fc.constantFrom(
      'profile',
      'realm',
      'hosts',
      'listen',
      'auth',
      'tls',
      'quotas',
      'peers',
      'logging',
      'x',
    );
    const value = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom('off', '{ file: a }', '[{ env: A }]', '{ cert: /c }'),
    );
    const lines = fc.array(fc.tuple(keys, value), { maxLength: 6 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          lines.map((pairs) => pairs.map((pair) => pair.join(': ')).join('\n')),
        ),
        (text) => {
          for (const complaint of complaints(text)) expect(complaint).toMatch(/^rtc-ops\.yaml:\d+:\d+ \S/);
        },
      ),
      { numRuns: 500 },
    );
  });
});
