import { describe, expect, it } from 'vitest';
import { opaqueString } from '../../src/stun/opaque-string.ts';

// The rules of RFC 8265 §4.2.2, and its examples in §4.3.
describe('opaqueString', () => {
  it.each([
    ['correct horse battery staple', 'correct horse battery staple'],
    ['Correct Horse Battery Staple', 'Correct Horse Battery Staple'],
    ['\u03c0\u00df\u00e5', '\u03c0\u00df\u00e5'],
    ['Jack of \u2666s', 'Jack of \u2666s'],
    ['foo\u1680bar', 'foo bar'],
    ['a\u00a0\u2003\u3000b', 'a   b'],
    ['e\u0301', '\u00e9'],
    ['\uff21', '\uff21'],
    ['', ''],
  ])('%j becomes %j', (text, expected) => {
    expect(opaqueString(text)).toBe(expected);
  });

  it('leaves alone what SASLprep changed, and what the profile forbids', () => {
    expect(opaqueString('The\u00adM\u00aatr\u2168')).toBe('The\u00adM\u00aatr\u2168');
    expect(opaqueString('a\tb\u0000')).toBe('a\tb\u0000');
  });
});
