import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import type { Config } from '../../src/config/config.ts';
import { configOfHost } from '../../src/config/config.ts';
import { importConfig, type ImportedConfig } from '../../src/coturn/import.ts';
import { coturnOptions } from '../../src/coturn/options.ts';
import { renderConfig, type Passwords } from '../../src/coturn/render.ts';
import { knownVersions } from '../../src/coturn/versions.ts';
import { RtcOpsError } from '../../src/model/error.ts';
import type { Secret } from '../../src/model/secret.ts';
import { arbitraryYaml, elsewhere, secretsFor } from '../support/arbitrary-config.ts';

function configOf({ written }: ImportedConfig): Config {
  return parseConfig(JSON.stringify(written), 'imported.yaml');
}

/** The secrets as the files that were made would give them. */
function secretsIn(config: Config, { secrets }: ImportedConfig): { secrets: Secret[]; passwords: Passwords } {
  const read = (source: unknown): Secret => {
    const found = secrets.find(({ name }) => name === (source as { file: string }).file);
    if (!found) throw new Error(`no file for ${JSON.stringify(source)}`);
    return found.secret;
  };
  const { database } = config;
  const password = database !== null && 'password' in database ? database.password : null;
  return {
    secrets: config.secrets.map(read),
    passwords: {
      users: new Map(config.users.map((user) => [user.name, read(user.password)])),
      database: password === null ? null : read(password),
    },
  };
}

/** What a turnserver.conf tells of a config: not the logins, the firewall, nor how the numbers came about. */
function expressible(config: Config): unknown {
  const host = config.hosts[0];
  const own = host ? configOfHost(config, host) : config;
  const {
    hosts: _hosts,
    firewall: _firewall,
    discovery: _discovery,
    secrets,
    users,
    database,
    ...rest
  } = own;
  const { families: _families, ...listen } = own.listen;
  return {
    ...rest,
    listen,
    relay: { ...own.relay, users: null },
    secrets: secrets.length,
    users: users.map(({ name }) => name),
    database:
      database !== null && 'password' in database
        ? { ...database, password: database.password !== null }
        : database,
  };
}

it('of what was rendered is the same config, which renders the same', () => {
  fc.assert(
    fc.property(arbitraryYaml(elsewhere), fc.constantFrom(...knownVersions), (yaml, version) => {
      const config = parseConfig(yaml, 'rtc-ops.yaml');
      const text = rendered(config, version);
      if (text === null) return;
      const imported = importConfig(text, { host: 'a.example.org' });
      const again = configOf(imported);
      expect(imported.left).toEqual([]);
      expect(renderConfig(again, { version, ...secretsIn(again, imported) })).toBe(text);
      if (config.profile === 'turn' && (config.hosts[0]?.addresses.length ?? 0) > 0) {
        expect(expressible(again)).toMatchObject({ realm: config.realm, auth: config.auth });
      }
    }),
    { numRuns: 200 },
  );
});

function rendered(config: Config, version: string): string | null {
  try {
    return renderConfig(config, { version, host: config.hosts[0]?.name, ...secretsFor(config) });
  } catch (error) {
    if (error instanceof RtcOpsError && error.code === 'configuration') return null;
    throw error;
  }
}

it('of what was rendered is equal to the config in all that a turnserver.conf tells', () => {
  const yaml = `realm: example.org
auth: { secret: [{ file: rtc-ops.secret }, { file: rtc-ops.secret-2 }] }
hosts: [{ name: a.example.org, addresses: [203.0.113.10/10.0.0.10, "2001:db8::20"] }]
listen: { udp: 3479, tcp: off, tls: 443, extraPorts: [80] }
relay: { ports: 50000-50999 }
tls: { cert: /c, key: /k }
quotas: { userQuota: 3, totalQuota: 30, maxBps: 5, bpsCapacity: 50 }
peers: { allow: [10.1.2.3, 127.0.0.0/8], deny: [198.51.100.0/24, "2001:db8:1::/48"] }
logging: { verbose: true, facility: local1 }
database: { redis: { port: 1, database: 3, password: { env: P } } }`;
  const config = parseConfig(yaml, 'rtc-ops.yaml');
  const imported = importConfig(renderConfig(config, { version: '4.6.1', ...secretsFor(config) }), {
    host: 'a.example.org',
  });
  expect(imported.left).toEqual([]);
  expect(expressible(configOf(imported))).toEqual(expressible(config));
  expect(configOf(imported).hosts).toEqual(config.hosts);
});

function leftOf(text: string): string[] {
  return importConfig(text).left.map(({ line, name, because }) => `${line ?? '-'} ${name}: ${because}`);
}

describe('a turnserver.conf of somebody else', () => {
  const debian = `listening-port=3478
listening-ip=172.16.0.10
external-ip=203.0.113.10
fingerprint
lt-cred-mech
use-auth-secret
static-auth-secret=8a7f3c5e9b1d2046
user=alice:secret1
realm=turn.example.org
mobility
no-tlsv1_2
cli-password=qwerty
fingerprin
denied-peer-ip=10.0.0.0/8
cert=/etc/ssl/turn.pem
pkey=/etc/ssl/turn.key
syslog`;

  it('is carried over as far as it goes', () => {
    const imported = importConfig(debian);
    expect(imported.written).toMatchObject({
      profile: 'turn',
      realm: 'turn.example.org',
      hosts: [{ name: 'turn.example.org', addresses: ['203.0.113.10/172.16.0.10'] }],
      listen: { udp: 3478, tcp: 3478, tls: 5349 },
      tls: { cert: '/etc/ssl/turn.pem', key: '/etc/ssl/turn.key' },
      auth: { secret: { file: 'rtc-ops.secret' } },
    });
    expect(JSON.stringify(imported)).not.toContain('8a7f3c5e9b1d2046');
    expect(imported.secrets.map(({ secret }) => secret.reveal())).toEqual(['8a7f3c5e9b1d2046']);
  });

  it('has the rest listed with line and reason, without a secret', () => {
    expect(leftOf(debian)).toEqual([
      '- denied-peer-ip: 22 special ranges that were open are denied from here on, such as 10.0.0.0/8; peers.allow excepts',
      '8 user: beside a shared secret coturn knows no users of the file',
      '10 mobility: rtc-ops.yaml has no key for it',
      '11 no-tlsv1_2: rtc-ops.yaml has no key for it',
      '12 cli-password: rtc-ops.yaml has no key for it',
      '13 a line: coturn knows no such option; it is most like fingerprint',
      '14 denied-peer-ip: coturn reads it as no range of addresses',
    ]);
  });

  it.each<[string, string]>([
    ['no-auth\nrealm=r', '1 no-auth: an anonymous relay is nothing that rtc-ops writes'],
    ['listening-ip=0.0.0.0\nrealm=r', '1 listening-ip: coturn would hand it out as a relay address'],
    ['listening-ip=eth0\nrealm=r', '1 listening-ip: "eth0" is no IP address'],
    ['external-ip=203.0.113.1\nrealm=r', '1 external-ip: the private address is not known'],
    [
      'relay-ip=10.0.0.1\nrelay-ip=10.0.0.2\nexternal-ip=203.0.113.1\nrealm=r',
      '3 external-ip: it stands for several',
    ],
    [
      'aux-server=10.0.0.1:443\nlistening-ip=10.0.0.2\nrealm=r',
      '1 aux-server: listen.extraPorts opens a port on all',
    ],
    ['denied-peer-ip=::\nrealm=r', '1 denied-peer-ip: coturn reads it as every address of both families'],
    ['user=alice\nrealm=r', '1 user: coturn reads it as no user'],
    ['stale-nonce=60\nrealm=r', '1 stale-nonce: rtc-ops always writes 600'],
    ['no-cli=0\nrealm=r', '1 no-cli: rtc-ops always turns it on'],
    [
      'prometheus\nrealm=r',
      '1 prometheus: it is served on every address; from here on, on 127.0.0.1 alone (prometheus.address), which coturn can from 4.6.3 on',
    ],
    ['prometheus-port=9000\nrealm=r', '1 prometheus-port: without prometheus it counts for nothing'],
    ['total-quota=abc\nrealm=r', '1 total-quota: it is no whole number above 0, and limits nothing'],
    ['max-bps=-3\nrealm=r', '1 max-bps: it is no whole number above 0, and limits nothing'],
    ['user-quota=12x\nrealm=r', '1 user-quota: coturn reads it as 12, and that it is now'],
    ['listening-port=0\nrealm=r', '1 listening-port: it is no port from 1 to 65535; it is 3478 from here on'],
    ['min-port=x\nmax-port=50000\nrealm=r', '1 min-port: it is no port from 1 to 65535; it is 49152'],
    ['listening-port=70000\nrealm=r', '1 listening-port: it is no port from 1 to 65535'],
    ['listening-port=3479\nno-udp\nno-tcp\nrealm=r', '1 listening-port: no-udp and no-tcp leave it nothing'],
    ['realm=a\nrealm=b', '1 realm: line 2 overrules it'],
    ['no-tcp\nrealm=r\nno-tcp=0', '1 no-tcp: line 3 overrules it'],
    ['user=a:1\nuser=b:2\nuser=a:3\nrealm=r', '1 user: line 3 overrules it'],
    [`user=a:0x${'1'.repeat(32)}\nrealm=r`, '1 user: it is the key of a password'],
    [
      'static-auth-secret=abc # ours\nrealm=r',
      '1 static-auth-secret: what stands behind # is part of the value',
    ],
    ['static-auth-secret=\nrealm=r', '1 static-auth-secret: the secret is empty'],
    ['use-auth-secret\nlt-cred-mech=0\nrealm=r', '2 lt-cred-mech: rtc-ops always has coturn ask'],
    ['use-auth-secret=0\nuser=a:1\nrealm=r', '2 user: beside a shared secret'],
    ['syslog\nlog-file=/l\nrealm=r', '2 log-file: everything goes to syslog, and this stays empty'],
    ['syslog\nsimple-log\nrealm=r', '2 simple-log: it is about the name of a log file'],
    ['log-file=/l\nrealm=r', '1 log-file: the file has exactly this name from here on'],
    ['log-file=stdout\nno-stdout-log\nrealm=r', '2 no-stdout-log: the log goes to stdout'],
    ['syslog-facility=local0\nrealm=r', '1 syslog-facility: coturn knows no such facility'],
    ['cert=/c\nrealm=r', '1 cert: coturn speaks no TLS without both cert and pkey'],
    ['cert=/c\npkey=/k\nno-tls\nrealm=r', '2 pkey: no-tls turns it off'],
    ['tls-listening-port=443\nrealm=r', '1 tls-listening-port: coturn speaks no TLS'],
    ['server-name=my turn\nrealm=r.example.org', '1 server-name: it is the name of the host, r.example.org'],
    ['db=/a\nuserdb=/b\nrealm=r', '1 db: line 2 overrules it'],
    ['redis-userdb="ip=a"\npsql-userdb="host=b"\nrealm=r', '1 redis-userdb: line 2 overrules it'],
    [
      'relay-ip=10.0.0.1\nexternal-ip=203.0.113.1\nexternal-ip=203.0.113.2\nrealm=r',
      '2 external-ip: line 3 overrules it',
    ],
    ['stun-only=maybe\nrealm=r', '1 stun-only: coturn does not start with this value'],
    ['realm\nstun-only', '1 realm: the file has none; it is localhost now'],
    ['psql-userdb="host=a sslmode=require"\nrealm=r', '1 psql-userdb: the connection has a part that'],
    [
      'psql-userdb="host=a connect_timeout=5"\nrealm=r',
      '1 psql-userdb: rtc-ops always writes connect_timeout=30',
    ],
    ['psql-userdb="host=a"\nuserdb=/x\nrealm=r', '2 userdb: the other database takes its place'],
    ['server-name=s.example.org', '- realm: the file has none; it is s.example.org now'],
    ['realm=r\nbps-capacity=5', '2 quotas.bpsCapacity: needs quotas.maxBps'],
    [
      'realm=r\nallowed-peer-ip=10.0.0.0-10.0.0.255\ndenied-peer-ip=198.51.100.1\ndenied-peer-ip=10.0.0.7',
      '',
    ],
    ['realm=r\nlog-file=turn.log', '2 logging.to: must be syslog, stdout, or the absolute path'],
    ['realm=r\nmin-port=60000\nmax-port=50000', '- relay.ports: must be two ports'],
    ['realm=r\nlistening-port=50000', '2 listen.udp: must not lie in relay.ports'],
  ])('%j', (text, left) => {
    const told = leftOf(text);
    expect(told).toContainEqual(expect.stringContaining(left));
  });

  it('loses no line in silence, whatever its value', () => {
    const base = 'realm=r\nuse-auth-secret\nstatic-auth-secret=abc';
    const written = JSON.stringify(importConfig(base, { host: 'h' }).written);
    const silent = coturnOptions.flatMap(({ name }) =>
      ['', '=0', '=off', '=abc', '=-3', '=99999999999', '=/x'].flatMap((value) => {
        const imported = importConfig(`${base}\n${name}${value}`, { host: 'h' });
        const isTold = imported.left.some(({ line }) => line === 4);
        return isTold || JSON.stringify(imported.written) !== written ? [] : [`${name}${value}`];
      }),
    );
    // What is off without it, what render writes for any config, and what those lines say already.
    const isCarried = (line: string): boolean =>
      /=(?:0|off|99999999999)$/.test(line) ||
      /^(?:fingerprint|lt-cred-mech|no-(?:cli|dtls|multicast-peers|rfc5780(?:=.*)?|software-attribute|sslv2|sslv3|stdout-log|stun-backward-compatibility|tcp-relay|tls|tlsv1|tlsv1_1)|response-origin-only-with-rfc5780|use-auth-secret(?:=.*)?)$/.test(
        line,
      );
    expect(silent.filter((line) => !isCarried(line))).toEqual([]);
  });

  it('keeps a user once, with the password that counts', () => {
    const imported = importConfig('user=a:1\nuser=b:2\nuser=a:3\nrealm=r', { stem: 'other' });
    expect(imported.written['auth']).toEqual({
      users: { a: { file: 'other.user-1.secret' }, b: { file: 'other.user-2.secret' } },
    });
    expect(imported.secrets.map(({ secret }) => secret.reveal())).toEqual(['3', '2']);
  });

  it('is told of without what stands in a line that coturn does not know', () => {
    expect(leftOf('realm=r\nhunter2\nstatic-auth-secret:hunter2').join()).not.toContain('hunter2');
  });

  it('gets a secret when it has none', () => {
    expect(importConfig('realm=r\nlt-cred-mech').needsSecret).toBe(true);
    expect(importConfig('realm=r\nstun-only').needsSecret).toBe(false);
  });

  it('has users, with a file each', () => {
    const imported = importConfig('realm=r\nlt-cred-mech\nuser=alice:secret1\nuser=bob: 0x12');
    expect(imported.written['auth']).toEqual({
      users: { alice: { file: 'rtc-ops.user-1.secret' }, bob: { file: 'rtc-ops.user-2.secret' } },
    });
    expect(imported.secrets.map(({ secret }) => secret.reveal())).toEqual(['secret1', '0x12']);
  });

  it('is a config or an error, whatever it is', () => {
    const line = fc.oneof(
      fc.string(),
      fc
        .tuple(
          fc.constantFrom(
            'listening-ip',
            'external-ip',
            'min-port',
            'user',
            'denied-peer-ip',
            'realm',
            'psql-userdb',
            'log-file',
            'aux-server',
            'listening-port',
            'cert',
            'pkey',
          ),
          fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.nat().map(String)),
        )
        .map((pair) => pair.join('=')),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
        try {
          configOf(importConfig(lines.join('\n'), { host: 'a' }));
        } catch (error) {
          if (!(error instanceof RtcOpsError) || error.code !== 'configuration') throw error;
          expect(error.message).toContain('what the file says cannot stand in rtc-ops.yaml');
        }
      }),
      { numRuns: 500 },
    );
  });
});
