import { describe, expect, it } from 'vitest';
import { readEvent, readSystemEvent } from '../../../src/coturn/log/event.ts';

const session = '001000000000000002';

describe('a message about a session', () => {
  it.each<[string, object]>([
    [
      'realm <r> user <u>: incoming packet ALLOCATE processed, error 486: Allocation Quota Reached',
      { kind: 'request', realm: 'r', user: 'u', method: 'ALLOCATE', code: 486 },
    ],
    [
      'origin <o> realm <r> user <>: incoming packet message processed, error 401: ',
      { kind: 'request', user: '', method: 'message', code: 401 },
    ],
    ['realm <r> user <u>: incoming packet REFRESH processed, success', { kind: 'request', code: null }],
    [
      'new, realm=<r>, username=<u>, lifetime=600',
      { kind: 'allocation', state: 'new', lifetimeS: 600, isTls: false },
    ],
    // Up to 4.5.1 with a blank.
    ['new, realm <r>, username <u>, lifetime=600', { kind: 'allocation', realm: 'r', user: 'u' }],
    [
      'refreshed, realm=<r>, username=<u>, lifetime=0, cipher=ECDHE-RSA-AES256-GCM-SHA384, method=TLSv1.2',
      { kind: 'allocation', state: 'refreshed', lifetimeS: 0, isTls: true },
    ],
    [
      'peer usage: realm=<r>, username=<u>, rp=1, rb=2, sp=3, sb=4',
      {
        kind: 'usage',
        of: 'peer',
        usage: { receivedPackets: 1, receivedBytes: 2, sentPackets: 3, sentBytes: 4 },
      },
    ],
    [
      'closed (2nd stage), user <u> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: allocation timeout',
      { kind: 'closed', server: '10.0.0.1:3478', client: '1.2.3.4:5', reason: 'allocation timeout' },
    ],
    // journalctl cuts lines.
    [
      'closed (2nd stage), user <u> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: TCP connec>',
      { kind: 'closed', reason: 'TCP connec' },
    ],
    ['delete: realm=<r>, username=<u>', { kind: 'deleted' }],
    ['peer 10.0.0.9 lifetime updated: 300', { kind: 'peer', peer: '10.0.0.9' }],
    ['TLS/TCP socket disconnected: 1.2.3.4:11307', { kind: 'socket', transport: 'TLS/TCP' }],
    [
      'A peer IP 10.0.0.5 denied in the range: 10.0.0.0-10.255.255.255 in server 3 ',
      { kind: 'denied', peer: '10.0.0.5', range: '10.0.0.0-10.255.255.255' },
    ],
    [
      'check_stun_auth: Cannot find credentials of user <u>',
      { kind: 'credentials', refusal: 'not-found', user: 'u' },
    ],
    [
      'check_stun_auth: user u credentials are incorrect',
      { kind: 'credentials', refusal: 'incorrect', user: 'u' },
    ],
  ])('%s', (text, event) => {
    expect(readEvent(`session ${session}: ${text}`)).toMatchObject({ ...event, session });
  });
});

describe('a message about a session from 4.18 on', () => {
  it.each<[string, object]>([
    [
      'realm <r> user <u>: incoming packet ALLOCATE processed, error 486: Allocation Quota Reached (session 0012)',
      { kind: 'request', realm: 'r', user: 'u', method: 'ALLOCATE', code: 486 },
    ],
    [
      'allocation new, realm=<r>, username=<u>, lifetime=600, cipher=TLS_AES_256_GCM_SHA384, method=TLSv1.3 (session 0012)',
      { kind: 'allocation', state: 'new', lifetimeS: 600, isTls: true },
    ],
    ['allocation refreshed, realm=<r>, username=<u>, lifetime=0 (session 0012)', { state: 'refreshed' }],
    ['allocation delete: realm=<r>, username=<u> (session 0012)', { kind: 'deleted' }],
    [
      'peer usage: realm=<r>, username=<u>, rp=1, rb=2, sp=3, sb=4 (session 0012)',
      { kind: 'usage', of: 'peer' },
    ],
    ['peer 10.0.0.9 lifetime updated: 300 (session 0012)', { kind: 'peer', peer: '10.0.0.9' }],
    [
      'socket closed remotely: 1.2.3.4:5 (TLS/TCP socket, session 0012)',
      { kind: 'socket', transport: 'TLS/TCP' },
    ],
    [
      'socket event: SSL shutdown received, socket to be closed (local 1.2.3.4:5, remote 1.2.3.4:6) (session 0012)',
      { kind: 'idle' },
    ],
    [
      'closed (2nd stage), user <u> realm <r> origin <>, local 10.0.0.1:3478, remote 1.2.3.4:5, reason: TCP connection closed by client (callback) (session 0012)',
      { kind: 'closed', client: '1.2.3.4:5', reason: 'TCP connection closed by client (callback)' },
    ],
    ['user u credentials are incorrect (session 0012, check_stun_auth)', { refusal: 'incorrect', user: 'u' }],
    ['wrong realm: x (session 0012, check_stun_auth)', { notice: 'realm-wrong', detail: 'x' }],
  ])('%s', (text, event) => {
    const told = readEvent(text);
    expect(told).toMatchObject(event);
    if (told !== null && 'session' in told) expect(told.session).toBe('0012');
  });

  it.each([
    ['are wrong (message integrity does not match any auth secret)', 'incorrect'],
    ['have expired (the time-limited username timestamp is in the past)', 'expired'],
  ])('credentials of user <u> %s', (text, refusal) => {
    const event = { kind: 'credentials', session: null, user: 'u', refusal };
    expect(readEvent(`credentials of user <u> ${text}`)).toEqual(event);
  });
});

describe('a message of the server', () => {
  it.each<[string, object]>([
    ['IPv4. Local relay addr: 127.0.0.1:52004', { kind: 'relay', address: '127.0.0.1:52004' }],
    ['Version Coturn-4.6.1 ‘Gorst’', { kind: 'version', version: '4.6.1' }],
    ['Coturn Version Coturn-4.9.0 ‘Gorst’', { kind: 'version', version: '4.9.0' }],
    ['A peer IP 10.1.2.3 denied in the range: 10.0.0.0-10.255.255.255', { kind: 'denied', session: null }],
    ['check_stun_auth: wrong username: x>', { kind: 'hostile', notice: 'username-wrong', detail: 'x>' }],
    ['check_stun_auth: wrong realm: x', { kind: 'hostile', notice: 'realm-wrong' }],
    ['create_relay_ioa_sockets: no available ports 3', { kind: 'notice', notice: 'no-ports' }],
    [
      'Trying to bind fd 16 to <192.0.2.1:443>: errno=13',
      { notice: 'bind-failed', detail: '192.0.2.1:443: errno=13' },
    ],
    [
      'WARNING: Cannot find config file: /etc/x.conf. Default and command-line settings will be used.',
      { notice: 'config-missing', detail: '/etc/x.conf' },
    ],
    [
      '401 rate-limit exceeded from 1.2.3.4, suppressing responses for this window',
      { notice: 'rate-limited', detail: '1.2.3.4' },
    ],
    [
      'unauthorized-response rate-limit exceeded from 1.2.3.4 (error 401), suppressing',
      { notice: 'rate-limited', detail: '1.2.3.4' },
    ],
    [
      'udp_send: network error: address unreachable from 192.168.1.8:55088 to 10.9.9.9:3481',
      { notice: 'unreachable', detail: '10.9.9.9:3481' },
    ],
    ['Default realm: ', { notice: 'realm-empty' }],
    ['WARNING: Bad configuration format: fingerprin', { notice: 'option-unknown', detail: 'fingerprin' }],
    [
      '-X : Wrong address format: turn.example.org',
      { notice: 'address-malformed', detail: 'turn.example.org' },
    ],
  ])('%s', (text, event) => {
    expect(readEvent(text)).toMatchObject(event);
  });

  it.each(['', 'session', 'session x: y', 'session 1: ', 'hello', `session 1: realm <${'x'.repeat(10_000)}`])(
    'is not %j',
    (text) => {
      expect(readEvent(text)).toBeNull();
    },
  );
});

describe('what the system says of coturn', () => {
  it.each<[string, string]>([
    ['coturn.service: Main process exited, code=killed, status=11/SEGV', 'crash'],
    ['turnserver[4711]: segfault at 0 ip 000055 sp 00007f error 4 in turnserver', 'crash'],
    ['Out of memory: Killed process 4711 (turnserver) total-vm:1kB', 'out-of-memory'],
    ['nf_conntrack: nf_conntrack: table full, dropping packet', 'conntrack-full'],
  ])('%s', (text, notice) => {
    expect(readSystemEvent(text)).toMatchObject({ kind: 'notice', notice });
  });

  it('is not what it says of others, nor an orderly end', () => {
    expect(readSystemEvent('nginx.service: Main process exited, code=killed, status=11/SEGV')).toBeNull();
    expect(readSystemEvent('coturn.service: Main process exited, code=killed, status=15/TERM')).toBeNull();
  });
});
