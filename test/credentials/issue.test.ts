import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { issueCredential, passwordOf } from '../../src/credentials/issue.ts';
import { Secret } from '../../src/model/secret.ts';

const secret = new Secret('foobar');
const now = new Date('2026-01-02T03:04:05.678Z');
const nowSeconds = 1_767_323_045;

describe('passwordOf', () => {
  it('is the Base64 of the HMAC-SHA1 of the username', () => {
    expect(passwordOf('1599491771', secret).reveal()).toBe('Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=');
  });
});

describe('issueCredential', () => {
  it('counts the lifetime from now, in whole seconds', () => {
    const issued = issueCredential({ secret, ttlSeconds: 43_200, now });
    expect(issued).toMatchObject({ username: String(nowSeconds + 43_200), ttlSeconds: 43_200 });
    expect(issued.expiresAt).toBe(nowSeconds + 43_200);
  });

  it('puts the user behind the time', () => {
    expect(issueCredential({ secret, user: 'alice', ttlSeconds: 60, now }).username).toBe(
      `${nowSeconds + 60}:alice`,
    );
  });

  it('takes the time of the end, even a past one', () => {
    const issued = issueCredential({ secret, expiresAt: 1_599_491_771, now });
    expect(issued.username).toBe('1599491771');
    expect(issued.password.reveal()).toBe('Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=');
    expect(issued.ttlSeconds).toBe(1_599_491_771 - nowSeconds);
  });

  it('shows the password to nobody who does not ask', () => {
    expect(JSON.stringify(issueCredential({ secret, ttlSeconds: 60, now }))).toContain(
      '"password":"[redacted]"',
    );
  });

  it.each([
    ['a:b', 'a colon parts the time from the user'],
    ['a b', 'it has a blank in it'],
    ['a\n', 'it has a blank in it'],
    ['a\u0000', 'it has a character in it that cannot be printed'],
    ['a\u200b', 'it has a character in it that cannot be printed'],
    ['\ud800', 'it has a character in it that cannot be printed'],
    ['e\u0301', 'it is not in the Unicode form NFC'],
    ['', 'it is empty'],
    ['x'.repeat(498), 'it is longer than 497 bytes'],
  ])('refuses the user %j', (user, why) => {
    const issue = (): unknown => issueCredential({ secret, user, ttlSeconds: 60, now });
    expect(issue).toThrow(expect.objectContaining({ code: 'usage', message: expect.stringContaining(why) }));
  });

  it('suspects milliseconds in a time beyond 32 bits', () => {
    const issue = (): unknown => issueCredential({ secret, expiresAt: 1_599_491_771_000, now });
    expect(issue).toThrow(expect.objectContaining({ hint: expect.stringContaining('write 1599491771.') }));
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses the time %d', (expiresAt) => {
    expect(() => issueCredential({ secret, expiresAt, now })).toThrow('is not a time in seconds since 1970');
  });

  it('agrees with a bare HMAC for any secret and any printable user', () => {
    const users = fc
      .string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 60 })
      .filter((u) => !/[\s:]/.test(u));
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'binary' }), users, (key, user) => {
        const issued = issueCredential({ secret: new Secret(key), user, ttlSeconds: 60, now });
        const expected = createHmac('sha1', Buffer.from(key))
          .update(`${nowSeconds + 60}:${user}`)
          .digest('base64');
        expect(issued.password.reveal()).toBe(expected);
      }),
    );
  });
});
