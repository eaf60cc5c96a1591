import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { valuesOf } from '../../src/coturn/directive.ts';
import { hasOption } from '../../src/coturn/options.ts';
import { parseDirectives } from '../../src/coturn/parse.ts';
import { renderConfig } from '../../src/coturn/render.ts';
import { knownVersions } from '../../src/coturn/versions.ts';
import { Secret } from '../../src/model/secret.ts';

const minimal = 'realm: example.org\nauth: { secret: { env: S } }\n';
const secrets = [new Secret('s3cret')];

type Options = Partial<Parameters<typeof renderConfig>[1]>;

function render(yaml: string, options: Options = {}): string {
  const text = yaml.includes('auth:') ? `realm: example.org\n${yaml}` : minimal + yaml;
  return renderConfig(parseConfig(text, 'rtc-ops.yaml'), { version: '4.6.1', secrets, ...options });
}

/** The values of the directives of one name. */
function values(name: string, ...rendering: Parameters<typeof render>): string[] {
  return valuesOf(parseDirectives(render(...rendering)), name);
}

function names(...rendering: Parameters<typeof render>): string[] {
  return parseDirectives(render(...rendering)).map(({ name }) => name);
}

describe('renderConfig', () => {
  it('asks for credentials, hides its version, and opens nothing more than it must', () => {
    const rendered = names('');
    for (const name of [
      'use-auth-secret',
      'fingerprint',
      'no-multicast-peers',
      'no-tcp-relay',
      'no-cli',
      'no-software-attribute',
      'no-tls',
      'no-dtls',
      'no-rfc5780',
    ]) {
      expect(rendered).toContain(name);
    }
    expect(values('realm', '')).toEqual(['example.org']);
    expect(values('static-auth-secret', '')).toEqual(['s3cret']);
    expect(values('stale-nonce', '')).toEqual(['600']);
    expect([...values('min-port', ''), ...values('max-port', '')]).toEqual(['49152', '65535']);
  });

  it.each(knownVersions)('has only options that coturn %s knows', (version) => {
    const everything = `
hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1] }]
tls: { cert: /c, key: /k }
quotas: { userQuota: 1, totalQuota: 2, maxBps: 3, bpsCapacity: 4 }
peers: { allow: [127.0.0.0/8, 10.0.0.0/8], deny: [198.51.100.7] }
logging: { to: /var/log/turn.log, verbose: true }`;
    for (const yaml of ['', 'profile: stun-only', 'logging: { to: stdout }', everything]) {
      expect(names(yaml, { version }).filter((name) => !hasOption(version, name))).toEqual([]);
    }
  });

  it('differs between versions where it must', () => {
    const tls = 'tls: { cert: /c, key: /k }';
    const [old, debian, current] = ['4.5.2', '4.6.1', '4.17'].map((version) => names(tls, { version }));
    const lacking = (more: string[] = [], less: string[] = []): string[] =>
      more.filter((name) => !less.includes(name));
    expect(lacking(debian, old)).toEqual([
      'no-rfc5780',
      'no-stun-backward-compatibility',
      'response-origin-only-with-rfc5780',
    ]);
    expect(lacking(old, debian)).toEqual([]);
    expect(lacking(debian, current)).toEqual([
      'no-tlsv1',
      'no-tlsv1_1',
      'no-dtls',
      'no-cli',
      'no-software-attribute',
      'no-rfc5780',
      'no-stun-backward-compatibility',
      'response-origin-only-with-rfc5780',
    ]);
    expect(lacking(current, debian)).toEqual([]);
  });

  it('relays nothing for stun-only, and still knows no anonymous user', () => {
    const rendered = names('profile: stun-only');
    expect(rendered).toEqual(expect.arrayContaining(['stun-only', 'lt-cred-mech', 'realm']));
    expect(rendered).not.toContain('min-port');
    expect(render('profile: stun-only')).not.toContain('s3cret');
  });

  it('takes every secret of a rotation', () => {
    const config = parseConfig(minimal, 'rtc-ops.yaml');
    const text = renderConfig(config, { version: '4.6.1', secrets: [new Secret('new'), new Secret('old')] });
    expect(valuesOf(parseDirectives(text), 'static-auth-secret')).toEqual(['new', 'old']);
  });

  it('hides the secrets when asked to', () => {
    expect(render('', { redact: true })).toBe(
      render('').replace('static-auth-secret=s3cret', '# static-auth-secret=[redacted]'),
    );
  });

  it('writes no relay without a secret', () => {
    const config = parseConfig(minimal, 'rtc-ops.yaml');
    expect(() => renderConfig(config, { version: '4.6.1', secrets: [] })).toThrow('without a secret');
  });

  it('refuses an unknown version', () => {
    expect(() => render('', { version: '4.19.0' })).toThrow('coturn 4.19.0 is not a known version');
  });
});

describe('addresses', () => {
  const nat = 'hosts: [{ name: h, addresses: [203.0.113.1/172.16.0.10, "2001:db8::1"] }]\n';

  it('are those of the host: inside to listen and relay, outside to hand out', () => {
    expect(values('listening-ip', nat)).toEqual(['172.16.0.10', '2001:db8::1']);
    expect(values('relay-ip', nat)).toEqual(['172.16.0.10', '2001:db8::1']);
    expect(values('external-ip', nat)).toEqual(['203.0.113.1/172.16.0.10']);
  });

  it('are those that are asked for', () => {
    const asked = `${nat}listen: { addresses: [0.0.0.0] }\nrelay: { addresses: [172.16.0.10, "2001:db8::1"] }`;
    expect(values('listening-ip', asked)).toEqual(['0.0.0.0']);
    expect(values('relay-ip', asked)).toEqual(['172.16.0.10', '2001:db8::1']);
  });

  it('are left to coturn when none is known', () => {
    expect(values('listening-ip', 'hosts: [h]')).toEqual([]);
    expect(values('relay-ip', 'hosts: [h]')).toEqual([]);
  });

  it('are never all of them to relay from', () => {
    expect(() => render('listen: { addresses: ["::"] }')).toThrow(
      'coturn would hand out :: as its relay address',
    );
  });

  it('are those of the host that is named', () => {
    const two = 'hosts: [{ name: a, addresses: [203.0.113.1] }, { name: b, addresses: [203.0.113.2] }]';
    expect(values('listening-ip', two, { host: 'b' })).toEqual(['203.0.113.2']);
    expect(() => render(two)).toThrow(
      expect.objectContaining({ code: 'usage', hint: expect.stringContaining('a, b') }),
    );
    expect(() => render(two, { host: 'c' })).toThrow('c is none of the hosts');
  });
});

describe('listeners', () => {
  it.each([
    ['listen: { udp: 3479, tcp: 3479 }', ['listening-port=3479'], ['no-udp', 'no-tcp']],
    ['listen: { tcp: off }', ['listening-port=3478', 'no-tcp'], ['no-udp']],
    ['listen: { udp: off }', ['listening-port=3478', 'no-udp'], ['no-tcp']],
    [
      'listen: { udp: off, tcp: off, tls: 443 }\ntls: { cert: /c.pem, key: /k.pem }',
      [
        ...[
          'tls-listening-port=443',
          'no-udp',
          'no-tcp',
          'cert=/c.pem',
          'pkey=/k.pem',
          'no-tlsv1',
          'no-tlsv1_1',
        ],
        'cipher-list=ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM',
      ],
      ['no-tls', 'listening-port=3478'],
    ],
  ])('%s', (yaml, there, missing) => {
    const lines = render(yaml).split('\n');
    expect(lines).toEqual(expect.arrayContaining(there));
    for (const line of missing) expect(lines).not.toContain(line);
  });
});

describe('logging', () => {
  it.each([
    ['', ['syslog', 'no-stdout-log'], ['verbose']],
    ['logging: { to: stdout, verbose: true }', ['log-file=stdout', 'verbose'], ['syslog']],
    [
      'logging: { to: /var/log/turn.log }',
      ['log-file=/var/log/turn.log', 'simple-log', 'no-stdout-log'],
      ['syslog'],
    ],
  ])('%s', (yaml, there, missing) => {
    const lines = render(yaml).split('\n');
    expect(lines).toEqual(expect.arrayContaining(there));
    for (const line of missing) expect(lines).not.toContain(line);
  });
});

describe('families', () => {
  const both = 'hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1, "2001:db8::1"] }]\n';

  it('leave out the addresses of the other', () => {
    const only6 = `${both}listen: { families: [6] }`;
    expect(values('listening-ip', only6)).toEqual(['2001:db8::1']);
    expect(values('relay-ip', only6)).toEqual(['2001:db8::1']);
    expect(values('external-ip', only6)).toEqual([]);
    expect(values('external-ip', `${both}listen: { families: [4] }`)).toEqual(['203.0.113.1/10.0.0.1']);
  });

  it('cannot be had without addresses', () => {
    expect(() => render('listen: { families: [4] }')).toThrow('listen.families: coturn cannot be told');
  });
});

describe('further ports', () => {
  it('are opened on each address', () => {
    const yaml =
      'hosts: [{ name: h, addresses: [203.0.113.1/10.0.0.1, "2001:db8::1"] }]\nlisten: { extraPorts: [443, 80] }';
    expect(values('aux-server', yaml)).toEqual([
      '10.0.0.1:443',
      '[2001:db8::1]:443',
      '10.0.0.1:80',
      '[2001:db8::1]:80',
    ]);
  });

  it('cannot be had without addresses', () => {
    expect(() => render('listen: { extraPorts: [443] }')).toThrow(
      'listen.extraPorts: coturn opens a further port',
    );
  });
});

describe('static users', () => {
  const users = 'auth: { users: { alice: { env: A }, bob: { env: B } } }';
  const passwords = (alice: string): Options => ({
    passwords: {
      users: new Map([
        ['alice', new Secret(alice)],
        ['bob', new Secret('bobs')],
      ]),
      database: null,
    },
  });

  it('are let in with their passwords, and nobody with a shared secret', () => {
    expect(values('user', users, passwords('pw: #1'))).toEqual(['alice:pw: #1', 'bob:bobs']);
    expect(names(users, passwords('x'))).toContain('lt-cred-mech');
    expect(names(users, passwords('x'))).not.toContain('use-auth-secret');
  });

  it('are hidden with them', () => {
    const text = render(users, { ...passwords('hunter2'), redact: true });
    expect(text).toContain('\n# user=[redacted]\n');
    expect(text).not.toContain('hunter2');
  });

  it.each(['0xhunter2', ' hunter2'])(
    'are refused with a password that coturn takes for another: %j',
    (password) => {
      expect(() => render(users, passwords(password))).toThrow('auth.users.alice: the password begins with');
    },
  );

  it('may have a key in place of a password', () => {
    const key = `0x${'bc807ee29df3c9ff'.repeat(2)}`;
    expect(values('user', users, passwords(key))).toContain(`alice:${key}`);
  });
});

describe('a database', () => {
  const withPassword = { passwords: { users: new Map(), database: new Secret('pw1') } };

  it.each([
    ['sqlite: /var/db/turn', 'userdb', '/var/db/turn'],
    [
      'postgresql: { name: coturn, user: turn, password: { env: P } }',
      'psql-userdb',
      'host=127.0.0.1 port=5432 dbname=coturn user=turn connect_timeout=30 password=pw1',
    ],
    [
      'redis: { host: r, database: 2, password: { env: P } }',
      'redis-userdb',
      'ip=r port=6379 dbname=2 connect_timeout=30 password=pw1',
    ],
  ])('%s', (yaml, name, value) => {
    expect(values(name, `database: { ${yaml} }`, withPassword)).toEqual([value]);
    expect(render(`database: { ${yaml} }`, { ...withPassword, redact: true })).not.toContain('pw1');
  });

  it('is refused with a password that its driver would cut', () => {
    const passwords = { users: new Map(), database: new Secret('a b') };
    expect(() => render('database: { redis: { password: { env: P } } }', { passwords })).toThrow(
      'the password of the database has a blank',
    );
  });
});

describe('what a version cannot do', () => {
  it.each([
    ['logging: { facility: local0 }', '4.5.2', '4.6.0', 'syslog-facility=LOG_LOCAL0'],
    ['logging: { minLevel: warning }', '4.14.0', '4.15.0', 'log-min-level=warning'],
    ['prometheus: on', '4.6.1', '4.6.3', 'prometheus-address=127.0.0.1'],
    ['prometheus: { path: /m }', '4.6.3', '4.7.0', 'prometheus-path=/m'],
  ])('is refused: %s with %s', (yaml, old, current, line) => {
    const key = /^(\w+)/.exec(yaml)?.[1] ?? '';
    expect(() => render(yaml, { version: old })).toThrow(
      expect.objectContaining({
        code: 'configuration',
        message: expect.stringMatching(new RegExp(`^${key}[\\w.]*: coturn ${old} `)),
        hint: expect.stringContaining(`run coturn ${current} or newer`),
      }),
    );
    expect(render(yaml, { version: current }).split('\n')).toContain(line);
  });
});

describe('a host with settings of its own', () => {
  const yaml = `relay: { ports: 50000-59999 }
quotas: { totalQuota: 100 }
hosts:
  - { name: a, addresses: [203.0.113.1] }
  - { name: b, addresses: [203.0.113.2], quotas: { userQuota: 5 }, relay: { users: 1000 } }`;

  it('has them, beside those that all share', () => {
    expect(values('total-quota', yaml, { host: 'b' })).toEqual(['100']);
    expect(values('user-quota', yaml, { host: 'b' })).toEqual(['5']);
    expect(values('min-port', yaml, { host: 'b' })).toEqual(['61536']);
    expect(values('min-port', yaml, { host: 'a' })).toEqual(['50000']);
    expect(values('user-quota', yaml, { host: 'a' })).toEqual([]);
  });

  it('does not stand for another', () => {
    expect(() => render('hosts: [a, { name: b, quotas: { userQuota: 5 } }]')).toThrow(
      expect.objectContaining({ code: 'usage', hint: 'Add --host with one of a, b.' }),
    );
  });

  it('has addresses that are known', () => {
    expect(() => render('hosts: [{ name: a, addresses: auto }]')).toThrow('the addresses of a are auto');
  });
});
