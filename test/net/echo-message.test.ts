import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import {
  answerBytes,
  decodeEchoAnswer,
  decodeEchoRequest,
  encodeEchoAnswer,
  encodeEchoRequest,
  requestBytes,
} from '../../src/net/echo-message.ts';

const secret = new Secret('a secret of the tests');
const [nonce, cookie, subject] = [randomBytes(16), randomBytes(24), randomBytes(16)];
const request = encodeEchoRequest({ kind: 'ask', nonce, cookie, subject }, secret);

describe('a datagram of an outside peer', () => {
  it('is read as it was written', () => {
    expect(decodeEchoRequest(request, secret)).toEqual({ kind: 'ask', nonce, cookie, subject });
    for (const address of ['203.0.113.10', '2001:db8::10']) {
      const answer = { kind: 'knock', nonce, cookie, seenFrom: { address, port: 49160 } } as const;
      expect(decodeEchoAnswer(encodeEchoAnswer(answer, secret), secret)).toEqual(answer);
    }
    const nothing = { kind: 'ask', nonce, cookie, seenFrom: null } as const;
    expect(decodeEchoAnswer(encodeEchoAnswer(nothing, secret), secret)).toEqual(nothing);
  });

  it('gives no more than it takes', () => {
    expect(request).toHaveLength(requestBytes);
    expect(answerBytes).toBeLessThan(requestBytes);
  });

  it('is nothing with another secret, with one bit changed, or as the other of the two', () => {
    expect(decodeEchoRequest(request, new Secret('another secret of the tests'))).toBeNull();
    for (let bit = 0; bit < requestBytes * 8; bit++) {
      const changed = Buffer.from(request);
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(decodeEchoRequest(changed, secret)).toBeNull();
    }
    expect(decodeEchoAnswer(request, secret)).toBeNull();
  });

  it('is nothing when it is anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(decodeEchoRequest(bytes, secret)).toBeNull();
        expect(decodeEchoAnswer(bytes, secret)).toBeNull();
      }),
    );
  });
});
