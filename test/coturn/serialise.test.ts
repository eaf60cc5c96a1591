import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDirectives } from '../../src/coturn/parse.ts';
import { serialise } from '../../src/coturn/serialise.ts';
import { RtcOpsError } from '../../src/model/error.ts';
import { Secret } from '../../src/model/secret.ts';

const revealed = { heading: ['A heading.'], secrets: 'revealed' } as const;

function one(name: string, value: string | true | Secret): string {
  return serialise([{ title: 'One', directives: [{ name, value }] }], revealed);
}

describe('serialise', () => {
  it('writes a heading, and each section under its title', () => {
    const sections = [
      {
        title: 'First',
        directives: [
          { name: 'realm', value: 'a b' },
          { name: 'fingerprint', value: true as const },
        ],
      },
      { title: 'Nothing', directives: [] },
      { title: 'Second', directives: [{ name: 'static-auth-secret', value: new Secret('s3cret') }] },
    ];
    const text = '# A heading.\n\n# First\nrealm=a b\nfingerprint\n\n# Second\nstatic-auth-secret=s3cret\n';
    expect(serialise(sections, revealed)).toBe(text);
    const redacted = serialise(sections, { ...revealed, secrets: 'redacted' });
    expect(redacted).toBe(text.replace('static-auth-secret=s3cret', '# static-auth-secret=[redacted]'));
  });

  it.each([
    ['', 'it is empty'],
    ['a\nb', 'it has a line break in it'],
    ['a\r', 'it has a line break in it'],
    ['a\u0000b', 'it has a control character in it'],
    ['a\tb', 'it has a control character in it'],
    ['\ud800', 'it has a control character in it'],
    [' a', 'it has a blank at an end'],
    ['a ', 'it has a blank at an end'],
    ['=a', 'it begins with ='],
    ['"a"', 'it begins with a double quote'],
    ['a;', 'it ends in a semicolon'],
    ['x'.repeat(1018), 'it makes a line of more than 1023 bytes'],
    ['é'.repeat(509), 'it makes a line of more than 1023 bytes'],
  ])('refuses the value %j', (value, why) => {
    expect(() => one('realm', value)).toThrow(
      expect.objectContaining({ code: 'configuration', message: expect.stringContaining(why) }),
    );
  });

  it('takes the longest line that coturn reads in one', () => {
    expect(one('realm', 'x'.repeat(1017))).toContain('x'.repeat(1017));
  });

  it('quotes no secret that it refuses', () => {
    let message = '';
    try {
      one('static-auth-secret', new Secret('hunter2\n'));
    } catch (error) {
      if (error instanceof RtcOpsError) message = `${error.message} ${error.hint}`;
    }
    expect(message).toContain(
      'static-auth-secret cannot stand in turnserver.conf: it has a line break in it',
    );
    expect(message).not.toContain('hunter2');
  });

  it('refuses names and comments that would be lines of their own', () => {
    expect(() => one('realm=x\nno-auth', true)).toThrow(expect.objectContaining({ code: 'bug' }));
    expect(() => serialise([], { ...revealed, heading: ['a\nno-auth'] })).toThrow(
      expect.objectContaining({ code: 'bug' }),
    );
  });

  it('writes any value so that coturn reads it back, or refuses it', () => {
    const piece = fc.constantFrom(
      ' ',
      '=',
      '"',
      '#',
      ';',
      '\t',
      '\n',
      '\r',
      'a',
      '1',
      'é',
      '-',
      '/',
      '\\',
      "'",
    );
    const value = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((parts) => parts.join('')),
      fc.string({ unit: 'binary' }),
    );
    const directive = fc.record({
      name: fc.constantFrom('realm', 'user', 'cert'),
      value: fc.oneof(value, fc.constant(true as const)),
    });
    fc.assert(
      fc.property(fc.array(directive, { maxLength: 5 }), (directives) => {
        let text: string;
        try {
          text = serialise([{ title: 'Any', directives }], revealed);
        } catch (error) {
          expect(error).toMatchObject({ code: 'configuration' });
          return;
        }
        expect(parseDirectives(text).map(({ name, value: read }) => ({ name, value: read }))).toEqual(
          directives,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
