import { Option, type Command } from 'commander';
import { wrapAnsi } from 'fast-wrap-ansi';
import { checkCredential, type CredentialCheck } from '../credentials/check.ts';
import { describeProblem } from '../credentials/problem-text.ts';
import { isoTime, relativeTime } from '../credentials/time-text.ts';
import { RtcOpsError, exitCode } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { CommandContext } from './context.ts';
import { defineIssue } from './credentials-issue.ts';
import { defineServe } from './credentials-serve.ts';
import { fileOption } from './option.ts';
import { loadSecrets, noSecret, secretHelp, type SecretOptions } from './secret-source.ts';

interface CheckOptions extends SecretOptions {
  readonly format: 'human' | 'json';
}

const checkHelp = `
Examples:
  rtc-ops credentials check 1767326645:alice 'QIb2IP3+G4MWq9Y/uir6zEKIRow=' --secret-file secret.txt
  rtc-ops credentials check 1767326645:alice - < password.txt

Static users of a server (lt-cred-mech) are not made from a secret: try them with rtc-ops probe.

Exit code: 0 valid, 1 not valid, 2 usage, 3 configuration.`;

export function define(command: Command, context: CommandContext): void {
  defineIssue(command, context);
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
  defineServe(command, context);
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
