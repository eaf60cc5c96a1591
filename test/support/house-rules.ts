import { builtinModules } from 'node:module';
import { basename, dirname } from 'node:path/posix';
import { parseSource, type SourceFile, type TextFile } from './source-file.ts';

/** The project as the rules see it: every file, and what is known of those that are TypeScript in src/. */
export interface Tree {
  readonly files: readonly TextFile[];
  readonly sources: readonly SourceFile[];
}

export function treeOf(files: readonly TextFile[]): Tree {
  return { files, sources: files.filter(({ path }) => /^src\/.*\.ts$/.test(path)).map(parseSource) };
}

/** A rule of the house gives one line for each breach, `path:line: what is wrong`. */
export type Rule = (tree: Tree) => string[];

/** The rooms of src/, from the bottom up, and what each may import beside itself and model/. */
const rooms: Readonly<Record<string, readonly string[]>> = {
  model: [],
  stun: [],
  net: [],
  turn: ['stun', 'net'],
  credentials: [],
  config: [],
  coturn: ['config'],
  webrtc: ['turn'],
  probes: ['turn', 'webrtc', 'net', 'credentials', 'evidence'],
  evidence: ['stun', 'coturn'],
  rules: [],
  ansible: ['config', 'coturn'],
  report: [],
};

/** Files of src/ that run as a process of their own: started from dist/ by their name, imported by nothing. */
const childProcesses: readonly string[] = ['src/webrtc/call-worker.ts', 'src/webrtc/gathering-worker.ts'];

/** The part of those processes that ends them. */
const endOfChildProcess = 'src/webrtc/worker.ts';

const maxLines = 400;

export const rules = {
  'imports run downwards': importsRunDownwards,
  'no files import each other in a circle': noCircles,
  'every import can be read': importsAreLiteral,
  'no file only passes on what others export': noBarrels,
  'names say what is inside': namesSaySomething,
  'only commands and cli.ts touch the process': onlyCommandsTouchTheProcess,
  'only cli.ts asks what time it is': onlyCliReadsTheTime,
  'chalk, ora and node-datachannel have their place': packagesHaveTheirPlace,
  'imported packages are dependencies': packagesAreDependencies,
  'files are short': filesAreShort,
  'tests mirror sources': testsMirrorSources,
  'integration tests say what they need': integrationTestsSayWhatTheyNeed,
  'every source is reachable': everySourceIsReachable,
  'no path of a machine, no registry': noMachineNoRegistry,
  'the lock file is complete': lockIsComplete,
} satisfies Record<string, Rule>;

export type RuleName = keyof typeof rules;

/** The room of a path in src/; null for files that lie in none. */
function roomOf(path: string): string | null {
  return /^src\/([^/]+)\//.exec(path)?.[1] ?? null;
}

/** A room may also import what the rooms below it are made of. */
function allowedFor(room: string): Set<string> {
  const allowed = new Set(['model', room]);
  const add = (name: string): void => {
    allowed.add(name);
    rooms[name]?.forEach(add);
  };
  if (room === 'commands') Object.keys(rooms).forEach(add);
  rooms[room]?.forEach(add);
  return allowed;
}

function importsRunDownwards({ sources }: Tree): string[] {
  return sources.flatMap(({ path, imports }) => {
    const room = path === 'src/cli.ts' ? 'cli.ts' : roomOf(path);
    if (room === null) return [`${path}: lies in no room`];
    if (room !== 'cli.ts' && room !== 'commands' && !Object.hasOwn(rooms, room)) {
      return [`${path}: there is no room ${room}/`];
    }
    const allowed = room === 'cli.ts' ? new Set(['model', 'commands']) : allowedFor(room);
    return imports
      .filter(({ target }) => target !== null && !allowed.has(roomOf(target) ?? ''))
      .map(({ target, line }) => `${path}:${line}: ${room} may not import ${target}`);
  });
}

function noCircles({ sources }: Tree): string[] {
  const importsOf = new Map(
    sources.map(({ path, imports }) => [path, imports.flatMap(({ target }) => target ?? [])]),
  );
  const finished = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '));
      return;
    }
    if (finished.has(path)) return;
    for (const target of importsOf.get(path) ?? []) visit(target, [...trail, path]);
    finished.add(path);
  };
  for (const path of importsOf.keys()) visit(path, []);
  return circles;
}

/** What is computed escapes the other rules. */
function importsAreLiteral({ sources }: Tree): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports
      .filter(({ specifier }) => specifier === null)
      .map(({ line }) => `${path}:${line}: import it by a literal name`),
  );
}

function noBarrels({ sources }: Tree): string[] {
  return sources
    .filter(({ path, isBarrel }) => isBarrel || basename(path) === 'index.ts')
    .map(({ path }) => `${path}: import from where things are defined`);
}

function namesSaySomething({ files }: Tree): string[] {
  return files
    .filter(({ path }) => /^(?:src|test)\//.test(path))
    .filter(({ path }) => /\/(?:utils?|helpers?|common|misc|types)(?:\.[^/]*)?(?:\/|$)/.test(path))
    .map(({ path }) => `${path}: name it for what is inside`);
}

function onlyCommandsTouchTheProcess({ sources }: Tree): string[] {
  const forbidden = new Set(['stdout', 'stderr', 'env', 'exitCode', 'exit']);
  const touches = ({ path, imports, processUses }: SourceFile): string[] => [
    ...imports
      .filter(({ packageName }) => packageName === 'node:process' || packageName === 'process')
      .map(({ line }) => `${path}:${line}: ask the caller instead of importing node:process`),
    ...processUses
      .filter(({ member }) => member === null || forbidden.has(member))
      .filter(({ member }) => !(member === 'exit' && path === endOfChildProcess))
      .map(({ member, line }) =>
        member === null
          ? `${path}:${line}: process is to be used member by member, and its name for nothing else`
          : `${path}:${line}: process.${member} belongs to commands/ and cli.ts`,
      ),
  ];
  return sources.filter(({ path }) => path !== 'src/cli.ts' && roomOf(path) !== 'commands').flatMap(touches);
}

function onlyCliReadsTheTime({ sources }: Tree): string[] {
  return sources
    .filter(({ path }) => path !== 'src/cli.ts')
    .flatMap(({ path, timeReads }) =>
      timeReads.map((line) => `${path}:${line}: the time is an argument, and performance.now() measures`),
    );
}

function packagesHaveTheirPlace({ sources }: Tree): string[] {
  return sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ packageName, kind, line }) => {
      const wrong = (what: string): string => `${path}:${line}: ${what}`;
      if (packageName === 'chalk' && !/^src\/report\/human(?:-[a-z-]+)?\.ts$/.test(path)) {
        return wrong('chalk belongs to report/human.ts');
      }
      if (packageName === 'ora' && roomOf(path) !== 'commands') return wrong('ora belongs to commands/');
      if (packageName !== 'node-datachannel') return [];
      if (roomOf(path) !== 'webrtc') return wrong('node-datachannel belongs to webrtc/');
      return kind === 'type' || kind === 'dynamic'
        ? []
        : wrong('node-datachannel is loaded lazily, by import()');
    }),
  );
}

function packagesAreDependencies({ files, sources }: Tree): string[] {
  const manifest = files.find(({ path }) => path === 'package.json');
  if (!manifest) return ['package.json: is missing'];
  const { dependencies = {} } = JSON.parse(manifest.text) as { dependencies?: Record<string, string> };
  return sources.flatMap(({ path, imports }) =>
    imports.flatMap(({ packageName, line }) => {
      if (packageName === null || packageName.startsWith('node:') || Object.hasOwn(dependencies, packageName))
        return [];
      const builtin = builtinModules.includes(packageName);
      return `${path}:${line}: ${packageName} ${builtin ? 'is written with node:' : 'is not in dependencies'}`;
    }),
  );
}

function filesAreShort({ sources }: Tree): string[] {
  return sources.flatMap(({ path, text }) => {
    const lines = text.trimEnd().split('\n').length;
    return lines > maxLines ? `${path}: ${lines} lines; the limit is ${maxLines}` : [];
  });
}

/** Tests of the project as such, not of one file. */
const ofTheWhole = new Set(['test/architecture.test.ts', 'test/package.integration.test.ts']);

/** `test/ROOM/NOUN.test.ts` and `test/ROOM/NOUN.WHAT.test.ts` test `src/ROOM/NOUN.ts`. */
function testsMirrorSources({ files, sources }: Tree): string[] {
  const known = new Set(sources.map(({ path }) => path));
  const sourceOf = (path: string): string =>
    `${dirname(path).replace(/^test/, 'src')}/${basename(path).replace(/\..*/, '')}.ts`;
  return files
    .filter(
      ({ path }) => /^test\/.*\.test\.ts$/.test(path) && !/^test\/(?:lab|support|bench|soak)\//.test(path),
    )
    .filter(({ path }) => !ofTheWhole.has(path) && !known.has(sourceOf(path)))
    .map(({ path }) => `${path}: there is no ${sourceOf(path)}`);
}

/** Else they fail, instead of being skipped by name, where there is no coturn. */
function integrationTestsSayWhatTheyNeed({ files }: Tree): string[] {
  return files
    .filter(({ path, text }) => /\.(?:integration|lab|vps)\.test\.ts$/.test(path) && !/\bneeds\('/.test(text))
    .map(({ path }) => `${path}: wrap its tests in needs('coturn').describe(…)`);
}

function everySourceIsReachable({ sources }: Tree): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const reach = (path: string): void => {
    const source = byPath.get(path);
    if (!source || reached.has(path)) return;
    reached.add(path);
    for (const { target } of source.imports) if (target !== null) reach(target);
  };
  reach('src/cli.ts');
  const started = (path: string): boolean =>
    sources.some((source) => reached.has(source.path) && source.text.includes(`'${basename(path, '.ts')}'`));
  for (const path of childProcesses) if (started(path)) reach(path);
  return sources
    .filter(({ path }) => !reached.has(path))
    .map(({ path }) => `${path}: nothing that cli.ts reaches imports or starts it`);
}

function noMachineNoRegistry({ files }: Tree): string[] {
  const forbidden = [
    {
      what: 'a path of one machine',
      pattern: /(?<![\w.~-])\/(?:root|work|(?:home|Users)\/[\w.-]+)\/|[A-Z]:\\Users\\/,
    },
    {
      what: 'the address of a package registry',
      pattern:
        /registry\.(?:npmjs|yarnpkg)\.|(?:deb|security)\.debian\.org|archive\.ubuntu\.com|"resolved":\s*"https?:/,
    },
  ];
  return files.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) =>
        forbidden
          .filter(({ pattern }) => pattern.test(line))
          .map(({ what }) => `${path}:${index + 1}: ${what}`),
      ),
  );
}

interface LockedPackage {
  readonly dependencies?: Record<string, string>;
  readonly optionalDependencies?: Record<string, string>;
}

/**
 * npm writes no entry for an optional package that the registry does not have at that time, such as the build for another
 * platform, and then refuses its own lock file in `npm ci`.
 */
function lockIsComplete({ files }: Tree): string[] {
  const lock = files.find(({ path }) => path === 'package-lock.json');
  if (!lock) return ['package-lock.json: is missing'];
  const { packages } = JSON.parse(lock.text) as { packages: Record<string, LockedPackage> };
  const has = (from: string, name: string): boolean => {
    const at = `${from === '' ? '' : `${from}/`}node_modules/${name}`;
    if (Object.hasOwn(packages, at)) return true;
    return from !== '' && has(from.replace(/(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+$/, ''), name);
  };
  return Object.entries(packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
    Object.keys({ ...dependencies, ...optionalDependencies })
      .filter((name) => !has(path, name))
      .map((name) => `package-lock.json: ${path} needs ${name}, which has no entry`),
  );
}
