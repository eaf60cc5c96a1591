import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { RtcOpsError, exitCode } from '../model/error.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import type { NewFile } from './new-file.ts';

const profiles = ['turn', 'stun-only'] as const;
const tlsKinds = ['certbot', 'files', 'off'] as const;

interface Options extends GlobalOptions {
  readonly realm?: string;
  readonly host?: string;
  readonly tls?: (typeof tlsKinds)[number];
  readonly email?: string;
  readonly profile?: (typeof profiles)[number];
  readonly force?: boolean;
}

const help = `
On a terminal it asks for what no option says; elsewhere --host is needed, and
TLS is off unless --tls says otherwise. The secret has 256 random bits and goes
to rtc-ops.secret beside the file, readable by you alone: keep it out of version
control. What is there already stays; with --force rtc-ops.yaml is replaced, but
never the secret, by which servers and clients that run already know each other.

Examples:
  rtc-ops init
  rtc-ops init --host turn.example.com --tls certbot --email ops@example.com
  rtc-ops init --host stun.example.com --profile stun-only`;

export function define(command: Command, context: CommandContext): void {
  command
    .option('--host <name>', 'the name or address that clients dial')
    .option('--realm <realm>', 'the realm of the credentials (default: the host)')
    .addOption(new Option('--profile <profile>', 'relay, or answer STUN alone').choices(profiles))
    .addOption(new Option('--tls <kind>', 'where the certificate comes from').choices(tlsKinds))
    .option('--email <address>', 'whom the certificate authority writes to (with --tls certbot)')
    .option('--force', 'replace the rtc-ops.yaml that is there')
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

interface Answers {
  readonly host: string;
  readonly realm: string;
  readonly profile: string;
  readonly tls: string;
  readonly email: string | null;
}

async function run(options: Options, context: CommandContext): Promise<void> {
  const { workingDirectory } = context;
  const file = resolve(workingDirectory, options.config ?? 'rtc-ops.yaml');
  const secretFile = join(dirname(file), 'rtc-ops.secret');
  const hasSecret = await isThere(secretFile);
  if (options.force !== true) {
    if (await isThere(file)) throw alreadyThere(basename(file));
    if (hasSecret) throw alreadyThere(basename(secretFile));
  }
  const answers = await answersOf(options, context);
  const needsSecret = answers.profile === 'turn' && !hasSecret;
  const secret: NewFile = {
    path: secretFile,
    text: `${randomBytes(32).toString('hex')}\n`,
    mode: 0o600,
    replace: false,
  };
  const text = await configText(answers, basename(secretFile));
  const config: NewFile = { path: file, text, mode: 0o644, replace: options.force === true };
  const { writeNewFiles } = await import('./new-file.ts');
  await writeNewFiles([...(needsSecret ? [secret] : []), config], context.now());
  context.stdout(`${config.path}\n${needsSecret ? `${secret.path}\n` : ''}`);
  if (answers.profile === 'turn' && hasSecret) context.stderr(`rtc-ops: kept the secret in ${secretFile}\n`);
  context.exitWith(exitCode.healthy);
}

function alreadyThere(name: string): RtcOpsError {
  return new RtcOpsError('usage', `${name} is there already`, {
    hint: 'It stays as it is. --force writes a new rtc-ops.yaml, and keeps the secret that is there.',
  });
}

async function isThere(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return error.code !== 'ENOENT';
    throw error;
  }
}

interface Question {
  readonly option: string;
  readonly text: string;
  readonly given: string | undefined;
  /** What an empty answer stands for; null when there has to be one. */
  readonly proposed: string | null;
  readonly problemOf: (value: string) => string | null;
}

/** What the option says, or what is answered; without a terminal, what goes without saying. */
async function settle(question: Question, context: CommandContext): Promise<string> {
  const { option, given, proposed, problemOf, text } = question;
  if (given !== undefined || !canAsk(context)) {
    const value = given ?? proposed;
    if (value === null) throw missing(option);
    const problem = problemOf(value);
    if (problem !== null) throw new RtcOpsError('usage', `${option} ${value}: ${problem}`);
    return value;
  }
  for (;;) {
    const answer = (await context.ask(`${text}${proposed ? ` [${proposed}]` : ''}: `)).trim();
    const value = answer === '' ? (proposed ?? '') : answer;
    const problem = problemOf(value);
    if (problem === null) return value;
    context.stderr(`  ${problem}\n`);
  }
}

function canAsk({ stdinIsTerminal, stderrIsTerminal }: CommandContext): boolean {
  return stdinIsTerminal && stderrIsTerminal;
}

async function answersOf(options: Options, context: CommandContext): Promise<Answers> {
  const schemas = await import('../config/value-schema.ts');
  const by = (name: 'hostName' | 'realm' | 'email') => (value: string) =>
    schemas[name].safeParse(value).error?.issues[0]?.message ?? null;
  const put = async (question: Question): Promise<string> => settle(question, context);
  const host = await put({
    option: '--host',
    text: 'Name or address that clients dial',
    given: options.host,
    proposed: null,
    problemOf: by('hostName'),
  });
  const realm = await put({
    option: '--realm',
    text: 'Realm of the credentials',
    given: options.realm,
    proposed: host,
    problemOf: by('realm'),
  });
  const profile = await put({
    option: '--profile',
    text: 'Profile, turn or stun-only',
    given: options.profile,
    proposed: 'turn',
    problemOf: noneOf(profiles),
  });
  const tls = await put({
    option: '--tls',
    text: 'Certificate for TLS, certbot, files or off',
    given: options.tls,
    proposed: canAsk(context) ? 'certbot' : 'off',
    problemOf: noneOf(tlsKinds),
  });
  return { host, realm, profile, tls, email: await emailOf(tls, options, put, by('email')) };
}

async function emailOf(
  tls: string,
  { email }: Options,
  put: (question: Question) => Promise<string>,
  problemOf: Question['problemOf'],
): Promise<string | null> {
  if (tls !== 'certbot') {
    if (email === undefined) return null;
    throw new RtcOpsError('usage', '--email is for --tls certbot alone');
  }
  const answer = await put({
    option: '--email',
    text: 'E-mail address for the certificate authority (may be empty)',
    given: email,
    proposed: '',
    problemOf: (value) => (value === '' ? null : problemOf(value)),
  });
  return answer === '' ? null : answer;
}

function noneOf(choices: readonly string[]): Question['problemOf'] {
  return (value) => (choices.includes(value) ? null : `must be ${choices.join(' or ')}`);
}

function missing(option: string): RtcOpsError {
  return new RtcOpsError('usage', `${option} is missing, and there is no terminal to ask on`, {
    hint: 'For example: rtc-ops init --host turn.example.com --tls certbot --email ops@example.com',
  });
}

async function configText(answers: Answers, secretFile: string): Promise<string> {
  const [{ fillTemplate, readTemplate }, { parseConfig }] = await Promise.all([
    import('../model/template.ts'),
    import('../config/parse.ts'),
  ]);
  const { host, realm, profile } = answers;
  const relay = fillTemplate(readTemplate('init/relay.yaml'), { secretFile: scalar(secretFile) });
  const text = fillTemplate(readTemplate('init/rtc-ops.yaml'), {
    profile,
    realm: scalar(realm),
    host: scalar(host),
    relaySections: profile === 'turn' ? relay.trimEnd() + '\n' : '',
    tls: tlsText(answers),
  });
  parseConfig(text, 'rtc-ops.yaml');
  return text;
}

function tlsText({ tls, email }: Answers): string {
  if (tls === 'off') return 'tls: off # or { cert: PATH, key: PATH }, or { certbot: { email: ADDRESS } }';
  if (tls === 'files') {
    return [
      'tls: # paths on the server',
      '  cert: /etc/coturn/tls/fullchain.pem',
      '  key: /etc/coturn/tls/privkey.pem',
    ].join('\n');
  }
  const address = email === null ? '# email: ops@example.com' : `email: ${scalar(email)}`;
  return [
    'tls:',
    '  certbot:',
    `    ${address}`,
    '    challenge: http-01 # needs TCP port 80; or { webroot: /var/www/html }, or { dns: cloudflare, credentials: cloudflare.ini }',
  ].join('\n');
}

/** As it is where YAML reads it back as the same text, else in quotes. */
function scalar(text: string): string {
  return /^[a-z][\w.@-]*$/i.test(text) && !/^(?:true|false|null|off)$/i.test(text)
    ? text
    : JSON.stringify(text);
}
