import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { withSecretFiles } from '../../src/config/secret-edit.ts';

const both = ['s.txt', 's.txt.old'];

describe('withSecretFiles', () => {
  it.each([
    [
      'a flow',
      'auth: { secret: { file: s.txt } } # mine\nrealm: r\n',
      '{ file: s.txt }, { file: s.txt.old }',
      '# mine',
    ],
    [
      'a block',
      '# top\nauth:\n  secret:\n    file: s.txt\n\n# next\nrealm: r\n',
      '[{ file: s.txt }, { file: s.txt.old }]\n\n# next',
      '# top',
    ],
    [
      'a list',
      'realm: r\nauth:\n  secret:\n    - file: s.txt\n    - file: b\n',
      '[{ file: s.txt }, { file: s.txt.old }]\n',
      'realm: r\n',
    ],
    [
      'JSON',
      '{"auth":{"secret":{"file":"s.txt"}},"realm":"r"}',
      '[{ "file": "s.txt" }, { "file": "s.txt.old" }]',
      '"realm":"r"',
    ],
  ])('changes %s, and keeps the rest', (_, text, written, kept) => {
    const changed = withSecretFiles(text, both);
    expect(changed).toContain(written);
    expect(changed).toContain(kept);
    expect(parseConfig(changed, 'f').secrets).toEqual(both.map((file) => ({ file })));
    const back = withSecretFiles(changed, ['s.txt']);
    expect(parseConfig(back, 'f').secrets).toEqual([{ file: 's.txt' }]);
    if (text.startsWith('{')) expect(() => JSON.parse(back) as unknown).not.toThrow();
  });

  it('quotes a path that YAML would read as something else', () => {
    const changed = withSecretFiles('realm: r\nauth: { secret: { file: "a b: c" } }\n', [
      'a b: c',
      'a b: c.old',
    ]);
    expect(parseConfig(changed, 'f').secrets).toEqual([{ file: 'a b: c' }, { file: 'a b: c.old' }]);
  });

  it('refuses an alias, which may stand for something else too', () => {
    expect(() => withSecretFiles('x: &a { secret: { file: a } }\nauth: *a\n', both)).toThrow(/alias/);
  });
});
