import { createHmac } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkCredential, type CredentialCheck } from '../../src/credentials/check.ts';
import { issueCredential } from '../../src/credentials/issue.ts';
import { Secret } from '../../src/model/secret.ts';

const nowSeconds = 1_767_323_045;
const now = new Date(nowSeconds * 1000);
const time = nowSeconds + 3600;
const username = `${time}:alice`;
// Its digest needs + and / in Base64 (checked below), so that the alphabets differ.
const secret = 'north-wind-5';

function hmac(message: string, key: string | Buffer = secret, hash = 'sha1'): Buffer {
  return createHmac(hash, key).update(message).digest();
}

function check(name: string, password: string, secrets: readonly string[] = [secret]): CredentialCheck {
  const wrapped = secrets.map((each) => new Secret(each));
  return checkCredential({ username: name, password: new Secret(password), secrets: wrapped, now });
}

const right = hmac(username).toString('base64');

describe('checkCredential', () => {
  it('finds nothing wrong with a right one', () => {
    expect(check(username, right)).toEqual({ valid: true, problems: [], expiresAt: time, secretIndex: 0 });
  });

  it('takes the second in which it ends for good still, as coturn does', () => {
    const name = String(nowSeconds);
    expect(check(name, hmac(name).toString('base64')).valid).toBe(true);
  });

  it('says since when it has expired', () => {
    const name = `${nowSeconds - 90}:alice`;
    expect(check(name, hmac(name).toString('base64'))).toMatchObject({
      valid: false,
      problems: [{ kind: 'expired', expiresAt: nowSeconds - 90, agoSeconds: 90 }],
    });
  });

  it('tells a wrong secret', () => {
    expect(check(username, hmac(username, 'south').toString('base64'))).toMatchObject({
      valid: false,
      problems: [{ kind: 'wrong-secret' }],
      secretIndex: null,
    });
  });

  it('says of a static user that there is no time in it, and nothing about a secret', () => {
    expect(check('alice', 'hunter2').problems).toEqual([{ kind: 'no-time' }]);
  });

  it('says an expired credential and a wrong secret both', () => {
    expect(check('1599491771', 'Tpz/nKkyvX/vMSLKvL4sbtBt8Vs=').problems.map(({ kind }) => kind)).toEqual([
      'expired',
      'wrong-secret',
    ]);
  });

  it('finds the secret among several', () => {
    expect(check(username, right, ['older', secret])).toMatchObject({ valid: true, secretIndex: 1 });
  });

  it('prefers the way with the fewest mistakes', () => {
    expect(check(username, right, [`${secret}\n`, secret])).toMatchObject({ valid: true, secretIndex: 1 });
  });
});

describe('the time in the username', () => {
  const withRightPassword = (name: string): CredentialCheck => check(name, hmac(name).toString('base64'));

  it.each([
    [`${time}000:alice`, 'milliseconds'],
    [`${time}000000:alice`, 'microseconds'],
    [`${time}000000000:alice`, 'nanoseconds'],
  ])('%s counts in %s', (name, unit) => {
    expect(withRightPassword(name)).toMatchObject({
      problems: [{ kind: 'time-unit', unit, username }],
      expiresAt: time,
    });
  });

  it('is a lifetime', () => {
    expect(withRightPassword('3600:alice').problems).toEqual([{ kind: 'lifetime', seconds: 3600, username }]);
  });

  it('stands behind the user', () => {
    expect(withRightPassword(`alice:${time}`)).toMatchObject({
      problems: [{ kind: 'swapped', username }],
      expiresAt: time,
    });
  });

  it('stands behind the user and has passed', () => {
    expect(withRightPassword('alice:1599491771').problems.map(({ kind }) => kind)).toEqual([
      'swapped',
      'expired',
    ]);
  });

  it.each(['alice', '', ':', ':alice', 'alice:bob', '2026-01-02T03:04:05Z'])('is not in %j', (name) => {
    expect(withRightPassword(name)).toMatchObject({ problems: [{ kind: 'no-time' }], expiresAt: null });
  });

  it('lies beyond what coturn can hold', () => {
    expect(withRightPassword('9999999999').problems).toEqual([
      { kind: 'time-too-large', expiresAt: 9_999_999_999 },
    ]);
  });
});

describe('the password', () => {
  it.each<[string, string, object]>([
    ['is hexadecimal', hmac(username).toString('hex'), { kind: 'encoding', encoding: 'hex' }],
    [
      'is hexadecimal in capitals',
      hmac(username).toString('hex').toUpperCase(),
      { kind: 'encoding', encoding: 'hex' },
    ],
    ['is Base64url', hmac(username).toString('base64url'), { kind: 'encoding', encoding: 'base64url' }],
    [
      'is Base64url with padding',
      `${hmac(username).toString('base64url')}=`,
      { kind: 'encoding', encoding: 'base64url' },
    ],
    ['is encoded for a URL', encodeURIComponent(right), { kind: 'encoding', encoding: 'percent' }],
    ['lost its + signs', right.replaceAll('+', ' '), { kind: 'plus-as-blank' }],
    ['lacks its padding', right.replace('=', ''), { kind: 'padding', padding: 'missing' }],
    ['has too much padding', `${right}=`, { kind: 'padding', padding: 'extra' }],
    ['ends in a line break', `${right}\n`, { kind: 'blanks', where: 'password' }],
    ['is broken in two', `${right.slice(0, 9)}\n${right.slice(9)}`, { kind: 'blanks', where: 'password' }],
    ...['md5', 'sha224', 'sha256', 'sha384', 'sha512'].map((hash): [string, string, object] => [
      `is made with ${hash}`,
      hmac(username, secret, hash).toString('base64'),
      { kind: 'hash', hash },
    ]),
    [
      'is that of the time alone',
      hmac(String(time)).toString('base64'),
      { kind: 'part-of-username', part: 'time' },
    ],
    [
      'is that of the user alone',
      hmac('alice').toString('base64'),
      { kind: 'part-of-username', part: 'user' },
    ],
    ['is that of a line', hmac(`${username}\n`).toString('base64'), { kind: 'blanks', where: 'username' }],
    [
      'is made with a line',
      hmac(username, `${secret}\n`).toString('base64'),
      { kind: 'secret-with-newline' },
    ],
    [
      'is made with the secret and the username exchanged',
      hmac(secret, username).toString('base64'),
      { kind: 'key-as-message' },
    ],
    ...[`"${secret}"`, `'${secret}'`].map((quoted): [string, string, object] => [
      `is made with ${quoted}`,
      hmac(username, quoted).toString('base64'),
      { kind: 'secret-quoted', where: 'issuer' },
    ]),
    [
      'is made with a DOS line',
      hmac(username, `${secret}\r\n`).toString('base64'),
      { kind: 'secret-with-newline' },
    ],
  ])('%s', (_, password, problem) => {
    expect(check(username, password)).toEqual({
      valid: false,
      problems: [problem],
      expiresAt: time,
      secretIndex: 0,
    });
  });

  it('has both + and / in these tests', () => {
    expect(right).toMatch(/\+/);
    expect(right).toMatch(/\//);
  });

  it.each([
    ['hex', '6e6f7274682d77696e64'],
    ['base64', 'bm9ydGgtd2luZA=='],
  ] as const)('is made with the secret decoded from %s', (encoding, encoded) => {
    const password = hmac(username, 'north-wind').toString('base64');
    expect(check(username, password, [encoded]).problems).toEqual([{ kind: 'secret-decoded', encoding }]);
  });

  it('is made without the blanks that the secret has here', () => {
    expect(check(username, right, [` ${secret}\n`]).problems).toEqual([{ kind: 'blanks', where: 'secret' }]);
  });

  it.each([`"${secret}"`, `'${secret}'\n`])('is made without the quotes of %j here', (quoted) => {
    expect(check(username, right, [quoted]).problems).toEqual([{ kind: 'secret-quoted', where: 'here' }]);
  });

  it('is right for a username whose colon became %3A or a slash, or whose time has a fraction', () => {
    for (const name of [`${time}%3Aalice`, `${time}/alice`, `${time}.5:alice`]) {
      const kind = name.includes('.5') ? 'fraction' : 'separator';
      const signed = check(name, hmac(name).toString('base64'));
      expect(signed).toMatchObject({ valid: false, problems: [{ kind, username }], expiresAt: time });
    }
    // Signed as it should be, and encoded on its way here.
    expect(check(`${time}%3Aalice`, right).problems).toEqual([
      { kind: 'separator', separator: '%3A', username },
    ]);
  });

  it('is right, and the username has a line break', () => {
    expect(check(`${username}\n`, right).problems).toEqual([{ kind: 'blanks', where: 'username' }]);
  });

  it('has two mistakes at once', () => {
    const password = hmac(username, secret, 'sha256').toString('hex');
    expect(check(username, password).problems).toEqual([
      { kind: 'hash', hash: 'sha256' },
      { kind: 'encoding', encoding: 'hex' },
    ]);
  });

  it('differs in bits that Base64 does not use, which a server does not forgive', () => {
    // ….U= and ….V= give the same twenty bytes.
    const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
    const last = digits.indexOf(right.charAt(26));
    const twin = `${right.slice(0, 26)}${digits.charAt(last + 1)}=`;
    expect(Buffer.from(twin, 'base64')).toEqual(Buffer.from(right, 'base64'));
    expect(check(username, twin).problems).toEqual([{ kind: 'wrong-secret' }]);
  });
});

describe('any credential', () => {
  it('that was issued is valid until its end, and expired after it', () => {
    const users = fc.stringMatching(/^[a-zA-Z0-9._@-]{1,30}$/);
    fc.assert(
      fc.property(
        fc.string({ minLength: 1 }),
        users,
        fc.integer({ min: 1, max: 1e8 }),
        (key, user, ttlSeconds) => {
          const issued = issueCredential({ secret: new Secret(key), user, ttlSeconds, now });
          const at = (seconds: number): CredentialCheck =>
            checkCredential({ ...issued, secrets: [new Secret(key)], now: new Date(seconds * 1000) });
          expect(at(issued.expiresAt).valid).toBe(true);
          expect(at(issued.expiresAt + 1).problems.map(({ kind }) => kind)).toEqual(['expired']);
        },
      ),
    );
  });

  it('whatever it is, gets a judgement, and never a good one by chance', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (name, password) => {
        const { valid, problems } = check(name, password);
        expect(valid).toBe(false);
        expect(problems.length).toBeGreaterThan(0);
      }),
    );
  });
});
