import { describe, expect, it } from 'vitest';
import { serverSettings } from '../../src/coturn/server-settings.ts';
import { spanText } from '../../src/model/firewall.ts';
import type { ServerSettings } from '../../src/model/server-facts.ts';

function settings(...lines: readonly string[]): ServerSettings {
  return serverSettings(lines.join('\n'), '4.6.1');
}

function openings(...lines: readonly string[]): string[] {
  return settings(...lines).openings.map(
    ({ protocol, ports, purpose, families }) =>
      `${protocol} ${spanText(ports)} ${purpose} ${families.join('+')}`,
  );
}

const tls = ['cert=/c.pem', 'pkey=/k.pem'];
const relay = 'udp 49152-65535 relay 4+6';

describe('serverSettings', () => {
  it('has the defaults of coturn', () => {
    expect(openings()).toEqual(['udp 3478 listener-udp 4+6', 'tcp 3478 listener-tcp 4+6', relay]);
    expect(settings()).toMatchObject({ tlsPort: null, realm: null, relays: true, logsTo: null });
  });

  it('opens TLS where there is a certificate', () => {
    expect(openings(...tls)).toContain('tcp 5349 listener-tls 4+6');
    expect(openings(...tls, 'no-tls')).not.toContain('tcp 5349 listener-tls 4+6');
    expect(openings(...tls, 'tls-listening-port=3478', 'no-udp')).toEqual([
      'tcp 3478 listener-tcp 4+6',
      relay,
    ]);
    expect(settings(...tls, 'tls-listening-port=443')).toMatchObject({ tlsPort: 443, cert: '/c.pem' });
  });

  it('takes the families of the addresses that are named', () => {
    const named = ['listening-ip=192.0.2.1', 'relay-ip=2001:db8::1', 'no-tcp', 'min-port=1', 'max-port=9'];
    expect(openings(...named)).toEqual(['udp 3478 listener-udp 4', 'udp 1-9 relay 6']);
  });

  it('has no relay ports where nothing is relayed, or the range is none', () => {
    expect(openings('stun-only', 'no-tcp')).toEqual(['udp 3478 listener-udp 4+6']);
    expect(openings('min-port=9', 'max-port=1', 'no-tcp')).toEqual(['udp 3478 listener-udp 4+6']);
    expect(settings('stun-only').relays).toBe(false);
  });

  it('has the last line count, as that of a command line behind the file', () => {
    expect(settings('realm=a', 'realm=b').realm).toBe('b');
    expect(settings('external-ip=198.51.100.1/10.0.0.5', 'external-ip=name').externalAddresses).toEqual([
      { outside: '198.51.100.1', inside: '10.0.0.5' },
    ]);
    expect(settings('log-file=/var/log/turn.log').logsTo).toBe('/var/log/turn.log');
    expect(settings('syslog').logsTo).toBe('syslog');
  });
});
