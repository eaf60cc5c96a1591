import { describe, expect, it } from 'vitest';
import { AttemptError, describeFailure, previewOf, systemFailure } from '../../src/model/failure.ts';
import type { Failure } from '../../src/model/observations.ts';

describe('describeFailure', () => {
  it.each<[Failure, string]>([
    [{ kind: 'timeout', afterMs: 5000, sent: 1 }, 'no answer within 5 s'],
    [{ kind: 'timeout', afterMs: 1250, sent: 5 }, 'no answer within 1.3 s (sent 5 times)'],
    [
      { kind: 'system', code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 203.0.113.10:3478' },
      'refused: nothing listens on that port, or a firewall rejects it (ECONNREFUSED)',
    ],
    [
      { kind: 'system', code: 'EADDRNOTAVAIL', message: 'bind EADDRNOTAVAIL 192.0.2.1:9' },
      'the address is none of this machine (EADDRNOTAVAIL)',
    ],
    [
      { kind: 'system', code: 'EADDRNOTAVAIL', message: 'connect EADDRNOTAVAIL 2001:db8::1' },
      'this machine has no address of that family (EADDRNOTAVAIL)',
    ],
    [
      { kind: 'system', code: 'EADDRINUSE', message: 'bind EADDRINUSE 127.0.0.1:9' },
      'another program has the port (EADDRINUSE)',
    ],
    [
      { kind: 'system', code: 'EACCES', message: 'bind EACCES 127.0.0.1:9' },
      'this user may not take that port (EACCES)',
    ],
    [
      { kind: 'system', code: 'EACCES', message: 'connect EACCES 255.255.255.255:3478' },
      'a firewall forbids it, or it is a broadcast address (EACCES)',
    ],
    [{ kind: 'system', code: 'EPIPE', message: 'write EPIPE' }, 'the connection was reset (EPIPE)'],
    [{ kind: 'system', code: 'EODD', message: 'it is odd' }, 'EODD: it is odd'],
    [{ kind: 'closed', bytesReceived: 0 }, 'the connection was closed without an answer'],
    [{ kind: 'closed', bytesReceived: 1 }, 'the connection was closed after 1 byte'],
    [{ kind: 'closed', bytesReceived: 20 }, 'the connection was closed after 20 bytes'],
    // coturn sends no reason phrase from 4.10 on.
    [{ kind: 'stun-error', code: 438, reason: '' }, 'error 438 Stale Nonce'],
    [{ kind: 'stun-error', code: 438, reason: 'Wrong nonce' }, 'error 438 Wrong nonce'],
    [{ kind: 'stun-error', code: 699, reason: '' }, 'error 699'],
    [{ kind: 'stun-error', code: 0, reason: '' }, 'an error response without an error code'],
    [
      { kind: 'malformed', detail: 'not a STUN answer', preview: '"HTTP/1.1"' },
      'not a STUN answer: "HTTP/1.1"',
    ],
    [{ kind: 'integrity', detail: 'a wrong FINGERPRINT' }, 'a wrong FINGERPRINT'],
    [
      { kind: 'tls', code: 'ERR_SSL_X', message: 'wrong version number' },
      'the TLS handshake failed: wrong version number',
    ],
    [{ kind: 'internal', detail: 'the process froze' }, 'the process froze'],
  ])('%j', (failure, text) => {
    expect(describeFailure(failure)).toBe(text);
    expect(new AttemptError(failure)).toMatchObject({ message: text, failure });
  });
});

describe('systemFailure', () => {
  it('keeps code and message', () => {
    const error = Object.assign(new Error('send EPERM'), { code: 'EPERM' });
    expect(systemFailure(error)).toEqual({ kind: 'system', code: 'EPERM', message: 'send EPERM' });
    expect(systemFailure(new Error('odd'))).toMatchObject({ code: 'UNKNOWN' });
  });
});

describe('previewOf', () => {
  it.each([
    ['HTTP/1.1 400 Bad Request\r\nServer: x\r\n', '"HTTP/1.1 400 Bad Request"'],
    ['SSH-2.0-OpenSSH_9.2p1 "quoted"', '"SSH-2.0-OpenSSH_9.2p1 \\"quoted\\""'],
    ['\u001b[31mred', '1b5b33316d726564 (8 bytes)'],
    ['', ' (0 bytes)'],
  ])('%j', (text, preview) => {
    expect(previewOf(Buffer.from(text, 'latin1'))).toBe(preview);
  });

  it('shows bytes as hexadecimal, the first sixteen', () => {
    expect(previewOf(Buffer.alloc(40, 0xee))).toBe(`${'ee'.repeat(16)} (40 bytes)`);
  });
});
