import { describe, expect, it } from 'vitest';
import { dtlsAnswer, dtlsClientHello, dtlsVersion } from '../../src/net/dtls-hello.ts';

const random = Buffer.alloc(32, 7);
/** A record of DTLS with a handshake message in it, or with an alert. */
const record = (type: number, fragment: Buffer): Buffer =>
  Buffer.concat([Buffer.from([type, 0xfe, 0xff, ...Array<number>(8).fill(0), 0, fragment.length]), fragment]);
const handshake = (type: number, body: Buffer): Buffer =>
  record(22, Buffer.concat([Buffer.from([type, ...Array<number>(11).fill(0)]), body]));

describe('a ClientHello of DTLS', () => {
  it('shows the cookie in a second message of the same handshake', () => {
    const first = dtlsClientHello({ version: dtlsVersion.dtls12, random, cookie: Buffer.alloc(0) });
    const cookie = Buffer.from('cookie');
    const second = dtlsClientHello({ version: dtlsVersion.dtls12, random, cookie });
    expect(second.length).toBe(first.length + cookie.length);
    expect(second.includes(cookie)).toBe(true);
    // The number of the record, and of the message.
    expect([first[10], first[18], second[10], second[18]]).toEqual([0, 0, 1, 1]);
  });

  it('offers one version alone', () => {
    const versionIn = (version: 0xfeff | 0xfefd): number =>
      dtlsClientHello({ version, random, cookie: Buffer.alloc(0) }).readUInt16BE(25);
    expect(versionIn(dtlsVersion.dtls10)).toBe(0xfeff);
    expect(versionIn(dtlsVersion.dtls12)).toBe(0xfefd);
  });
});

describe('an answer to it', () => {
  it.each<[string, Buffer, object]>([
    [
      'a cookie',
      handshake(3, Buffer.from([0xfe, 0xff, 2, 8, 9])),
      { kind: 'cookie', cookie: Buffer.from([8, 9]) },
    ],
    ['a ServerHello', handshake(2, Buffer.from([0xfe, 0xfd, 0])), { kind: 'accepted', version: 0xfefd }],
    ['an alert', record(21, Buffer.from([2, 70])), { kind: 'refused', alert: 70 }],
    ['an alert cut short', record(21, Buffer.from([2])), { kind: 'not-dtls' }],
    ['another message', handshake(1, Buffer.alloc(3)), { kind: 'not-dtls' }],
    ['STUN', Buffer.from('0101000c2112a442000102030405060708090a0b', 'hex'), { kind: 'not-dtls' }],
    ['nothing', Buffer.alloc(0), { kind: 'not-dtls' }],
    ['a handshake cut short', record(22, Buffer.from([2, 0])), { kind: 'not-dtls' }],
  ])('%s', (_, bytes, answer) => {
    expect(dtlsAnswer(bytes)).toEqual(answer);
  });
});
