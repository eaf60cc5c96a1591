import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { rules, treeOf, type RuleName } from './support/house-rules.ts';
import type { TextFile } from './support/source-file.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage']);

function textFiles(folder: string): TextFile[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (notOurs.has(entry.name)) return [];
    if (entry.isDirectory()) return textFiles(path);
    if (!entry.isFile() || entry.name.endsWith('.tgz')) return [];
    const text = readFileSync(path, 'utf8');
    return text.includes('\0') ? [] : { path: relative(root, path).replaceAll(sep, '/'), text };
  });
}

describe('the rules of the house', () => {
  const tree = treeOf(textFiles(root));

  it('see the project', () => {
    expect(tree.sources.map(({ path }) => path)).toContain('src/cli.ts');
    expect(tree.files.map(({ path }) => path)).toContain('package-lock.json');
  });

  it.each(Object.entries(rules))('hold: %s', (_name, rule) => {
    expect(rule(tree)).toEqual([]);
  });
});

/** A small project in which every rule holds, with all that is allowed only in some place. */
const house: Record<string, string> = {
  'package.json':
    '{ "dependencies": { "chalk": "^5", "ora": "^9", "node-datachannel": "^0.33", "@scope/thing": "^1" } }',
  'package-lock.json': `{ "packages": { "": { "dependencies": { "a": "1" } }, "node_modules/a": { "dependencies": { "b": "1", "c": "1" } },
    "node_modules/a/node_modules/@x/b": { "dependencies": { "c": "1" } }, "node_modules/a/node_modules/b": {}, "node_modules/c": {} } }`,
  'src/cli.ts': `import { a } from './model/a.ts'; await import('./commands/probe.ts'); process.exitCode = a; void new Date();`,
  'src/model/a.ts': `export const a = 0; export type A = typeof a; void new Date(a); void performance.now();`,
  'src/stun/message.ts': `import type { A } from '../model/a.ts'; export const m: A = 0;`,
  'src/turn/client.ts': `import '../stun/message.ts'; void process.pid;`,
  'src/webrtc/call.ts': `import { m } from '../stun/message.ts';
    import type { PeerConnection } from 'node-datachannel';
    import '../turn/client.ts';
    export const load = (): Promise<PeerConnection> => import('node-datachannel');
    void m; start('call-worker'); start('gathering-worker');`,
  'src/webrtc/call-worker.ts': `import './worker.ts';`,
  'src/webrtc/gathering-worker.ts': `import './worker.ts';`,
  'src/webrtc/worker.ts': `process.on('disconnect', () => process.exit(0));`,
  'src/report/human.ts': `import chalk from 'chalk'; import '@scope/thing/part'; export { chalk as paint, own };
    const own = { process: 1 }.process;`,
  'src/commands/probe.ts': `import ora from 'ora'; import '../report/human.ts'; import '../webrtc/call.ts';
    ora(process.stderr); process.stdout.write(String(process.env));`,
  'test/stun/message.test.ts': '',
  'test/stun/message.integration.test.ts': `needs('coturn').describe('', () => {});`,
  'test/stun/captured-packets.ts': '',
  'test/support/anything.test.ts': '',
  'test/architecture.test.ts': '',
  'ansible/tasks/main.yml': 'path: ~/work/x ./root/y https://example.org/home/z /usr/bin/env',
};

interface Breach {
  readonly plant: Record<string, string>;
  readonly found: string[];
}

const machine = (...parts: string[]): string => ['', ...parts].join('/');

/** For each rule what breaks it, and what the rule then says. */
const breaches: Record<RuleName, Breach[]> = {
  'imports run downwards': [
    // Each way to write an import, upwards.
    ...[
      `import { x } from '../turn/client.ts';`,
      `import '../turn/client.ts';`,
      `import type { X } from '../turn/client.ts';`,
      `import { type X } from '../turn/client.ts';`,
      `export { x } from '../turn/client.ts';`,
      `export * from '../turn/client.ts';`,
      `await import('../turn/client.ts');`,
      `type X = import('../turn/client.ts').X;`,
      `let x: typeof import('../turn/client.ts');`,
      `createRequire(import.meta.url)('../turn/client.ts');`,
    ].map((line) => ({
      plant: { 'src/stun/message.ts': `\n${line}` },
      found: ['src/stun/message.ts:2: stun may not import src/turn/client.ts'],
    })),
    {
      plant: { 'src/model/a.ts': `import '../stun/message.ts';` },
      found: ['src/model/a.ts:1: model may not import src/stun/message.ts'],
    },
    {
      plant: { 'src/report/human.ts': `import '../stun/message.ts';` },
      found: ['src/report/human.ts:1: report may not import src/stun/message.ts'],
    },
    {
      plant: { 'src/cli.ts': `import './turn/client.ts';` },
      found: ['src/cli.ts:1: cli.ts may not import src/turn/client.ts'],
    },
    {
      plant: { 'src/webrtc/call.ts': `import '../../test/support/anything.test.ts';` },
      found: ['src/webrtc/call.ts:1: webrtc may not import test/support/anything.test.ts'],
    },
    { plant: { 'src/main.ts': '' }, found: ['src/main.ts: lies in no room'] },
    { plant: { 'src/attic/box.ts': '' }, found: ['src/attic/box.ts: there is no room attic/'] },
  ],
  'no files import each other in a circle': [
    {
      plant: { 'src/model/a.ts': `import './b.ts';`, 'src/model/b.ts': `import type { A } from './a.ts';` },
      found: ['src/model/a.ts → src/model/b.ts → src/model/a.ts'],
    },
  ],
  'every import can be read': [
    {
      plant: { 'src/turn/client.ts': `const name = 'x';\nawait import(name);` },
      found: ['src/turn/client.ts:2: import it by a literal name'],
    },
    {
      plant: { 'src/turn/client.ts': `createRequire(import.meta.url)(name);` },
      found: ['src/turn/client.ts:1: import it by a literal name'],
    },
  ],
  'no file only passes on what others export': [
    {
      plant: { 'src/model/all.ts': `export * from './a.ts';` },
      found: ['src/model/all.ts: import from where things are defined'],
    },
    {
      plant: { 'src/model/all.ts': `import { a } from './a.ts'; export { a };` },
      found: ['src/model/all.ts: import from where things are defined'],
    },
    {
      plant: { 'src/model/index.ts': `export const b = 1;` },
      found: ['src/model/index.ts: import from where things are defined'],
    },
  ],
  'names say what is inside': [
    'src/model/types.ts',
    'src/utils/x.ts',
    'src/turn/helpers.ts',
    'test/common/y.ts',
    'test/stun/helper.test.ts',
  ].map((path) => ({ plant: { [path]: '' }, found: [`${path}: name it for what is inside`] })),
  'only commands and cli.ts touch the process': [
    ...['stdout', 'stderr', 'env', 'exitCode', 'exit'].map((member) => ({
      plant: { 'src/turn/client.ts': `void process.${member};` },
      found: [`src/turn/client.ts:1: process.${member} belongs to commands/ and cli.ts`],
    })),
    {
      plant: { 'src/turn/client.ts': `void process['env'];` },
      found: ['src/turn/client.ts:1: process.env belongs to commands/ and cli.ts'],
    },
    ...[`const { env } = process;`, `void globalThis.process;`, `show(process);`].map((line) => ({
      plant: { 'src/turn/client.ts': line },
      found: ['src/turn/client.ts:1: process is to be used member by member, and its name for nothing else'],
    })),
    {
      plant: { 'src/turn/client.ts': `import { env } from 'node:process';` },
      found: ['src/turn/client.ts:1: ask the caller instead of importing node:process'],
    },
    {
      plant: { 'src/webrtc/worker.ts': `process.stdout.write('');` },
      found: ['src/webrtc/worker.ts:1: process.stdout belongs to commands/ and cli.ts'],
    },
  ],
  'only cli.ts asks what time it is': [
    `void new Date();`,
    `const ms = Date.now();`,
    `run({ now: Date.now });`,
  ].map((line) => ({
    plant: { 'src/commands/probe.ts': `\n${line}` },
    found: ['src/commands/probe.ts:2: the time is an argument, and performance.now() measures'],
  })),
  'chalk, ora and node-datachannel have their place': [
    {
      plant: { 'src/report/json.ts': `import chalk from 'chalk';` },
      found: ['src/report/json.ts:1: chalk belongs to report/human.ts'],
    },
    {
      plant: { 'src/report/human.ts': `import 'ora';` },
      found: ['src/report/human.ts:1: ora belongs to commands/'],
    },
    {
      plant: { 'src/turn/client.ts': `await import('node-datachannel');` },
      found: ['src/turn/client.ts:1: node-datachannel belongs to webrtc/'],
    },
    {
      plant: { 'src/webrtc/call.ts': `import { PeerConnection } from 'node-datachannel/polyfill';` },
      found: ['src/webrtc/call.ts:1: node-datachannel is loaded lazily, by import()'],
    },
  ],
  'imported packages are dependencies': [
    {
      plant: { 'src/turn/client.ts': `import 'fast-check';` },
      found: ['src/turn/client.ts:1: fast-check is not in dependencies'],
    },
    {
      plant: { 'src/turn/client.ts': `import 'fs';` },
      found: ['src/turn/client.ts:1: fs is written with node:'],
    },
  ],
  'files are short': [
    {
      plant: { 'src/model/a.ts': 'void 0;\n'.repeat(401) },
      found: ['src/model/a.ts: 401 lines; the limit is 400'],
    },
  ],
  'tests mirror sources': [
    {
      plant: { 'test/stun/gone.test.ts': '' },
      found: ['test/stun/gone.test.ts: there is no src/stun/gone.ts'],
    },
    {
      plant: { 'test/gone.integration.test.ts': '' },
      found: ['test/gone.integration.test.ts: there is no src/gone.ts'],
    },
  ],
  'integration tests say what they need': [
    {
      plant: { 'test/stun/message.integration.test.ts': `describe('', () => {});` },
      found: ["test/stun/message.integration.test.ts: wrap its tests in needs('coturn').describe(…)"],
    },
    {
      plant: { 'test/lab/matrix.lab.test.ts': `describe('', () => {});` },
      found: ["test/lab/matrix.lab.test.ts: wrap its tests in needs('coturn').describe(…)"],
    },
  ],
  'every source is reachable': [
    {
      plant: { 'src/model/b.ts': `import './a.ts';` },
      found: ['src/model/b.ts: nothing that cli.ts reaches imports or starts it'],
    },
    {
      plant: { 'src/webrtc/call.ts': `import '../turn/client.ts'; start('gathering-worker');` },
      found: ['src/webrtc/call-worker.ts: nothing that cli.ts reaches imports or starts it'],
    },
  ],
  'no path of a machine, no registry': [
    ...[
      machine('root', 'x'),
      machine('work', 'x'),
      machine('home', 'ann', 'x'),
      machine('Users', 'ann', 'x'),
    ].map((path) => ({
      plant: { 'README.md': `\nsee ${path}` },
      found: ['README.md:2: a path of one machine'],
    })),
    { plant: { 'a.json': `"file://${machine('work', 'x')}"` }, found: ['a.json:1: a path of one machine'] },
    ...[['registry', 'npmjs', 'org'].join('.'), ['deb', 'debian', 'org'].join('.')].map((host) => ({
      plant: { 'README.md': `from ${host}` },
      found: ['README.md:1: the address of a package registry'],
    })),
    {
      plant: { 'package-lock.json': ['{ "resolved"', ' "https://example.org/zod.tgz" }'].join(':') },
      found: ['package-lock.json:1: the address of a package registry'],
    },
  ],
  'the lock file is complete': [
    {
      plant: {
        'package-lock.json': `{ "packages": { "node_modules/a": { "optionalDependencies": { "@a/win32": "1" } } } }`,
      },
      found: ['package-lock.json: node_modules/a needs @a/win32, which has no entry'],
    },
  ],
};

describe('a house in order', () => {
  it.each(Object.entries(rules))('breaks no rule: %s', (_name, rule) => {
    expect(rule(treeWith({}))).toEqual([]);
  });
});

describe('a planted breach is found', () => {
  const cases = Object.entries(rules).flatMap(([name, rule]) =>
    breaches[name as RuleName].map(({ plant, found }) => ({ name, rule, plant, found })),
  );
  it.each(cases)('$name: $found.0', ({ rule, plant, found }) => {
    expect(rule(treeWith(plant))).toEqual(found);
  });

  it('in a file that is no TypeScript by refusing to judge it', () => {
    expect(() => treeWith({ 'src/model/a.ts': 'import {' })).toThrow('src/model/a.ts');
  });
});

function treeWith(plant: Record<string, string>) {
  return treeOf(Object.entries({ ...house, ...plant }).map(([path, text]) => ({ path, text })));
}
