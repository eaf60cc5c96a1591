import { randomBytes } from 'node:crypto';
import { rm, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { withSecretFiles } from '../../config/secret-edit.ts';
import { RtcOpsError } from '../../model/error.ts';
import { Secret } from '../../model/secret.ts';
import type { CommandContext } from '../context.ts';
import { writeNewFiles } from '../new-file.ts';
import { readSource } from '../secret-source.ts';

/**
 * A rotation as it stands in rtc-ops.yaml and beside it. `FILE` of auth.secret is always the secret that issues; `FILE.new` is
 * the next one, until all hosts accept it; `FILE.old` is the one before, until the last credential made with it has ended.
 */
export interface SecretRotation {
  readonly step: 'begin' | 'finish';
  /** Of the secret that issues, as rtc-ops.yaml names it. */
  readonly file: string;
  /** What hosts are to accept after this step, the one that is to issue first. */
  readonly accepted: readonly [Secret, ...Secret[]];
  /** What they are not to accept any more. */
  readonly gone: Secret | null;
  /** Writes what belongs to this step on this machine, once all hosts are there. */
  readonly conclude: () => Promise<void>;
}

/**
 * The next step of the rotation of a config.
 * @param isFinish whether the old secret is to go
 * @throws RtcOpsError `configuration` for secrets that this cannot rotate, `usage` for the other step
 */
export async function secretRotation(
  loaded: LoadedConfig,
  isFinish: boolean,
  context: CommandContext,
): Promise<SecretRotation> {
  const { file, isBegun } = secretFileOf(loaded);
  const path = resolve(dirname(loaded.file), file);
  const paths = { file, path, next: `${path}.new`, previous: `${path}.old`, now: context.now() };
  const read = async (name: string): Promise<Secret> =>
    readSource({ file: name }, 'auth.secret', loaded, context);
  // Where it was interrupted at its end, the next secret is still there: it goes on.
  const isUnderWay = isBegun && !(await isThere(paths.next));
  if (isFinish && !isUnderWay) {
    throw new RtcOpsError('usage', 'no rotation is under way that could be finished', {
      hint: 'Begin one: rtc-ops rotate-secret',
    });
  }
  if (!isFinish && isUnderWay) {
    throw new RtcOpsError('usage', 'a rotation is under way: two secrets are accepted', {
      hint: 'Finish it once all credentials of the old one have ended: rtc-ops rotate-secret --finish',
    });
  }
  const current = await read(file);
  return isFinish
    ? {
        step: 'finish',
        file,
        accepted: [current],
        gone: await read(`${file}.old`),
        conclude: async () => concludeFinish(loaded, paths),
      }
    : begin(loaded, paths, { current, next: (await isThere(paths.next)) ? await read(`${file}.new`) : null });
}

interface Paths {
  readonly file: string;
  readonly path: string;
  readonly next: string;
  readonly previous: string;
  readonly now: Date;
}

function begin(
  loaded: LoadedConfig,
  paths: Paths,
  { current, next }: { readonly current: Secret; readonly next: Secret | null },
): SecretRotation {
  const made = next ?? new Secret(randomBytes(32).toString('hex'));
  return {
    step: 'begin',
    file: paths.file,
    accepted: [made, current],
    gone: null,
    conclude: async () => concludeBegin(loaded, paths, { current, next: made }),
  };
}

/** Each step can be the last that is done: the next run goes on from there. */
async function concludeBegin(
  loaded: LoadedConfig,
  { file, path, next, previous, now }: Paths,
  secrets: { readonly current: Secret; readonly next: Secret },
): Promise<void> {
  await writeSecret(previous, secrets.current, now);
  await writeConfig(loaded, [file, `${file}.old`], now);
  await writeSecret(path, secrets.next, now);
  await rm(next, { force: true });
}

async function concludeFinish(loaded: LoadedConfig, { file, previous, now }: Paths): Promise<void> {
  await writeConfig(loaded, [file], now);
  await rm(previous, { force: true });
}

/**
 * Has the next secret on disk before a host accepts it, for a run that is interrupted.
 * @throws RtcOpsError `usage` when it cannot be written
 */
export async function keepNextSecret(
  loaded: LoadedConfig,
  { step, file, accepted }: SecretRotation,
  now: Date,
): Promise<void> {
  if (step === 'begin') await writeSecret(resolve(dirname(loaded.file), `${file}.new`), accepted[0], now);
}

async function writeSecret(path: string, secret: Secret, now: Date): Promise<void> {
  await writeNewFiles([{ path, text: `${secret.reveal()}\n`, mode: 0o600, replace: true }], now);
}

async function writeConfig(
  { file, text }: LoadedConfig,
  secretFiles: readonly string[],
  now: Date,
): Promise<void> {
  const { mode } = await stat(file);
  const changed = withSecretFiles(text, secretFiles);
  await writeNewFiles([{ path: file, text: changed, mode: mode & 0o777, replace: true }], now);
}

function secretFileOf({ config, displayName }: LoadedConfig): { file: string; isBegun: boolean } {
  const { profile, auth, secrets } = config;
  const [first, second, ...more] = secrets;
  if (profile !== 'turn' || auth !== 'rest' || first === undefined) {
    throw new RtcOpsError('configuration', `${displayName}: the service has no shared secret`, {
      hint: 'Passwords of users change in auth.users; then: rtc-ops deploy',
    });
  }
  const isOurs =
    second === undefined || ('file' in first && 'file' in second && second.file === `${first.file}.old`);
  if (!('file' in first) || !isOurs || more.length > 0) {
    const what =
      'file' in first
        ? 'auth.secret has secrets beside the first'
        : `auth.secret comes from the variable ${'env' in first ? first.env : ''}`;
    throw new RtcOpsError('configuration', `${displayName}: ${what}, so that it is yours to rotate`, {
      hint: 'auth.secret: [OLD, NEW], then rtc-ops deploy; [NEW, OLD] to issue by the new one; in the end NEW alone, and rtc-ops deploy. None of it ends a call.',
    });
  }
  return { file: first.file, isBegun: second !== undefined };
}

async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
