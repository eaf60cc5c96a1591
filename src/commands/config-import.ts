import { readFile } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve } from 'node:path';
import { randomBytes } from 'node:crypto';
import { Option, type Command } from 'commander';
import type { ImportedConfig } from '../coturn/import.ts';
import type { LeftOver } from '../coturn/import-draft.ts';
import { RtcOpsError, exitCode, reasonOf } from '../model/error.ts';
import { printable } from '../model/printable.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import type { NewFile } from './new-file.ts';
import { servernameOption } from './option.ts';

interface Options extends GlobalOptions {
  readonly host?: string;
  readonly force?: boolean;
  readonly format: 'human' | 'json';
}

const help = `
Writes rtc-ops.yaml (or --config FILE), and each secret of the file into one of
its own beside it, readable by you alone. What rtc-ops.yaml has no place for is
listed with the reason; look at it before you put the result on a server:

  rtc-ops config import /etc/turnserver.conf --host turn.example.com
  rtc-ops render | diff /etc/turnserver.conf -

What is there already stays, unless --force says otherwise; and then it is kept
beside what takes its place, as FILE.bak.TIME.`;

export function defineImport(command: Command, context: CommandContext): void {
  command
    .command('import')
    .description('make an rtc-ops.yaml of a turnserver.conf that is there already')
    .argument('<file>', 'the turnserver.conf; "-" reads standard input')
    .option('--host <name>', 'what clients dial (default: its server-name, or its realm)', servernameOption)
    .option('--force', 'replace an rtc-ops.yaml and secrets that are there, and keep those as FILE.bak.TIME')
    .addOption(
      new Option('--format <format>', 'form of the result').choices(['human', 'json']).default('human'),
    )
    .addHelpText('after', help)
    .action(async (file: string, _: unknown, own: Command) =>
      run(file, own.optsWithGlobals<Options>(), context),
    );
}

async function run(name: string, options: Options, context: CommandContext): Promise<void> {
  const { workingDirectory } = context;
  const text = name === '-' ? await context.stdin() : await readConfig(resolve(workingDirectory, name), name);
  const [{ importConfig }, { writeNewFiles }] = await Promise.all([
    import('../coturn/import.ts'),
    import('./new-file.ts'),
  ]);
  const target = resolve(workingDirectory, options.config ?? 'rtc-ops.yaml');
  // By the name of the config: two of them in one folder have secrets of their own.
  const stem = parse(target).name;
  const imported = importConfig(text, { host: options.host ?? null, stem });
  const replace: NewFile['replace'] = options.force === true ? 'keep-old' : false;
  const files: NewFile[] = [
    ...secretsOf(imported, stem).map(({ file, secret }) => ({
      path: join(dirname(target), file),
      text: `${secret}\n`,
      mode: 0o600,
      replace,
    })),
    { path: target, text: await yamlOf(imported, basename(name)), mode: 0o644, replace },
  ];
  const kept = await writeNewFiles(files, context.now());
  const left = imported.needsSecret ? [madeSecret(stem), ...imported.left] : imported.left;
  const paths = files.map(({ path }) => path);
  context.stdout(options.format === 'json' ? jsonOf(paths, kept, left) : humanOf(paths, kept, left, name));
  context.exitWith(exitCode.healthy);
}

async function readConfig(path: string, name: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new RtcOpsError('usage', `cannot read ${name}: ${reasonOf(cause)}`, { cause });
  }
}

function madeSecret(stem: string): LeftOver {
  const because = `no shared secret and no user stands in the file: a new one is in ${stem}.secret`;
  return { line: null, name: 'auth.secret', because };
}

function secretsOf(
  { secrets, needsSecret }: ImportedConfig,
  stem: string,
): { file: string; secret: string }[] {
  if (needsSecret) return [{ file: `${stem}.secret`, secret: randomBytes(32).toString('hex') }];
  return secrets.map(({ name, secret }) => ({ file: name, secret: secret.reveal() }));
}

async function yamlOf({ written }: ImportedConfig, source: string): Promise<string> {
  const { stringify } = await import('yaml');
  const heading = `# Made of ${source.replaceAll(/\p{C}/gu, '?')} by rtc-ops config import.\n`;
  return heading + stringify(written, { flowCollectionPadding: true, lineWidth: 110 });
}

function jsonOf(files: readonly string[], kept: readonly string[], notCarried: readonly LeftOver[]): string {
  return `${JSON.stringify({ schemaVersion: 1, files, kept, notCarried }, null, 2)}\n`;
}

function humanOf(
  files: readonly string[],
  kept: readonly string[],
  left: readonly LeftOver[],
  name: string,
): string {
  const rows = left.map(({ line, name: option, because }) => {
    const place = line === null ? name : `${name}:${line}`;
    return printable(`  ${place} ${option}: ${because}`);
  });
  return [
    `${files.join('\n')}\n`,
    ...(kept.length === 0 ? [] : [`What was there before:\n${kept.map((each) => `  ${each}\n`).join('')}`]),
    ...(rows.length === 0 ? [] : [`Not carried over, or not as it is:\n${rows.join('\n')}\n`]),
  ].join('\n');
}
