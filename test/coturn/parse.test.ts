import { describe, expect, it } from 'vitest';
import { isOn, lastValueOf, valuesOf } from '../../src/coturn/directive.ts';
import { parseDirectives } from '../../src/coturn/parse.ts';

function pairs(text: string): [string, string | true][] {
  return parseDirectives(text).map(({ name, value }) => [name, value]);
}

describe('parseDirectives', () => {
  it.each<[string, [string, string | true][]]>([
    ['realm=a', [['realm', 'a']]],
    ['realm a', [['realm', 'a']]],
    ['realm\ta', [['realm', 'a']]],
    ['realm = \t= a', [['realm', 'a']]],
    ['  realm=a  \r\n', [['realm', 'a']]],
    ['realm=a=b c', [['realm', 'a=b c']]],
    ['realm=a # no comment', [['realm', 'a # no comment']]],
    ['realm=a;', [['realm', 'a;']]],
    ['realm="a b"', [['realm', 'a b']]],
    ['realm="a', [['realm', 'a']]],
    ['realm=a"', [['realm', 'a"']]],
    ['realm=""a""', [['realm', '"a"']]],
    ['realm=', [['realm', '']]],
    ['fingerprint', [['fingerprint', true]]],
    ['# a\n\n \t\n#realm=b\n', []],
    [
      'a\nb\n',
      [
        ['a', true],
        ['b', true],
      ],
    ],
  ])('reads %j as coturn does', (text, expected) => {
    expect(pairs(text)).toEqual(expected);
  });

  it('says where things stand', () => {
    expect(parseDirectives('# x\n\n  realm = a')).toEqual([
      { name: 'realm', value: 'a', line: 3, column: 3, valueColumn: 11 },
    ]);
  });
});

it('begins another line behind 1023 bytes, as coturn does', () => {
  const comment = `#${'ä'.repeat(511)}`;
  expect(parseDirectives(`${comment}realm=a`)).toEqual([
    { name: 'realm', value: 'a', line: 1, column: 513, valueColumn: 519, isRest: true },
  ]);
  expect(pairs(`realm=${'b'.repeat(1017)}no-cli`)).toEqual([
    ['realm', 'b'.repeat(1017)],
    ['no-cli', true],
  ]);
  expect(pairs(`realm=${'b'.repeat(1017)}`)).toHaveLength(1);
});

describe('directives', () => {
  const directives = parseDirectives('a=1\nb\na=2\nc=off\nd=0\ne=yes\nf=On\ng=no\nh=1');

  it('give all their values, and the last one where one counts', () => {
    expect(valuesOf(directives, 'a')).toEqual(['1', '2']);
    expect(valuesOf(directives, 'b')).toEqual(['']);
    expect(lastValueOf(directives, 'a')).toBe('2');
    expect(lastValueOf(directives, 'x')).toBeUndefined();
  });

  it('are on as coturn takes them', () => {
    expect(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'x'].filter((name) => isOn(directives, name))).toEqual([
      'a',
      'b',
      'e',
      'f',
      'h',
    ]);
  });
});
