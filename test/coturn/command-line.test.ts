import { describe, expect, it } from 'vitest';
import { configurationLines } from '../../src/coturn/command-line.ts';

describe('configurationLines', () => {
  it.each([
    ['turnserver -c /etc/turnserver.conf --pidfile=', ['pidfile=']],
    ['turnserver -n -v --realm=a.example --min-port 50000', ['verbose', 'realm=a.example', 'min-port=50000']],
    ['turnserver -oc /etc/a.conf -p 3479', ['daemon', 'listening-port=3479']],
    [
      'turnserver -X198.51.100.1/10.0.0.5 -fa',
      ['external-ip=198.51.100.1/10.0.0.5', 'fingerprint', 'lt-cred-mech'],
    ],
    [
      'turnserver --use-auth-secret --no-tls=0 -u joe:secret',
      ['use-auth-secret', 'no-tls=0', 'user=joe:secret'],
    ],
    ['turnserver --unknown value -L 10.0.0.5', ['unknown', 'listening-ip=10.0.0.5']],
    ['turnserver', []],
  ])('%s', (text, lines) => {
    expect(configurationLines(text.split(' '))).toEqual(lines);
  });

  it('makes one line of a value with line breaks', () => {
    expect(configurationLines(['turnserver', '--realm=a\nno-auth'])).toEqual(['realm=a no-auth']);
  });
});
