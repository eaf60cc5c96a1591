import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { requireConfig, type LoadedConfig } from '../config/load.ts';
import { differentHosts, hostNamed } from '../coturn/host-addresses.ts';
import type { Passwords } from '../coturn/render.ts';
import { defaultVersion, knownVersions } from '../coturn/versions.ts';
import { RtcOpsError, exitCode, reasonOf } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { withFoundAddresses } from './found-addresses.ts';
import { fileOption } from './option.ts';
import { passwordsOf, secretsOf } from './secret-source.ts';

interface Options extends GlobalOptions {
  readonly coturnVersion: string;
  readonly host?: string;
  readonly out?: string;
}

const help = `
On standard output the secrets are left out: a comment stands in their place,
and a coturn that is run with the output by mistake lets nobody in. --out writes
the files as they are to land on the host, with the secrets in them, each
readable by you alone. Where several hosts have addresses or settings of their
own, --out makes a directory for each.

For a host with addresses: auto run it on that host: a STUN server is asked
(addressDiscovery.stun), and what it says is told on standard error.

Where rtc-ops.yaml gives no addresses, coturn takes all that the machine has,
and warns of that when it starts. Give hosts[].addresses, and it has no warning.

Known versions (4.6 is the newest of its line):
  ${knownVersions.slice(0, 9).join(', ')},
  ${knownVersions.slice(9).join(', ')}

Examples:
  rtc-ops render
  rtc-ops render --host turn.example.com --coturn-version 4.17 --out rendered`;

export function define(command: Command, context: CommandContext): void {
  command
    .option('--host <name>', 'which of the hosts of rtc-ops.yaml')
    .option('--coturn-version <version>', 'the coturn that is to read it', defaultVersion)
    .option('--out <directory>', 'write the files there, with the secrets', fileOption)
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

async function run(options: Options, context: CommandContext): Promise<void> {
  const loaded = await requireConfig({ config: options.config, workingDirectory: context.workingDirectory });
  const unused = unusedKeys(loaded.config);
  if (unused.length > 0 && options.quiet !== true) {
    context.stderr(`rtc-ops: ${unused.join(', ')} count for nothing with the profile stun-only\n`);
  }
  const { renderConfig } = await import('../coturn/render.ts');
  const { coturnVersion: version, host } = options;
  if (options.out === undefined) {
    const config = await withFoundAddresses(loaded.config, hostNamed(loaded.config.hosts, host), context);
    // None is read: what is not there cannot be shown.
    const secrets = config.secrets.map(() => new Secret('-'));
    const passwords = unreadPasswords(config);
    context.stdout(renderConfig(config, { version, host, secrets, passwords, redact: true }));
  } else {
    const directory = resolve(context.workingDirectory, options.out);
    for (const { name, text } of await renderAll(loaded, options, context)) {
      const file = await writeConfig(join(directory, name), text);
      context.stdout(`${file}\n`);
    }
  }
  context.exitWith(exitCode.healthy);
}

/** What a server that does not relay has no use for, of what the file says. */
function unusedKeys({ profile, secrets, users, quotas, peers, database, relay }: Config): string[] {
  if (profile === 'turn') return [];
  const isSaid = {
    auth: secrets.length > 0 || users.length > 0,
    quotas: Object.values(quotas).some((value) => value !== undefined),
    peers: peers.allow.length > 0 || peers.deny.length > 0 || peers.only !== null,
    relay: relay.addresses.length > 0 || relay.users !== null,
    database: database !== null,
  };
  return Object.entries(isSaid).flatMap(([key, said]) => (said ? [key] : []));
}

function unreadPasswords({ users, database }: Config): Passwords {
  const hasPassword = database !== null && 'password' in database && database.password !== null;
  return {
    users: new Map(users.map(({ name }) => [name, new Secret('-')])),
    database: hasPassword ? new Secret('-') : null,
  };
}

/** Each file, and the directory below --out in which it belongs: that of its host where there are several. */
async function renderAll(
  loaded: LoadedConfig,
  { host, coturnVersion: version }: Options,
  context: CommandContext,
): Promise<{ name: string; text: string }[]> {
  const { renderConfig } = await import('../coturn/render.ts');
  const secrets = (await secretsOf(loaded, context)).map(({ secret }) => secret);
  const passwords = await passwordsOf(loaded, context);
  const { hosts } = loaded.config;
  const names = host === undefined ? ownHosts(loaded.config) : [host];
  const files: { name: string; text: string }[] = [];
  for (const name of names.length === 0 ? [undefined] : names) {
    const config = await withFoundAddresses(loaded.config, hostNamed(hosts, name), context);
    const text = renderConfig(config, { version, host: name, secrets, passwords });
    files.push({ name: names.length < 2 ? '' : (name ?? ''), text });
  }
  return files;
}

/** The hosts that need a file of their own. Once settings differ, that is each of them. */
function ownHosts({ hosts }: Config): string[] {
  const different = differentHosts(hosts);
  const isEach = different.some(({ settings }) => Object.keys(settings).length > 0);
  return (isEach ? hosts : different).map(({ name }) => name);
}

// No other directory would be of help at once.
const fullDisk: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EIO']);

/** Writes a whole file or none: what was there stays until the new one is complete. */
async function writeConfig(directory: string, text: string): Promise<string> {
  const file = join(directory, 'turnserver.conf');
  const draft = `${file}.${process.pid}.draft`;
  try {
    await makeDirectory(directory);
    await writeFile(draft, text, { mode: 0o600 });
    await rename(draft, file);
  } catch (cause) {
    await removeDraft(draft);
    const code = fullDisk.has(codeOf(cause)) ? 'tool-failed' : 'usage';
    throw new RtcOpsError(code, `--out: cannot write ${file}: ${reasonOf(cause)}`, {
      ...(code === 'usage' && {
        hint: 'Name a directory that you may write to; it is made when it is not there.',
      }),
      cause,
    });
  }
  return file;
}

/** Not by `recursive: true`: where a file system makes no directories (/proc), that tries for ever. */
async function makeDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory);
  } catch (error) {
    const code = codeOf(error);
    // A file in the way is told by what comes next.
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || dirname(directory) === directory) throw error;
    await makeDirectory(dirname(directory));
    await mkdir(directory);
  }
}

/** Where the draft could not be written there is none; the error of the writing is the one to tell. */
async function removeDraft(draft: string): Promise<void> {
  try {
    await rm(draft, { force: true });
  } catch (error) {
    if (codeOf(error) === '') throw error;
  }
}

/** The code that Node gives a system error, such as `ENOENT`; empty for any other. */
function codeOf(thrown: unknown): string {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
}
