import { describe, expect, it } from 'vitest';
import { KeyRing, parseApiKeys, parseRate } from '../../src/credentials/api-keys.ts';

const web = '0123456789abcdef0123456789abcdef';
const mobile = 'fedcba9876543210fedcba9876543210';

describe('parseApiKeys', () => {
  it('reads a key a line, with what it may do', () => {
    const text = `\n# comment\nweb ${web}  ttl=10m rate=600/m\r\n  mobile\t${mobile}\nall ${web}0 rate=off\n`;
    const keys = parseApiKeys(text, 'keys').map(({ key, ...rest }) => ({ ...rest, key: key.reveal() }));
    expect(keys).toEqual([
      { name: 'web', key: web, ttlSeconds: 600, rate: { burst: 600, perSecond: 10 } },
      { name: 'mobile', key: mobile, ttlSeconds: null, rate: null },
      { name: 'all', key: `${web}0`, ttlSeconds: null, rate: 'off' },
    ]);
  });

  it.each([
    ['', 'keys names no API key'],
    [`web`, 'keys:1 web has no key'],
    [`web short`, 'keys:1 the key of web has fewer than 16 characters'],
    [`we/b ${web}`, 'keys:1 the name may have letters'],
    [`web ${web}ä`, 'keys:1 the key of web has a character in it that no header can carry'],
    [`web ${web} ttl=10`, 'keys:1 ttl of web must be a duration such as 1h'],
    [`web ${web} rate=10`, 'keys:1 rate of web must be off, or a rate'],
    [`web ${web} rate=0/s`, 'keys:1 rate of web must be off, or a rate'],
    [`web ${web} ${mobile}`, 'keys:1 behind the key of web stands something'],
    [`web ${web}\nweb ${mobile}`, 'keys:2 names web a second time'],
    [`web ${web}\nmobile ${web}`, 'keys:2 mobile has the same key as web'],
    [`web\n# x\nmobile`, 'keys:1 web has no key\nkeys:3 mobile has no key'],
  ])('refuses %j, and repeats no key', (text, message) => {
    const parse = (): unknown => parseApiKeys(text, 'keys');
    expect(parse).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(message) }),
    );
    expect(parse).toThrow(
      expect.not.objectContaining({ message: expect.stringMatching(/0123456789|98765/) }),
    );
  });
});

describe('parseRate', () => {
  it.each([
    ['10/s', { burst: 10, perSecond: 10 }],
    ['3600/h', { burst: 3600, perSecond: 1 }],
    ['0/s', null],
    ['1/d', null],
    ['1.5/s', null],
    ['', null],
  ])('%j', (text, rate) => {
    expect(parseRate(text)).toEqual(rate);
  });
});

describe('KeyRing', () => {
  const ring = new KeyRing(parseApiKeys(`web ${web}\nmobile ${mobile}\n`, 'keys'));

  it('finds the key that it has', () => {
    expect(ring.find(web)?.name).toBe('web');
    expect(ring.find(mobile)?.name).toBe('mobile');
  });

  it.each(['', web.slice(1), `${web} `, web.toUpperCase(), '__proto__'])('does not find %j', (candidate) => {
    expect(ring.find(candidate)).toBeNull();
  });
});
