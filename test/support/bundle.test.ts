import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const bundle = fileURLToPath(new URL('../../dist/bundle/', import.meta.url));

/** Every file of the bundle that is loaded together with `name`. */
function loadedWith(name: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(name)) return seen;
  const text = readFileSync(bundle + name, 'utf8');
  seen.set(name, text);
  for (const [, other = ''] of text.matchAll(/^import .*"\.\/([\w-]+\.js)";$/gm)) loadedWith(other, seen);
  return seen;
}

function fileOf(command: string): string {
  const [, name = ''] =
    new RegExp(`import\\("\\./(part-${command}\\d*\\.js)"\\)`).exec(
      readFileSync(`${bundle}cli.js`, 'utf8'),
    ) ?? [];
  return name;
}

describe('the bundle', () => {
  it('has all that --help needs in three files', () => {
    expect(loadedWith('cli.js').size).toBeLessThanOrEqual(3);
  });

  it('starts lint with few files, and without the words of what only servers can have', () => {
    const files = loadedWith(fileOf('lint'), loadedWith('cli.js'));
    expect(files.size).toBeLessThanOrEqual(8);
    const text = [...files.values()].join('\n');
    const has = (part: RegExp): boolean => part.test(text);
    expect({
      itsWords: has(/^\s*OPEN_RELAY_CONFIGURED: /m),
      wordsOfServers: has(/^\s*RELAY_ADDRESS_PRIVATE: /m),
      libraries: has(/node_modules\/(?:zod|yaml)\//),
    }).toEqual({ itsWords: true, wordsOfServers: false, libraries: false });
  });
});
