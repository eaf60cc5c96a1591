import { describe, expect, it } from 'vitest';
import { openingsOf } from '../../../src/coturn/firewall/openings.ts';
import { spanText } from '../../../src/model/firewall.ts';
import { configWith, usualOpenings } from '../../support/openings.ts';

function openings(keys: Readonly<Record<string, unknown>>, host?: string): string[] {
  return openingsOf(configWith(keys), host).map(
    ({ protocol, ports, purpose, families }) =>
      `${protocol} ${spanText(ports)} ${purpose} ${families.join('')}`,
  );
}

describe('openingsOf', () => {
  it('opens the listeners and the relay range, and nothing else', () => {
    expect(usualOpenings.map(({ protocol, ports, purpose }) => [protocol, spanText(ports), purpose])).toEqual(
      [
        ['udp', '3478', 'listener-udp'],
        ['tcp', '3478', 'listener-tcp'],
        ['tcp', '5349', 'listener-tls'],
        ['udp', '49152-65535', 'relay'],
      ],
    );
  });

  it('opens no port of a transport that is off, and no TLS port without TLS', () => {
    expect(openings({ listen: { tcp: 'off' }, relay: { ports: '50000-50999' } })).toEqual([
      'udp 3478 listener-udp 46',
      'udp 50000-50999 relay 46',
    ]);
  });

  it('opens no relay range for a server that relays nothing', () => {
    expect(openings({ profile: 'stun-only' })).toEqual([
      'udp 3478 listener-udp 46',
      'tcp 3478 listener-tcp 46',
    ]);
  });

  it('opens further ports for the transports that are on', () => {
    const keys = {
      hosts: [{ name: 'a.example.org', addresses: ['203.0.113.1'] }],
      relay: { ports: '50000-50999' },
    };
    const tls = { cert: '/cert.pem', key: '/key.pem' };
    expect(openings({ ...keys, tls, listen: { extraPorts: [443] } })).toEqual([
      'udp 3478 listener-udp 4',
      'udp 443 listener-udp 4',
      'tcp 3478 listener-tcp 4',
      'tcp 5349 listener-tls 4',
      'tcp 443 listener-stream 4',
      'udp 50000-50999 relay 4',
    ]);
    expect(openings({ ...keys, listen: { udp: 'off', extraPorts: [443] } })).toEqual([
      'tcp 3478 listener-tcp 4',
      'tcp 443 listener-tcp 4',
      'udp 50000-50999 relay 4',
    ]);
  });

  it('opens port 80 where certbot proves the name there, and no port for figures', () => {
    const hosts = ['turn.example.org'];
    const certbot = { certbot: { email: 'a@example.org' } };
    expect(openings({ hosts, tls: certbot, prometheus: { port: 9641 } })).toContain('tcp 80 certificate 46');
    expect(openings({ hosts, tls: certbot, prometheus: { port: 9641 } }).join()).not.toContain('9641');
    const dns = {
      certbot: { email: 'a@example.org', challenge: { dns: 'cloudflare', credentials: 'dns.ini' } },
    };
    expect(openings({ hosts, tls: dns }).join()).not.toContain(' 80 ');
  });

  it('takes what a host says of itself', () => {
    const hosts = [{ name: 'a.example.org', listen: { udp: 3479, tcp: 'off' } }];
    expect(openings({ hosts, relay: { ports: '50000-50999' } }, 'a.example.org')).toEqual([
      'udp 3479 listener-udp 46',
      'udp 50000-50999 relay 46',
    ]);
  });

  it('opens the families that the host has addresses of', () => {
    const hosts = [
      { name: 'a.example.org', addresses: ['203.0.113.1/10.0.0.1'] },
      { name: 'b.example.org', addresses: ['2001:db8::1'] },
    ];
    expect(openings({ hosts, listen: { tcp: 'off' } }, 'a.example.org')).toEqual([
      'udp 3478 listener-udp 4',
      'udp 49152-65535 relay 4',
    ]);
    expect(openings({ hosts, listen: { tcp: 'off' } }, 'b.example.org')[0]).toBe('udp 3478 listener-udp 6');
    expect(() => openings({ hosts })).toThrow('several hosts have addresses');
    expect(() => openings({ hosts }, 'c.example.org')).toThrow('c.example.org is none of the hosts');
  });
});
