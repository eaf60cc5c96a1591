import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RtcOpsError } from '../../src/model/error.ts';
import { formatTurnUri, isHost, isTurn, parseTurnUri, type TurnUri } from '../../src/model/turn-uri.ts';

function errorOf(text: string): RtcOpsError {
  try {
    parseTurnUri(text);
  } catch (error) {
    if (error instanceof RtcOpsError) return error;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

describe('parseTurnUri', () => {
  it.each<[string, TurnUri]>([
    ['turn:turn.example.com', { scheme: 'turn', host: 'turn.example.com', port: 3478, transport: 'udp' }],
    ['turns:turn.example.com', { scheme: 'turns', host: 'turn.example.com', port: 5349, transport: 'tls' }],
    ['stun:stun.example.com', { scheme: 'stun', host: 'stun.example.com', port: 3478, transport: 'udp' }],
    ['stuns:stun.example.com', { scheme: 'stuns', host: 'stun.example.com', port: 5349, transport: 'tls' }],
    ['turn:example.com:80', { scheme: 'turn', host: 'example.com', port: 80, transport: 'udp' }],
    ['turn:example.com?transport=udp', { scheme: 'turn', host: 'example.com', port: 3478, transport: 'udp' }],
    ['turn:example.com?transport=tcp', { scheme: 'turn', host: 'example.com', port: 3478, transport: 'tcp' }],
    [
      'turns:example.com:443?transport=tcp',
      { scheme: 'turns', host: 'example.com', port: 443, transport: 'tls' },
    ],
    ['turn:203.0.113.10:3478', { scheme: 'turn', host: '203.0.113.10', port: 3478, transport: 'udp' }],
    ['turn:[2001:db8::1]', { scheme: 'turn', host: '2001:db8::1', port: 3478, transport: 'udp' }],
    [
      'turns:[2001:db8::1]:443?transport=tcp',
      { scheme: 'turns', host: '2001:db8::1', port: 443, transport: 'tls' },
    ],
    ['turn:[::ffff:192.0.2.1]:1', { scheme: 'turn', host: '::ffff:192.0.2.1', port: 1, transport: 'udp' }],
    // Schemes and transports are case-insensitive (RFC 3986 §3.1; ABNF literals, RFC 5234 §2.3).
    ['TURN:Example.COM?Transport=TCP', { scheme: 'turn', host: 'Example.COM', port: 3478, transport: 'tcp' }],
    ['turn:localhost:65535', { scheme: 'turn', host: 'localhost', port: 65_535, transport: 'udp' }],
    ['turn:example.com.', { scheme: 'turn', host: 'example.com.', port: 3478, transport: 'udp' }],
    ['turn:my_host', { scheme: 'turn', host: 'my_host', port: 3478, transport: 'udp' }],
  ])('%s', (text, expected) => {
    expect(parseTurnUri(text)).toEqual(expected);
  });

  it.each<[string, string, string]>([
    ['turn://turn.example.com', 'there is no // after the scheme', 'Write turn:turn.example.com'],
    ['turn://turn.example.com:80/path', 'there is no // after the scheme', 'Write turn:turn.example.com:80'],
    ['TURNS://a.example', 'there is no // after the scheme', 'Write turns:a.example'],
    ['turn:user@turn.example.com', 'it carries a user name', '--username'],
    ['turn:', 'the host is missing', 'Write turn:turn.example.com.'],
    ['turn:?transport=udp', 'the host is missing', 'Write turn:turn.example.com.'],
    ['turn:2001:db8::1', 'an IPv6 address stands in brackets', 'Write turn:[2001:db8::1]'],
    ['turns:::1?transport=tcp', 'an IPv6 address stands in brackets', 'Write turns:[::1]'],
    ['turn:[2001:db8::zz]', '[2001:db8::zz] is not an IPv6 address', '[2001:db8::1]'],
    ['turn:[192.0.2.1]', '[192.0.2.1] is not an IPv6 address', '[2001:db8::1]'],
    ['turn:[::1', 'it does not have the form', 'turn:HOST'],
    ['turn:256.1.1.1', '"256.1.1.1" is not a host name or IP address', 'spelling'],
    ['turn:1.2.3', '"1.2.3" is not a host name or IP address', 'spelling'],
    ['turn:exa mple', '"exa mple" is not a host name or IP address', 'spelling'],
    ['turn:-a.example', '"-a.example" is not a host name or IP address', 'spelling'],
    ['turn:a..example', '"a..example" is not a host name or IP address', 'spelling'],
    [`turn:${'a'.repeat(64)}.example`, 'is not a host name or IP address', 'spelling'],
    ['turn:a.example:0', '"0" is not a port', '1 to 65535'],
    ['turn:a.example:65536', '"65536" is not a port', '1 to 65535'],
    ['turn:a.example:', '"" is not a port', '1 to 65535'],
    ['turn:a.example:http', '"http" is not a port', '1 to 65535'],
    ['turn:a.example: 80', '" 80" is not a port', '1 to 65535'],
    ['turn:a.example?transport=sctp', '"?transport=sctp" is not understood', '?transport=udp'],
    ['turn:a.example?transport=', '"?transport=" is not understood', '?transport=udp'],
    ['turn:a.example?', '"?" is not understood', '?transport=udp'],
    ['turn:a.example?transport=udp&x=1', 'is not understood', '?transport=udp'],
    ['turn:a.example/path', 'it does not have the form', 'turn:HOST'],
    ['turn:a.example#x', 'it does not have the form', 'turn:HOST'],
    [
      'turns:a.example?transport=udp',
      'DTLS (turns with transport=udp)',
      'Write turns:a.example?transport=tcp',
    ],
    ['stuns:[::1]?transport=udp', 'DTLS (stuns with transport=udp)', 'Write stuns:[::1]?transport=tcp'],
    ['http://a.example', 'it does not have the form', 'turn:HOST'],
    ['turn.example.com', 'it does not have the form', 'turn:HOST'],
    ['', 'it does not have the form', 'turn:HOST'],
    ['turn:a.example\n', 'is not a host name or IP address', 'spelling'],
  ])('refuses %j', (text, message, hint) => {
    const error = errorOf(text);
    expect(error.code).toBe('usage');
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
  });

  it('does not repeat a password', () => {
    for (const text of ['turn:alice:hunter2@a.example', 'turn:alice:hun:ter2@a.example:3478?transport=udp']) {
      const { message, hint } = errorOf(text);
      expect(`${message} ${hint}`).not.toMatch(/hun|ter2/);
      expect(message).toContain('a.example');
    }
  });

  it('gives a URI or a usage error for any text', () => {
    const parts = fc.constantFrom(
      'turn',
      'stuns',
      ':',
      '//',
      '@',
      '[',
      ']',
      '::1',
      '?transport=',
      'udp',
      'a.b',
      '1',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(parts).map((each) => each.join('')),
    );
    fc.assert(
      fc.property(text, (each) => {
        let uri: TurnUri;
        try {
          uri = parseTurnUri(each);
        } catch (error) {
          expect(error).toBeInstanceOf(RtcOpsError);
          return;
        }
        // What was taken is written in its usual spelling, and that means the same.
        expect(parseTurnUri(formatTurnUri(uri))).toEqual(uri);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('formatTurnUri', () => {
  it.each([
    ['turn:a.example:3478?transport=udp', 'turn:a.example'],
    ['turn:a.example:3479', 'turn:a.example:3479'],
    ['turn:a.example?transport=tcp', 'turn:a.example?transport=tcp'],
    // Some clients take turns: for DTLS unless the transport is spelled out.
    ['turns:a.example', 'turns:a.example?transport=tcp'],
    ['turns:a.example:443', 'turns:a.example:443?transport=tcp'],
    ['stuns:a.example:5349', 'stuns:a.example'],
    ['stun:[2001:DB8::1]:3478', 'stun:[2001:DB8::1]'],
  ])('%s → %s', (text, expected) => {
    expect(formatTurnUri(parseTurnUri(text))).toBe(expected);
  });
});

describe('isHost', () => {
  it.each([
    'a',
    'a.example',
    'A-1.example.',
    '203.0.113.10',
    '2001:db8::1',
    '_turn._udp.example',
    '1a.example',
  ])('takes %s', (host) => {
    expect(isHost(host)).toBe(true);
  });

  it.each(['', '.', '-a', 'a-', 'a b', '1.2.3', '1.2.3.4.5', '999', 'a/b', 'a..b', 'a.'.repeat(127)])(
    'refuses %j',
    (host) => {
      expect(isHost(host)).toBe(false);
    },
  );
});

describe('isTurn', () => {
  it('is told by the scheme', () => {
    const schemes = ['turn:a', 'turns:a', 'stun:a', 'stuns:a'].map((text) => isTurn(parseTurnUri(text)));
    expect(schemes).toEqual([true, true, false, false]);
  });
});
