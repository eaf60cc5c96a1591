import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../config/load.ts';
import type { SecretSource } from '../config/secret-source.ts';
import type { Passwords } from '../coturn/render.ts';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export interface SecretOptions extends GlobalOptions {
  readonly secretFile?: string;
}

/** For the help of commands that issue or check. */
export const secretHelp = `
The secret is the static-auth-secret of the server. It comes from --secret-file,
from RTC_OPS_SECRET, or from auth.secret of rtc-ops.yaml. No option takes it, as
every user of a machine sees the arguments of every process.`;

/** The error of a command that can do nothing without a secret. */
export function noSecret(): RtcOpsError {
  return new RtcOpsError('usage', 'there is no secret to work with', {
    hint: 'Add --secret-file FILE, set RTC_OPS_SECRET, or name it in auth.secret of rtc-ops.yaml.',
  });
}

export interface FoundSecret {
  readonly secret: Secret;
  /** Where it came from, for messages: `--secret-file secret.txt`, `RTC_OPS_SECRET`, `rtc-ops.yaml (secret.txt)`. */
  readonly source: string;
}

/**
 * The shared secret that issues: --secret-file, else RTC_OPS_SECRET, else the first of rtc-ops.yaml. Null when
 * there is none. There is no option that takes the secret itself: every user of a machine sees the arguments of
 * every process.
 * @throws RtcOpsError `usage` or `configuration` for one that is named and cannot be used
 */
export async function loadSecret(
  options: SecretOptions,
  context: CommandContext,
): Promise<FoundSecret | null> {
  return (await givenSecret(options, context)) ?? (await configuredSecrets(options, context, 1))[0] ?? null;
}

/** As loadSecret, but all secrets that are accepted, as there are several in rtc-ops.yaml during a rotation. */
export async function loadSecrets(options: SecretOptions, context: CommandContext): Promise<FoundSecret[]> {
  const given = await givenSecret(options, context);
  return given ? [given] : configuredSecrets(options, context, Infinity);
}

/** The secrets of a config, in its order, at most `count`. */
export async function secretsOf(
  loaded: LoadedConfig,
  context: CommandContext,
  count = Infinity,
): Promise<FoundSecret[]> {
  const found: FoundSecret[] = [];
  for (const named of loaded.config.secrets.slice(0, count)) {
    found.push({
      secret: await readSource(named, 'auth.secret', loaded, context),
      source: `${loaded.displayName} (${'file' in named ? named.file : named.env})`,
    });
  }
  return found;
}

/** All passwords that a turnserver.conf needs: those of static users, and that of the database. */
export async function passwordsOf(loaded: LoadedConfig, context: CommandContext): Promise<Passwords> {
  const users = new Map<string, Secret>();
  for (const { name, password } of loaded.config.users) {
    users.set(name, await readSource(password, `auth.users.${name}`, loaded, context));
  }
  const { database } = loaded.config;
  const source = database !== null && 'password' in database ? database.password : null;
  const password =
    source === null ? null : await readSource(source, 'the password of database', loaded, context);
  return { users, database: password };
}

/** The first of the static users of rtc-ops.yaml, with the password; null where it has none. */
export async function loadStaticUser(
  { config }: GlobalOptions,
  context: CommandContext,
): Promise<{ username: string; password: Secret } | null> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config, workingDirectory: context.workingDirectory });
  const [user] = loaded?.config.users ?? [];
  if (loaded === null || user === undefined) return null;
  const password = await readSource(user.password, `auth.users.${user.name}`, loaded, context);
  return { username: user.name, password };
}

/**
 * Reads a secret that rtc-ops.yaml names.
 * @param key where it is named, for messages: `auth.secret`
 * @throws RtcOpsError `configuration`
 */
export async function readSource(
  source: SecretSource,
  key: string,
  { file, displayName }: LoadedConfig,
  context: CommandContext,
): Promise<Secret> {
  if ('file' in source) return secretFromFile(resolve(dirname(file), source.file), 'configuration', context);
  const value = context.env[source.env];
  if (value === undefined) {
    const message = `${displayName}: ${key} names the variable ${source.env}, which is not set`;
    throw new RtcOpsError('configuration', message);
  }
  return checked(value, source.env, 'configuration', context);
}

/**
 * The secret that a probe and its outside peer share: --OPTION FILE, else RTC_OPS_PEER_SECRET.
 * @throws RtcOpsError `usage` when there is none, or it cannot be used
 */
export async function loadPeerSecret(
  option: string,
  file: string | undefined,
  context: CommandContext,
): Promise<Secret> {
  const variable = 'RTC_OPS_PEER_SECRET';
  const value = context.env[variable];
  if (file === undefined && value === undefined) {
    throw new RtcOpsError('usage', `the secret that probe and peer share is missing`, {
      hint: `Make one with: openssl rand -hex 32 > peer.secret, and give it by ${option} peer.secret or ${variable}.`,
    });
  }
  const secret =
    file === undefined
      ? checked(value ?? '', variable, 'usage', context)
      : await secretFromFile(resolve(context.workingDirectory, file), 'usage', context);
  if (secret.reveal().length >= leastPeerSecret) return secret;
  // Whoever overhears one packet can try secrets without asking anyone.
  throw new RtcOpsError('usage', `the peer's secret has fewer than ${leastPeerSecret} characters`, {
    hint: 'Make one with: openssl rand -hex 32',
  });
}

const leastPeerSecret = 16;

async function givenSecret(
  { secretFile }: SecretOptions,
  context: CommandContext,
): Promise<FoundSecret | null> {
  if (secretFile !== undefined) {
    const secret = await secretFromFile(resolve(context.workingDirectory, secretFile), 'usage', context);
    return { secret, source: `--secret-file ${secretFile}` };
  }
  const value = context.env['RTC_OPS_SECRET'];
  if (value === undefined) return null;
  return { secret: checked(value, 'RTC_OPS_SECRET', 'usage', context), source: 'RTC_OPS_SECRET' };
}

async function configuredSecrets(
  { config }: SecretOptions,
  context: CommandContext,
  count: number,
): Promise<FoundSecret[]> {
  const { loadConfig } = await import('../config/load.ts');
  const loaded = await loadConfig({ config, workingDirectory: context.workingDirectory });
  return loaded ? secretsOf(loaded, context, count) : [];
}

type ErrorCode = 'usage' | 'configuration';

async function secretFromFile(file: string, code: ErrorCode, context: CommandContext): Promise<Secret> {
  const text = await readSecretText(file, 'the secret file', code, context);
  // Editors end a file with a line break, which is no part of the secret; coturn strips it from its config too.
  return checked(text.replace(/\r?\n$/, ''), file, code, context);
}

/**
 * The text of a file with something secret in it; warns when others can read it.
 * @param what it is, for messages: `the secret file`
 * @throws RtcOpsError with `code` when it cannot be read
 */
export async function readSecretText(
  file: string,
  what: string,
  code: ErrorCode,
  context: CommandContext,
): Promise<string> {
  try {
    const text = await readFile(file, 'utf8');
    const status = await stat(file);
    // A pipe, or what stands behind /dev/fd, is nobody's to close.
    if (status.isFile() && !/^\/(?:dev|proc)\//.test(file) && (status.mode & 0o007) !== 0) {
      context.stderr(`rtc-ops: ${file} can be read by everybody here. Close it: chmod 600 ${file}\n`);
    }
    // Windows editors begin a file with a byte order mark, which is none of its text.
    return text.replace(/^\ufeff/, '');
  } catch (cause) {
    throw new RtcOpsError(code, `${what} ${file} cannot be read: ${reasonOf(cause)}`, { cause });
  }
}

function checked(text: string, where: string, code: ErrorCode, context: CommandContext): Secret {
  if (text === '') throw new RtcOpsError(code, `the secret in ${where} is empty`);
  if (/^\s*static-auth-secret\s*=/.test(text)) {
    throw new RtcOpsError(
      code,
      `the secret in ${where} is a line of turnserver.conf (static-auth-secret=…)`,
      {
        hint: 'Leave only what stands behind the = sign.',
      },
    );
  }
  if (/[\r\n]/.test(text)) throw new RtcOpsError(code, `the secret in ${where} has more than one line`);
  // U+FFFD is what the decoder puts in place of bytes that are no UTF-8.
  if (/[\p{Cc}\ufffd]/u.test(text)) {
    throw new RtcOpsError(code, `the secret in ${where} is not text`, {
      hint: 'Make one of letters and digits: openssl rand -hex 32',
    });
  }
  if (text.trim() !== text) {
    context.stderr(`rtc-ops: the secret in ${where} has a blank at an end; coturn drops it from its own\n`);
  }
  return new Secret(text);
}
