import { setImmediate as nextTurn } from 'node:timers/promises';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { urisOfHosts } from '../config/host-uri.ts';
import type { LoadedConfig } from '../config/load.ts';
import {
  credentialFormats,
  credentialLines,
  formatCredential,
  isForIssuer,
  type CredentialFormat,
} from '../credentials/format.ts';
import { issueCredential, issuerWith, type Lifetime } from '../credentials/issue.ts';
import { forServers } from '../credentials/server-credential.ts';
import { relativeTime } from '../credentials/time-text.ts';
import { parseDuration } from '../model/duration.ts';
import { RtcOpsError, exitCode } from '../model/error.ts';
import type { Secret } from '../model/secret.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { urisOf } from '../probes/plan.ts';
import type { CommandContext } from './context.ts';
import { countOption, fileOption } from './option.ts';
import { loadSecret, noSecret, secretHelp, type SecretOptions } from './secret-source.ts';

export interface IssueOptions extends SecretOptions {
  readonly ttl: number;
  readonly expiresAt?: number;
  readonly count?: number;
  readonly url?: TurnUri[];
  readonly format: CredentialFormat;
}

const issueHelp = `
Formats:
${Object.entries(credentialFormats)
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

Applications that make credentials themselves (synapse, nextcloud, jitsi, livekit) get the shared
secret in place of a credential: keep what is printed for them as you keep the secret.

With provider in rtc-ops.yaml (metered, twilio, xirsys, cloudflare, static) credential and servers come from
there; twilio, xirsys and cloudflare take --ttl.

Examples:
  rtc-ops credentials issue alice --secret-file secret.txt
  rtc-ops credentials issue --ttl 7d --url turn:turn.example.com --format ice-servers
  rtc-ops credentials issue --format env > .env
  rtc-ops credentials issue load --count 1000 --format json > credentials.ndjson`;

export function defineIssue(parent: Command, context: CommandContext): void {
  parent
    .command('issue')
    .description('issue time-limited credentials')
    .argument('[user]', 'whom it is for; without, it has no user')
    .addOption(
      new Option('--ttl <time>', 'how long it is good for').argParser(ttlSeconds).default(43_200, '12h'),
    )
    .addOption(
      new Option('--expires-at <unix>', 'when it ends instead, in seconds since 1970')
        .argParser(unixTime)
        .conflicts('ttl'),
    )
    .addOption(
      new Option('--count <n>', 'issue n, for the users USER-1 to USER-n, each on a line').argParser(
        countOption,
      ),
    )
    .option('--secret-file <file>', 'file with the secret', fileOption)
    .option(
      '--url <uri>',
      'a server it is for, as a URI or a host; can be repeated (default: the hosts of rtc-ops.yaml)',
      addUri,
    )
    .addOption(
      new Option('--format <format>', 'form of the result')
        .choices(Object.keys(credentialFormats))
        .default('human'),
    )
    .addHelpText('after', `${secretHelp}\n${issueHelp}`)
    .action(async (user: string | undefined, _: unknown, issue: Command) =>
      runIssue(user, issue.optsWithGlobals<IssueOptions>(), context),
    );
}

/** A lifetime in whole seconds. */
export function ttlSeconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('Write a duration such as 30m, 12h or 7d.');
  if (ms < 1000 || ms % 1000 !== 0) throw new InvalidArgumentError('It must be whole seconds, at least one.');
  return ms / 1000;
}

function unixTime(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Write seconds since 1970, as date +%s does.');
  return Number(text);
}

/** Adds what an argument stands for; for options that can be repeated. */
export function addUri(text: string, previous: TurnUri[] | undefined): TurnUri[] {
  return [...(previous ?? []), ...urisOf(text)];
}

async function runIssue(
  user: string | undefined,
  options: IssueOptions,
  context: CommandContext,
): Promise<void> {
  const given = options.secretFile !== undefined || context.env['RTC_OPS_SECRET'] !== undefined;
  const hosted = given ? null : await hostedConfig(options, context);
  if (hosted !== null) {
    context.stdout(await printHosted(user, options, hosted, context));
    context.exitWith(exitCode.healthy);
    return;
  }
  refuseWhatHasNoPlace(user, options);
  const found = await loadSecret(options, context);
  if (found === null) throw noSecret();
  const uris = options.url ?? (await urisOfConfig(options, context));
  const { secret } = found;
  const lifetime: Lifetime =
    options.expiresAt === undefined ? { ttlSeconds: options.ttl } : { expiresAt: options.expiresAt };
  const now = context.now();
  if (options.count !== undefined) {
    await issueMany(
      { user, count: options.count, format: options.format, uris, secret, lifetime, now },
      context,
    );
  } else {
    const issued = issueCredential({ secret, now, ...lifetime, ...(user !== undefined && { user }) });
    context.stdout(formatCredential(options.format, forServers(issued, uris, secret)));
  }
  const endsIn = options.expiresAt === undefined ? options.ttl : options.expiresAt - now.getTime() / 1000;
  if (endsIn < 0) {
    context.stderr(`rtc-ops: this credential ended ${relativeTime(Math.ceil(endsIn))}; no server takes it\n`);
  }
  context.exitWith(exitCode.healthy);
}

/** The rtc-ops.yaml that counts here, when it names a provider. */
async function hostedConfig(
  { config }: SecretOptions,
  { workingDirectory }: CommandContext,
): Promise<LoadedConfig | null> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config, workingDirectory });
  return loaded?.config.provider === null ? null : loaded;
}

async function printHosted(
  user: string | undefined,
  { ttl, expiresAt, count, url, format }: IssueOptions,
  hosted: LoadedConfig,
  context: CommandContext,
): Promise<string> {
  const misplaced = count !== undefined ? '--count' : url !== undefined ? '--url' : null;
  if (misplaced !== null) {
    throw new RtcOpsError('usage', `${misplaced} has no meaning with the provider of ${hosted.displayName}`, {
      hint: 'It gives one credential at a time, for servers of its own.',
    });
  }
  const nowSeconds = Math.floor(context.now().getTime() / 1000);
  const lifetime = expiresAt === undefined ? ttl : expiresAt - nowSeconds;
  if (lifetime < 1) throw new RtcOpsError('usage', '--expires-at lies in the past');
  const { providerCredential } = await import('./provider-credential.ts');
  return formatCredential(format, await providerCredential(hosted, { ttlSeconds: lifetime, user }, context));
}

function refuseWhatHasNoPlace(user: string | undefined, { format, expiresAt }: IssueOptions): void {
  if (!isForIssuer(format) || (user === undefined && expiresAt === undefined)) return;
  const given = user === undefined ? '--expires-at' : 'a user';
  throw new RtcOpsError('usage', `the format ${format} has no place for ${given}`, {
    hint: 'The application gets the shared secret, and makes a credential for each of its users; --ttl says for how long.',
  });
}

interface ManyOptions {
  readonly user: string | undefined;
  readonly count: number;
  readonly format: CredentialFormat;
  readonly uris: readonly TurnUri[];
  readonly secret: Secret;
  readonly lifetime: Lifetime;
  readonly now: Date;
}

// So much text goes out at once: writing each line by itself would take longer than making it.
const chunkCharacters = 65_536;

async function issueMany(options: ManyOptions, context: CommandContext): Promise<void> {
  const { user, count, format, uris, secret, lifetime, now } = options;
  const lineOf = credentialLines(format, { uris });
  const issue = issuerWith(secret);
  let text = '';
  for (let number = 1; number <= count; number++) {
    // Equal usernames would be the same credential.
    const each = user === undefined ? String(number) : `${user}-${number}`;
    text += lineOf(forServers(issue(lifetime, each, now), uris, secret));
    if (text.length < chunkCharacters && number < count) continue;
    context.stdout(text);
    text = '';
    // Lets a pipe drain, and tells of a reader that has gone.
    await nextTurn();
    if (context.stdoutIsClosed) return;
    context.signal.throwIfAborted();
  }
}

/** The servers of rtc-ops.yaml; none when there is no such file. */
export async function urisOfConfig({ config }: SecretOptions, context: CommandContext): Promise<TurnUri[]> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config, workingDirectory: context.workingDirectory });
  return loaded ? urisOfHosts(loaded.config) : [];
}
