import { describe, expect, it } from 'vitest';
import { dialled, listenersOf } from '../../src/coturn/listener.ts';
import { parseDirectives } from '../../src/coturn/parse.ts';

function listeners(text: string): string[] {
  return listenersOf(parseDirectives(text)).map(
    ({ transport, endpoint }) => `${transport} ${endpoint.address} ${endpoint.port}`,
  );
}

describe('listenersOf', () => {
  it.each<[string, string[]]>([
    ['', ['udp 127.0.0.1 3478', 'tcp 127.0.0.1 3478']],
    [
      'listening-ip=192.0.2.1\nlistening-ip=::1\nlistening-port=80\nno-tcp',
      ['udp 192.0.2.1 80', 'udp ::1 80'],
    ],
    [
      'no-tcp\nlistening-ip=192.0.2.1\naux-server=192.0.2.1:443\naux-server=[::1]:80\naux-server=443',
      ['udp 192.0.2.1 3478', 'udp 192.0.2.1 443', 'udp ::1 80'],
    ],
    ['no-udp\ncert=/c\npkey=/k', ['tcp 127.0.0.1 3478', 'tls 127.0.0.1 5349']],
    ['cert=/c\npkey=/k\nno-tls', ['udp 127.0.0.1 3478', 'tcp 127.0.0.1 3478']],
    ['cert=/c', ['udp 127.0.0.1 3478', 'tcp 127.0.0.1 3478']],
    ['no-udp=0\nno-tcp=1\nlistening-port=1\nlistening-port=2', ['udp 127.0.0.1 2']],
    ['no-udp\nno-tcp\ntls-listening-port=443\ncert=/c\npkey=/k', ['tls 127.0.0.1 443']],
  ])('of %j', (text, expected) => {
    expect(listeners(text)).toEqual(expected);
  });
});

describe('dialled', () => {
  it('is loopback for a listener on all addresses', () => {
    expect(dialled({ address: '0.0.0.0', port: 1 })).toEqual({ address: '127.0.0.1', port: 1 });
    expect(dialled({ address: '::', port: 1 })).toEqual({ address: '::1', port: 1 });
    expect(dialled({ address: '192.0.2.1', port: 1 })).toEqual({ address: '192.0.2.1', port: 1 });
  });
});
