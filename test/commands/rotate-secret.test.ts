import { describe, expect, it } from 'vitest';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

async function run(
  auth: string,
  files: Readonly<Record<string, string>>,
  ...args: string[]
): Promise<CliRun> {
  const text = `realm: r\nhosts: [a.example, b.example]\nauth: ${auth}\n`;
  const cwd = await directoryWith({ 'rtc-ops.yaml': text, s: 'one\n', p: 'pass\n', ...files });
  // Where Ansible is not: what is wrong with options and config is told before it is needed.
  return rtcOps(['rotate-secret', ...args], { cwd, env: { PATH: '', SECRET: 'two' } });
}

const underWay = '{ secret: [{ file: s }, { file: s.old }] }';

describe('rtc-ops rotate-secret', () => {
  it.each([
    ['users', '{ method: static, users: { u: { file: p } } }', {}, [], 'no shared secret', 3],
    ['a variable', '{ secret: { env: SECRET } }', {}, [], 'comes from the variable SECRET', 3],
    [
      'secrets of somebody',
      '{ secret: [{ file: s }, { file: p }] }',
      {},
      [],
      'has secrets beside the first',
      3,
    ],
    ['nothing to finish', '{ secret: { file: s } }', {}, ['--finish'], 'no rotation is under way', 2],
    ['a second beginning', underWay, { 's.old': 'o\n' }, [], 'a rotation is under way', 2],
    ['no time', '{ secret: { file: s } }', {}, ['--ttl', '12'], 'Write a duration', 2],
    ['no old secret', underWay, {}, ['--finish'], 'cannot be read', 3],
    // One that was interrupted before its end goes on.
    ['a beginning', underWay, { 's.old': 'o\n', 's.new': 'n\n' }, [], 'Ansible is needed', 4],
    ['an end', underWay, { 's.old': 'o\n' }, ['--finish'], 'Ansible is needed', 4],
  ])('says what it needs: %s', async (_, auth, files, args, text, code) => {
    const { stderr, stdout, exitCode } = await run(auth, files, ...args);
    expect(stderr).toContain(text);
    expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: code });
  });
});
