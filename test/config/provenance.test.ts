import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { effectiveValues, type EffectiveValue } from '../../src/config/provenance.ts';

const text = `realm: example.org
auth: { secret: [{ file: new }, { env: OLD }] }
listen: { udp: 3479, tcp: 3479 }
tls: &files { cert: /c, key: /k }
prometheus: { port: 9000 }
relay: { ports: 50000-50999 }
quotas: { totalQuota: 9 }
hosts:
  - a
  - name: b
    addresses: [203.0.113.1/10.0.0.1]
    listen: { tls: 443 }
    tls: *files
    prometheus: on
    relay: { users: 100 }
    quotas: { userQuota: 3 }
`;

function values(host: number | null = null): Record<string, [EffectiveValue['value'], string]> {
  const config = parseConfig(text, 'rtc-ops.yaml');
  const told = effectiveValues(text, config, host === null ? null : (config.hosts[host] ?? null));
  return Object.fromEntries(
    told.map(({ key, value, origin }) => [
      key,
      [
        value,
        origin.kind === 'file'
          ? `${origin.line}:${origin.column}`
          : origin.kind === 'derived'
            ? `from ${origin.from}`
            : 'default',
      ],
    ]),
  );
}

describe('effectiveValues', () => {
  it('tells the place, the default, or what a value follows from', () => {
    expect(values()).toMatchObject({
      profile: ['turn', 'default'],
      realm: ['example.org', '1:8'],
      'listen.udp': [3479, '3:16'],
      'listen.tls': [5349, 'from tls'],
      'listen.extraPorts': [[], 'default'],
      'tls.cert': ['/c', '4:21'],
      'prometheus.port': [9000, '5:21'],
      'prometheus.address': ['127.0.0.1', 'default'],
      'hosts[0].name': ['a', '9:5'],
      'hosts[0].ssh.address': ['a', 'from hosts[0].name'],
      'hosts[1].addresses': [['203.0.113.1/10.0.0.1'], '11:16'],
      'hosts[1].listen.tls': [443, '12:20'],
    });
  });

  it('tells of a host only what it says itself, where those of all are told', () => {
    expect(Object.keys(values()).filter((key) => key.startsWith('hosts[1].quotas'))).toEqual([
      'hosts[1].quotas.userQuota',
    ]);
  });

  it('tells what counts for a host, and where that stands', () => {
    const told = values(1);
    expect(told).toMatchObject({
      'listen.udp': [3479, '3:16'],
      'listen.tls': [443, '12:20'],
      // An alias stands for what is written elsewhere.
      'tls.cert': ['/c', '4:21'],
      'prometheus.port': [9641, 'default'],
      'relay.users': [100, '15:21'],
      'relay.ports': ['65136-65535', 'from relay.users'],
      'quotas.userQuota': [3, '16:26'],
      'quotas.totalQuota': [9, '7:23'],
      'hosts[1].addresses': [['203.0.113.1/10.0.0.1'], '11:16'],
    });
    expect(Object.keys(told)).not.toContain('hosts[0].name');
  });

  it('has no secret, only where it comes from', () => {
    const config = parseConfig(text, 'rtc-ops.yaml');
    const secrets = effectiveValues(text, config, null).filter(({ secret }) => secret !== null);
    expect(secrets).toEqual([
      {
        key: 'auth.secret[0]',
        value: null,
        secret: { file: 'new' },
        origin: { kind: 'file', line: 2, column: 18 },
      },
      {
        key: 'auth.secret[1]',
        value: null,
        secret: { env: 'OLD' },
        origin: { kind: 'file', line: 2, column: 33 },
      },
    ]);
  });
});
