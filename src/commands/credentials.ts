import { InvalidArgumentError, Option, type Command } from 'commander';
import { wrapAnsi } from 'fast-wrap-ansi';
import { urisOfHosts } from '../config/host-uri.ts';
import { checkCredential, type CredentialCheck } from '../credentials/check.ts';
import { credentialFormats, formatCredential, type CredentialFormat } from '../credentials/format.ts';
import { issueCredential, type Lifetime } from '../credentials/issue.ts';
import { describeProblem } from '../credentials/problem-text.ts';
import { isoTime, relativeTime } from '../credentials/time-text.ts';
import { parseDuration } from '../model/duration.ts';
import { RtcOpsError, exitCode } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { urisOf } from '../probes/plan.ts';
import type { CommandContext } from './context.ts';
import { fileOption } from './option.ts';
import { loadSecret, loadSecrets, type SecretOptions } from './secret-source.ts';

interface IssueOptions extends SecretOptions {
  readonly ttl: number;
  readonly expiresAt?: number;
  readonly url?: TurnUri[];
  readonly format: CredentialFormat;
}

interface CheckOptions extends SecretOptions {
  readonly format: 'human' | 'json';
}

const secretHelp = `
The secret is the static-auth-secret of the server. It comes from --secret-file,
from RTC_OPS_SECRET, or from auth.secret of rtc-ops.yaml. No option takes it, as
every user of a machine sees the arguments of every process.`;

const issueHelp = `
Formats:
${Object.entries(credentialFormats)
  .map(([name, { summary }]) => `  ${name.padEnd(12)} ${summary}`)
  .join('\n')}

Examples:
  rtc-ops credentials issue alice --secret-file secret.txt
  rtc-ops credentials issue --ttl 7d --url turn:turn.example.com --format ice-servers
  rtc-ops credentials issue --format env > .env`;

const checkHelp = `
Examples:
  rtc-ops credentials check 1767326645:alice 'QIb2IP3+G4MWq9Y/uir6zEKIRow=' --secret-file secret.txt
  rtc-ops credentials check 1767326645:alice - < password.txt

Static users of a server (lt-cred-mech) are not made from a secret: try them with rtc-ops probe.

Exit code: 0 valid, 1 not valid, 2 usage, 3 configuration.`;

export function define(command: Command, context: CommandContext): void {
  command
    .command('issue')
    .description('issue one time-limited credential')
    .argument('[user]', 'whom it is for; without, it has no user')
    .addOption(
      new Option('--ttl <time>', 'how long it is good for').argParser(ttlSeconds).default(43_200, '12h'),
    )
    .addOption(
      new Option('--expires-at <unix>', 'when it ends instead, in seconds since 1970')
        .argParser(unixTime)
        .conflicts('ttl'),
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
  command
    .command('check')
    .description('say whether a credential is valid, and if not, what is wrong with it')
    .argument('<username>', 'UNIX or UNIX:USER')
    .argument('<password>', 'its password; "-" reads it from standard input')
    .option('--secret-file <file>', 'file with the secret', fileOption)
    .addOption(
      new Option('--format <format>', 'form of the result').choices(['human', 'json']).default('human'),
    )
    .addHelpText('after', `${secretHelp}\n${checkHelp}`)
    .action(async (username: string, password: string, _: unknown, check: Command) =>
      runCheck({ username, password }, check.optsWithGlobals<CheckOptions>(), context),
    );
}

function ttlSeconds(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new InvalidArgumentError('Write a duration such as 30m, 12h or 7d.');
  if (ms < 1000 || ms % 1000 !== 0) throw new InvalidArgumentError('It must be whole seconds, at least one.');
  return ms / 1000;
}

function unixTime(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Write seconds since 1970, as date +%s does.');
  return Number(text);
}

function addUri(text: string, previous: TurnUri[] | undefined): TurnUri[] {
  return [...(previous ?? []), ...urisOf(text)];
}

async function runIssue(
  user: string | undefined,
  options: IssueOptions,
  context: CommandContext,
): Promise<void> {
  const found = await loadSecret(options, context);
  if (found === null) throw noSecret();
  const lifetime: Lifetime =
    options.expiresAt === undefined ? { ttlSeconds: options.ttl } : { expiresAt: options.expiresAt };
  const now = context.now();
  const issued = issueCredential({
    secret: found.secret,
    now,
    ...lifetime,
    ...(user !== undefined && { user }),
  });
  if (issued.ttlSeconds < 0) {
    context.stderr(`rtc-ops: this credential ended ${relativeTime(issued.ttlSeconds)}; no server takes it\n`);
  }
  const uris = options.url ?? (await urisOfConfig(options, context));
  context.stdout(formatCredential(options.format, { ...issued, uris }));
  context.exitWith(exitCode.healthy);
}

/** The servers of rtc-ops.yaml; none when there is no such file. */
async function urisOfConfig({ config }: SecretOptions, context: CommandContext): Promise<TurnUri[]> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config, workingDirectory: context.workingDirectory });
  return loaded ? urisOfHosts(loaded.config) : [];
}

async function runCheck(
  given: { readonly username: string; readonly password: string },
  options: CheckOptions,
  context: CommandContext,
): Promise<void> {
  const found = await loadSecrets(options, context);
  if (found.length === 0) throw noSecret();
  const password = given.password === '-' ? await passwordFromStdin(context) : new Secret(given.password);
  const secrets = found.map(({ secret }) => secret);
  const check = checkCredential({ username: given.username, password, secrets, now: context.now() });
  const source = check.secretIndex === null ? null : (found[check.secretIndex]?.source ?? null);
  const nowSeconds = Math.floor(context.now().getTime() / 1000);
  context.stdout(
    options.format === 'json'
      ? jsonOf(check, nowSeconds, source)
      : humanOf(check, nowSeconds, { source, columns: context.columns }),
  );
  context.exitWith(check.valid ? exitCode.healthy : exitCode.findings);
}

/** Unlike where a password is used, blanks in it stay: they may be the mistake that is looked for. */
async function passwordFromStdin({ stdin }: CommandContext): Promise<Secret> {
  const text = (await stdin()).replace(/\r?\n$/, '');
  if (text !== '') return new Secret(text);
  throw new RtcOpsError('usage', 'no password came by standard input', {
    hint: 'For example: rtc-ops credentials check 1767326645:alice - < password.txt',
  });
}

function noSecret(): RtcOpsError {
  return new RtcOpsError('usage', 'there is no secret to work with', {
    hint: 'Add --secret-file FILE, set RTC_OPS_SECRET, or name it in auth.secret of rtc-ops.yaml.',
  });
}

function jsonOf(
  { valid, expiresAt, problems }: CredentialCheck,
  nowSeconds: number,
  source: string | null,
): string {
  const remainingSeconds = expiresAt === null ? null : expiresAt - nowSeconds;
  return `${JSON.stringify({ schemaVersion: 1, valid, expiresAt, remainingSeconds, source, problems }, null, 2)}\n`;
}

function humanOf(
  check: CredentialCheck,
  nowSeconds: number,
  { source, columns }: { readonly source: string | null; readonly columns: number },
): string {
  const { expiresAt, problems } = check;
  if (check.valid && expiresAt !== null) {
    const origin = source === null ? '' : `          made with the secret of ${source}\n`;
    return `✔ valid   until ${isoTime(expiresAt)} (${relativeTime(expiresAt - nowSeconds)})\n${origin}`;
  }
  const texts = problems.map(describeProblem).map(({ what, fix }) => {
    const lines = [...paragraph(what, '  ', columns), ...paragraph(`Fix  ${fix}`, '  ', columns)];
    return `\n${lines.join('\n')}\n`;
  });
  return `✖ not valid\n${texts.join('')}`;
}

// Lines of text are read best at this width, on a wide terminal too.
const textColumns = 80;

function paragraph(text: string, indent: string, columns: number): string[] {
  return wrapAnsi(text, Math.min(columns, textColumns) - indent.length)
    .split('\n')
    .map((line) => indent + line);
}
