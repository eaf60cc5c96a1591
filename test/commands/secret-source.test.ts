import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CommandContext } from '../../src/commands/context.ts';
import { loadSecret, loadSecrets, type SecretOptions } from '../../src/commands/secret-source.ts';
import { directoryWith } from '../support/temporary.ts';

interface Setting {
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly options?: Partial<SecretOptions>;
}

async function settingOf({ files = {}, env = {}, options = {} }: Setting): Promise<{
  readonly options: SecretOptions;
  readonly context: CommandContext;
  readonly warnings: string[];
}> {
  const warnings: string[] = [];
  const context: CommandContext = {
    stdout: () => {},
    stderr: (text) => void warnings.push(text),
    ask: async () => '',
    stdin: async () => '',
    env,
    workingDirectory: await directoryWith(files),
    signal: AbortSignal.timeout(10_000),
    stdoutIsTerminal: false,
    stdoutIsClosed: false,
    stderrIsTerminal: false,
    stdinIsTerminal: false,
    onHangUp: () => {},
    columns: 80,
    stderrColumns: 80,
    now: () => new Date(),
    exitWith: () => {},
  };
  return { options: { color: false, ...options }, context, warnings };
}

async function found(setting: Setting): Promise<[string, string][]> {
  const { options, context } = await settingOf(setting);
  return (await loadSecrets(options, context)).map(({ secret, source }) => [secret.reveal(), source]);
}

const yaml = 'realm: r\nauth: { secret: [{ file: new.txt }, { env: OLD }] }\n';
const everywhere = {
  files: { 'flag.txt': 'from-flag\n', 'rtc-ops.yaml': yaml, 'new.txt': 'from-yaml\n' },
  env: { RTC_OPS_SECRET: 'from-variable', OLD: 'from-yaml-too' },
};

describe('the secret comes', () => {
  it('from --secret-file before all', async () => {
    const options = { secretFile: 'flag.txt' };
    expect(await found({ ...everywhere, options })).toEqual([['from-flag', '--secret-file flag.txt']]);
  });

  it('then from RTC_OPS_SECRET', async () => {
    expect(await found(everywhere)).toEqual([['from-variable', 'RTC_OPS_SECRET']]);
  });

  it('then from rtc-ops.yaml, all that are accepted, the first to issue with', async () => {
    const setting = { ...everywhere, env: { OLD: 'from-yaml-too' } };
    expect(await found(setting)).toEqual([
      ['from-yaml', 'rtc-ops.yaml (new.txt)'],
      ['from-yaml-too', 'rtc-ops.yaml (OLD)'],
    ]);
    const { options, context } = await settingOf(setting);
    expect((await loadSecret(options, context))?.secret.reveal()).toBe('from-yaml');
  });

  it('from nowhere', async () => {
    const { options, context } = await settingOf({});
    expect(await loadSecret(options, context)).toBeNull();
    expect(await loadSecrets(options, context)).toEqual([]);
  });

  it('from a file beside the rtc-ops.yaml that names it, wherever we are', async () => {
    const { options, context } = await settingOf({
      files: { 'sub/rtc-ops.yaml': 'realm: r\nauth: { secret: { file: s } }', 'sub/s': 'beside' },
      options: { config: 'sub/rtc-ops.yaml' },
    });
    expect((await loadSecret(options, context))?.secret.reveal()).toBe('beside');
  });
});

describe('a secret in a file', () => {
  it.each([
    ['a', 'a'],
    ['a\n', 'a'],
    ['a\r\n', 'a'],
    ['a b', 'a b'],
    ['é', 'é'],
  ])('%j is %j', async (text, secret) => {
    expect(await found({ files: { f: text }, options: { secretFile: 'f' } })).toEqual([
      [secret, '--secret-file f'],
    ]);
  });

  it.each([
    ['', 'is empty'],
    ['\n', 'is empty'],
    ['a\n\n', 'has more than one line'],
    ['a\nb\n', 'has more than one line'],
    ['a\u0000b', 'is not text'],
    ['\ufffd', 'is not text'],
    ['static-auth-secret=hunter2\n', 'is a line of turnserver.conf'],
    [' static-auth-secret = hunter2', 'is a line of turnserver.conf'],
  ])('%j is refused', async (text, why) => {
    const { options, context } = await settingOf({ files: { f: text }, options: { secretFile: 'f' } });
    await expect(loadSecret(options, context)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(why),
    });
  });

  it('that is not there is an error, not the next source', async () => {
    const { options, context } = await settingOf({ ...everywhere, options: { secretFile: 'no-such-file' } });
    await expect(loadSecret(options, context)).rejects.toMatchObject({ code: 'usage' });
  });

  it('that others can read is told, once and without the secret', async () => {
    const { options, context, warnings } = await settingOf({
      files: { f: 'hunter2' },
      options: { secretFile: 'f' },
    });
    await chmod(join(context.workingDirectory, 'f'), 0o644);
    await loadSecret(options, context);
    expect(warnings).toEqual([expect.stringContaining('can be read by everybody here')]);
    expect(warnings.join()).not.toContain('hunter2');
    await chmod(join(context.workingDirectory, 'f'), 0o640);
    await loadSecret(options, context);
    expect(warnings).toHaveLength(1);
  });

  it('that is no file of one’s own is nothing to close', async () => {
    const { options, context, warnings } = await settingOf({ options: { secretFile: '/dev/null' } });
    await expect(loadSecret(options, context)).rejects.toMatchObject({ code: 'usage' });
    expect(warnings).toEqual([]);
  });

  it('is the same with the byte order mark of an editor', async () => {
    const setting = { files: { f: '\ufeffhunter2\r\n' }, options: { secretFile: 'f' } };
    expect(await found(setting)).toEqual([['hunter2', '--secret-file f']]);
  });

  it('that has a blank at an end is told', async () => {
    const { options, context, warnings } = await settingOf({
      files: { f: 'a \n' },
      options: { secretFile: 'f' },
    });
    expect((await loadSecret(options, context))?.secret.reveal()).toBe('a ');
    expect(warnings).toEqual([expect.stringContaining('has a blank at an end')]);
  });
});

describe('a secret that rtc-ops.yaml names', () => {
  it('and that is not there is an error of the configuration', async () => {
    const files = { 'rtc-ops.yaml': yaml, 'new.txt': 'x' };
    const { options, context } = await settingOf({ files });
    await expect(loadSecrets(options, context)).rejects.toMatchObject({
      code: 'configuration',
      message: 'rtc-ops.yaml: auth.secret names the variable OLD, which is not set',
    });
    // The first is there, and issuing needs no other.
    expect((await loadSecret(options, context))?.secret.reveal()).toBe('x');
  });

  it('and an empty variable is one that is wrong', async () => {
    const { options, context } = await settingOf({ env: { RTC_OPS_SECRET: '' } });
    await expect(loadSecret(options, context)).rejects.toThrow('the secret in RTC_OPS_SECRET is empty');
  });
});
