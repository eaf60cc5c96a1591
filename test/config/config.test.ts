import { describe, expect, it } from 'vitest';
import { configOfHost, type Config } from '../../src/config/config.ts';
import { parseConfig } from '../../src/config/parse.ts';

function parse(text: string): Config {
  return parseConfig(`realm: example.org\nauth: { secret: { file: s } }\n${text}`, 'rtc-ops.yaml');
}

/** The config of the first host. */
function ofHost(text: string): Config {
  const config = parse(text);
  const [host] = config.hosts;
  if (!host) throw new Error('no host');
  return configOfHost(config, host);
}

describe('configOfHost', () => {
  it('is what all share where the host says nothing', () => {
    const config = parse('hosts: [a]\nquotas: { userQuota: 3 }');
    expect(config.hosts[0]?.settings).toEqual({});
    expect(ofHost('hosts: [a]\nquotas: { userQuota: 3 }').quotas).toEqual({ userQuota: 3 });
  });

  it('lays maps over those that are shared, key by key', () => {
    const config = ofHost(`hosts: [{ name: a, listen: { udp: 3479, tcp: off }, logging: { verbose: true } }]
listen: { addresses: [10.0.0.1], tls: 443 }
tls: { cert: /c, key: /k }
logging: { to: stdout }`);
    expect(config.listen).toMatchObject({ addresses: ['10.0.0.1'], udp: 3479, tcp: null, tls: 443 });
    expect(config.logging).toMatchObject({ to: 'stdout', verbose: true });
  });

  it('replaces a certificate as a whole, and the port goes with it', () => {
    const off = ofHost('hosts: [{ name: a, tls: off }]\ntls: { cert: /c, key: /k }');
    expect([off.tls, off.listen.tls]).toEqual([null, null]);
    const on = ofHost('hosts: [{ name: a, tls: { certbot: { email: a@example.org } } }]');
    expect(on.listen.tls).toBe(5349);
    expect(on.tls).toEqual({
      cert: '/etc/coturn/tls/fullchain.pem',
      key: '/etc/coturn/tls/privkey.pem',
      certbot: {
        email: 'a@example.org',
        names: [],
        challenge: 'http-01',
        server: 'https://acme-v02.api.letsencrypt.org/directory',
      },
    });
  });

  it('counts the ports of the relay anew, whichever way they were given', () => {
    const sized = ofHost('hosts: [{ name: a, relay: { users: 250 } }]\nrelay: { ports: 50000-50999 }');
    expect(sized.relay).toMatchObject({ ports: { min: 64_536, max: 65_535 }, users: 250 });
    const given = ofHost('hosts: [{ name: a, relay: { ports: 50000-50999 } }]\nrelay: { users: 250 }');
    expect(given.relay).toMatchObject({ ports: { min: 50_000, max: 50_999 }, users: null });
  });
});

describe('a conflict', () => {
  it('stands in the host that brings it about', () => {
    expect(() => parse('hosts:\n  - a\n  - name: b\n    listen: { udp: 5000 }\n')).toThrow(
      'rtc-ops.yaml:6:13 hosts[1].listen.tcp: must be 5000 as listen.udp is',
    );
  });

  it('stands where it is for all, once, when no host has to do with it', () => {
    const text = 'quotas: { bpsCapacity: 5 }\nhosts: [a, { name: b, quotas: { userQuota: 4 } }]';
    expect(() => parse(text)).toThrow(/^rtc-ops\.yaml:3:24 quotas\.bpsCapacity: needs quotas\.maxBps[^\n]*$/);
  });

  it('stands at the setting of the host that is wrong beside what is shared', () => {
    const text = 'tls: { cert: /c, key: /k }\nhosts: [{ name: b, listen: { tls: off } }]';
    expect(() => parse(text)).toThrow(
      'rtc-ops.yaml:4:35 hosts[0].listen.tls: is off, but tls names a certificate',
    );
  });
});
