import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edited } from '../../../src/coturn/lint/edits.ts';
import type { LintFacts } from '../../../src/coturn/lint/facts.ts';
import { parseDirectives } from '../../../src/coturn/parse.ts';
import { codes, found, versionFacts } from '../../support/lint-facts.ts';

const on417 = versionFacts('4.17.1');

function mended(text: string, facts: Partial<LintFacts> = {}): string {
  return edited(
    text,
    found(text, facts).flatMap(({ edit }) => edit ?? []),
  );
}

describe('what --fix makes of a line', () => {
  it.each<[string, string]>([
    ['  listening-port = 3478 # usual\r\n', '  listening-port = 3478\r\n'],
    ['no-tcp-relay # no\n', 'no-tcp-relay\n'],
    ['max-bps=64000;\n', 'max-bps=64000\n'],
    ['denied-peer-ip=10.0.0.0/8\n', 'denied-peer-ip=10.0.0.0-10.255.255.255\n'],
    ['denied-peer-ip=10.1.2.3/8\n', 'denied-peer-ip=10.0.0.0-10.255.255.255\n'],
    ['\tdenied-peer-ip=2001:db8::/32', '\tdenied-peer-ip=2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['\ufefffingerprint\n', 'fingerprint\n'],
    ['verbose\n# why\nverbose\n', '#verbose\n# why\nverbose\n'],
  ])('%j', (before, after) => {
    expect(mended(before)).toBe(after);
  });

  it('is a comment where the option is gone', () => {
    expect(mended('  no-sslv3\nno-cli\nfingerprint\n', on417)).toBe('  #no-sslv3\n#no-cli\nfingerprint\n');
  });

  it.each([
    // Clients have the same value, the comment included; or somebody has to decide.
    'static-auth-secret=4e8f7a9c3b5d1e0f28a7f3c5e9b1d204 # mine\n',
    'realm=example.org;\n',
    'no-tcp-rely\n',
    'allowed-peer-ip=10.0.0.0/8\n',
    'denied-peer-ip=::/0\n',
    'denied-peer-ip=0.0.0.0/0\n',
    'min-port=9\nmax-port=8\n',
    'no-auth\n',
    'static-auth-secret=north\n',
    'lt-cred-mech\nlt-cred-mech\n',
  ])('is nothing where that is not safe: %j', (text) => {
    expect(mended(text)).toBe(text);
  });
});

describe('a file that was mended', () => {
  const line = fc.oneof(
    fc.constantFrom(
      'listening-port=3478 # a',
      'max-bps=1;',
      'verbose',
      '# comment',
      '',
      'denied-peer-ip=10.0.0.0/8',
      'no-sslv3',
      'realm=x',
      'realm=x # y',
      'no-auth',
      'no-tcp # x ;',
      '  fingerprint # x\r',
    ),
    fc.string({ maxLength: 20 }),
  );

  it('has its lines and comments still, and needs no second mending of the same', () => {
    fc.assert(
      fc.property(fc.array(line, { maxLength: 10 }), (lines) => {
        const text = lines.join('\n');
        const once = mended(text, on417);
        expect(once.split('\n').length).toBe(text.split('\n').length);
        for (const each of text.split('\n').filter((part) => part.trim().startsWith('#')))
          expect(once.split('\n')).toContain(each);
        // A line with two faults takes two rounds.
        const settled = mended(mended(once, on417), on417);
        expect(mended(settled, on417)).toBe(settled);
      }),
    );
  });

  it('has no directive that it did not have', () => {
    const text = 'no-tcp-relay # a\nno-sslv3\nuser-quota=9;\ndenied-peer-ip=10.0.0.0/8\n';
    expect(parseDirectives(mended(text, on417)).map(({ name }) => name)).toEqual([
      'no-tcp-relay',
      'user-quota',
      'denied-peer-ip',
    ]);
    expect(codes(mended(text, on417), on417)).not.toContain('CONFIG_INLINE_COMMENT');
  });
});
