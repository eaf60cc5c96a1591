/**
 * Makes of dist/, which tsc wrote file by file, the few files that the command line runs from. Starting a command is
 * mostly finding and reading modules: together with the small libraries below they are read in half the time.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { rolldown } from 'rolldown';

/**
 * Libraries that go in, with what they are made of; any other stays in node_modules. Each is loaded by commands that are to
 * start at once.
 */
const inlined = new Set([
  'chalk',
  'commander',
  'ipaddr.js',
  'fast-string-width',
  'fast-wrap-ansi',
  'p-limit',
  'sdp-transform',
  'yaml',
  'zod',
]);

/**
 * What many commands load together, in one file: each file more costs half a millisecond. A module belongs to the first group
 * that matches it, and takes what it imports along. The first is all that `--help` needs, the first five all that `lint`
 * needs; anything else is split by what imports it.
 */
const groups = [
  { name: 'start', test: /commander|model\/(?:error|environment|version)\.js$/ },
  {
    name: 'base',
    test: /ipaddr\.js\/|model\/(?:advisory|duration|endpoint|printable|release|secret|turn-uri)\.js$|config\/(?:address|relay-range|suggestion)\.js$|commands\/option\.js$/,
  },
  { name: 'coturn', test: /coturn\/(?:directive|options|parse|serialise|versions)\.js$/ },
  { name: 'config-words', test: /model\/(?:catalog\/config|finding-words)/ },
  { name: 'lint', test: /coturn\/lint\/(?:edits|lint)\.js$/ },
].map((group, index, all) => ({ ...group, priority: all.length - index }));

/**
 * Writes `dist/bundle/`: the command line, and every `*-worker` that it starts as a process of its own. All lie two folders
 * deep, as in src/ROOM/, so that paths relative to `import.meta.url` hold.
 * @param {string} root the project's folder
 */
export async function bundle(root) {
  const dist = join(root, 'dist');
  const workers = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('-worker.js') && !file.startsWith('bundle'),
  );
  const inputs = ['cli.js', ...workers].map((file) => [basename(file, '.js'), join(dist, file)]);
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const installed = new Set(Object.keys(dependencies).filter((name) => !inlined.has(name)));
  const build = await rolldown({
    cwd: root,
    input: Object.fromEntries(inputs),
    platform: 'node',
    external: (id) => installed.has(packageOf(id)),
    onLog(level, log, handle) {
      // A module that cannot be found is only a warning there, and would be missing at run time.
      handle(level === 'warn' ? 'error' : level, log);
    },
  });
  try {
    const { output } = await build.write({
      dir: join(dist, 'bundle'),
      cleanDir: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'part-[name].js',
      codeSplitting: { groups },
    });
    const libraries = new Set(output.flatMap(({ moduleIds = [] }) => moduleIds.flatMap(libraryOf)));
    writeFileSync(join(dist, 'bundle', 'LICENSES.txt'), licencesOf([...libraries]));
  } finally {
    await build.close();
  }
}

function packageOf(id) {
  return id.split('/', id.startsWith('@') ? 2 : 1).join('/');
}

/** The folder of the library that a module belongs to; none for a module of ours. */
function libraryOf(id) {
  const match = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/.exec(id);
  return match ? [match[0]] : [];
}

/** What the licences of inlined libraries ask for: their text goes where their code goes. */
function licencesOf(folders) {
  return folders
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map((folder) => {
      const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry));
      const text = file === undefined ? license : readFileSync(join(folder, file), 'utf8').trim();
      return `${name} ${version}\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(72)}\n\n`);
}
