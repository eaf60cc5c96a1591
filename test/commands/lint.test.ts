import { chmod, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LintReport } from '../../src/model/lint-report.ts';
import { rtcOps } from '../support/cli.ts';
import { textWith } from '../support/lint-facts.ts';
import { directoryWith } from '../support/temporary.ts';

const secret = '4e8f7a9c3b5d1e0f28a7f3c5e9b1d204';

describe('rtc-ops lint', () => {
  it('has one line for a file that is in order, and ends with 0', async () => {
    const cwd = await directoryWith({ 'turnserver.conf': textWith([]) });
    const { stdout, exitCode } = await rtcOps(['lint', 'turnserver.conf'], {
      cwd,
    });
    const [line] = stdout.split('\n');
    expect(line).toBe('✔ turnserver.conf: nothing to say (coturn 4.6.1, assumed)');
    expect(stdout).toContain('? Not judged: files, modes and addresses');
    expect(exitCode).toBe(0);
  });

  it('reads standard input', async () => {
    const { stdout, exitCode } = await rtcOps(['lint', '-', '--format', 'json'], { input: 'fingerprin\n' });
    const report = JSON.parse(stdout) as LintReport;
    expect(report).toMatchObject({
      schemaVersion: 1,
      command: 'lint',
      file: 'stdin',
      exitCode: 1,
      fixed: null,
    });
    expect(report.findings.map(({ code }) => code)).toContain('CONFIG_OPTION_UNKNOWN');
    expect(exitCode).toBe(1);
  });

  it('sees a byte order mark on standard input', async () => {
    const { stdout } = await rtcOps(['lint', '-'], { input: '\ufeffuse-auth-secret\n' });
    expect(stdout).toContain('CONFIG_BYTE_ORDER_MARK');
    expect(stdout).toContain('OPEN_RELAY_CONFIGURED');
  });

  it('fails for warnings only when it is told to', async () => {
    const cwd = await directoryWith({ f: textWith(['verbose']) });
    expect((await rtcOps(['lint', 'f'], { cwd })).exitCode).toBe(0);
    expect((await rtcOps(['lint', 'f', '--fail-on', 'warning'], { cwd })).exitCode).toBe(1);
  });

  it.each([
    [['lint', 'nothing.conf'], 3, /cannot read nothing\.conf: .*\n {2}Name the file to judge/],
    [['lint', '.'], 3, /cannot read \./],
    [['lint', '-', '--fix'], 2, /--fix changes a file/],
    [['lint', '-', '--coturn-version', '3.1'], 2, /3\.1 is not a known version/],
    [['lint', '-', '--users', 'many'], 2, /--users/],
    [['lint', '-', '--format', 'xml'], 2, /--format/],
  ])('%j ends with %d', async (args, exitCode, message) => {
    const cwd = await directoryWith({});
    const run = await rtcOps(args, { cwd, input: '' });
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe('');
  });

  it('mends what is safe, shows it, and keeps the rest', async () => {
    const before = textWith(['listening-port=3478 # usual', `static-auth-secret=${secret} # mine`]);
    const cwd = await directoryWith({ 'turnserver.conf': before });
    await chmod(join(cwd, 'turnserver.conf'), 0o640);
    const { stdout, exitCode } = await rtcOps(['lint', 'turnserver.conf', '--fix'], { cwd });
    expect(stdout).toContain('-listening-port=3478 # usual\n+listening-port=3478\n');
    expect(stdout).not.toContain(secret);
    expect(exitCode).toBe(1);
    const after = await readFile(join(cwd, 'turnserver.conf'), 'utf8');
    expect(after).toBe(before.replace('3478 # usual', '3478'));
    const backups = (await readdir(cwd)).filter((name) => name.includes('.bak.'));
    expect(backups).toHaveLength(1);
    expect(await readFile(join(cwd, backups[0] ?? ''), 'utf8')).toBe(before);
  });

  it('keeps bytes that are no UTF-8, and touches nothing where nothing is to mend', async () => {
    const cwd = await directoryWith({ f: '' });
    const bytes = Buffer.from('# caf\xe9\nverbose\nmax-bps=1;\n', 'latin1');
    await writeFile(join(cwd, 'f'), bytes);
    await rtcOps(['lint', 'f', '--fix'], { cwd });
    expect(await readFile(join(cwd, 'f'))).toEqual(Buffer.from('# caf\xe9\nverbose\nmax-bps=1\n', 'latin1'));
    await rtcOps(['lint', 'f', '--fix'], { cwd });
    expect((await readdir(cwd)).filter((name) => name.includes('.bak.'))).toHaveLength(1);
  });

  it('looks at this machine when it is told to', async () => {
    const cwd = await directoryWith({
      f: textWith(['cert=/nowhere/c.pem', 'pkey=/nowhere/k.pem'], /^no-d?tls$/),
    });
    const { stdout } = await rtcOps(['lint', 'f', '--here', '--format', 'json'], { cwd });
    const codes = (JSON.parse(stdout) as LintReport).findings.map(({ code }) => code);
    expect(codes).toContain('TLS_FILE_MISSING');
    const elsewhere = await rtcOps(['lint', 'f', '--no-here', '--format', 'json'], { cwd });
    expect(elsewhere.stdout).not.toContain('TLS_FILE_MISSING');
  });
});
