import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { parse as parseYaml } from 'yaml';
import type { Report } from '../../src/model/report.ts';
import { rtcOps, rtcOpsReport } from '../support/cli.ts';
import { loopbackServer, secret, type LoopbackServer } from '../support/loopback-server.ts';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const { describe, it } = needs('coturn');

function argumentsFor({ urls, secretFile, certificateFile }: LoopbackServer): string[] {
  return ['probe', ...urls, '--secret-file', secretFile, '--ca', certificateFile, '--no-call'];
}

describe('a report that was saved', () => {
  it('is judged as it was, by no server any more, and by other limits', async () => {
    const server = await loopbackServer();
    const directory = await directoryWith({});
    const file = join(directory, 'report.json');
    const measured = await rtcOps([...argumentsFor(server), '--format', 'json', '--output', file]);
    expect(measured).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
    await server.coturn.stop();
    const saved = JSON.parse(await readFile(file, 'utf8')) as Report;
    const again = await rtcOpsReport(['probe', '--from', file]);
    expect(again.report).toEqual(saved);
    expect(again.exitCode).toBe(saved.exitCode);
    const piped = await rtcOps(['probe', '--from', '-', '--max-rtt', '1ms', '--fail-on', 'warning'], {
      input: await readFile(file, 'utf8'),
    });
    expect(piped.stdout).toContain('RTT_HIGH');
    expect(piped.exitCode).toBe(1);
    const call = await rtcOps(['probe', '--from', file, '--max-loss', '1%']);
    expect(call).toMatchObject({ exitCode: 2, stdout: '' });
    expect(call.stderr).toContain('--no-call');
    expect(JSON.stringify(saved)).not.toContain(secret);
  });

  for (const format of ['junit', 'prometheus', 'github', 'tap', 'human']) {
    it(`of a server that refuses is red as ${format}, and on stderr where the result is in a file`, async () => {
      const server = await loopbackServer(['-static-auth-secret', 'static-auth-secret=another']);
      const directory = await directoryWith({ summary: 'before\n' });
      const output = join(directory, 'result');
      const { stdout, stderr, exitCode } = await rtcOps(
        [...argumentsFor(server), '--transport', 'udp', '--format', format, '--output', output],
        { env: { GITHUB_STEP_SUMMARY: join(directory, 'summary') } },
      );
      expect(exitCode).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^rtc-ops: broken: [^\n]+\n$/);
      const text = await readFile(output, 'utf8');
      expect(text).toContain('CREDENTIAL_SECRET_MISMATCH');
      expect(text).not.toContain(secret);
      expect((await readdir(directory)).toSorted()).toEqual(['result', 'summary']);
      const summary = await readFile(join(directory, 'summary'), 'utf8');
      if (format === 'github') expect(summary).toMatch(/^before\n## ✖ rtc-ops: broken\n/);
      else expect(summary).toBe('before\n');
    });
  }

  it('cannot stand with what needs packets, nor with a file that cannot be written', async () => {
    const refused = await rtcOps(['probe', 'turn:127.0.0.1', '--from', 'x.json', '--transport', 'udp']);
    expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
    expect(refused.stderr).toContain('turn:127.0.0.1 and --transport');
    const unwritable = await rtcOps(['probe', '127.0.0.1', '--output', '/nonexistent/report.json']);
    expect(unwritable).toMatchObject({ exitCode: 2, stdout: '' });
    expect(unwritable.stderr).toContain('/nonexistent/report.json');
    expect((await rtcOps(['probe', '--from', '/nonexistent.json'])).exitCode).toBe(2);
    expect((await rtcOps(['probe', '--from', '-'], { input: '{' })).exitCode).toBe(3);
  });
});

describe('--watch', () => {
  it('sees a server stop, keeps the file up to date, and ends after --count with what it saw', async () => {
    const server = await loopbackServer();
    const file = join(await directoryWith({}), 'rtc.prom');
    const args = [...argumentsFor(server), '--transport', 'tcp', '--watch=1s', '--count', '4'];
    const watching = rtcOps([...args, '--format', 'prometheus', '--output', file]);
    const success = async (value: string): Promise<void> => {
      const text = async (): Promise<string> => readFile(file, 'utf8').catch(() => '');
      await expect.poll(text, { timeout: 20_000 }).toContain(`run_success ${value}
`);
    };
    await success('1');
    expect((await stat(file)).mode & 0o777).toBe(0o644);
    await server.coturn.stop();
    await success('0');
    const { stdout, stderr, exitCode } = await watching;
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      / broken: [^]*\nrtc-ops: 4 rounds, [123] failed; longest outage \d s, from .* and not over\n$/,
    );
    expect(exitCode).toBe(1);
  });

  it('prints a report a line as JSON; ends on Ctrl-C with 0 when all was well, with 130 when nothing was seen', async () => {
    const server = await loopbackServer();
    const args = [...argumentsFor(server), '--transport', 'tcp', '--watch', '1s', '--format', 'json'];
    const { stdout, stderr, exitCode } = await rtcOps(args, { interruptAfterMs: 6000 });
    const reports = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Report);
    expect(reports.length).toBeGreaterThan(1);
    for (const { verdict } of reports) expect(verdict).toBe('healthy');
    expect(stderr).toMatch(/^rtc-ops: \d rounds, none failed\n$/);
    expect(exitCode).toBe(0);
  });

  for (const [args, told] of [
    [['--watch', 'turn.example.com'], 'the URLs before --watch'],
    [['127.0.0.1', '--watch=10ms'], '1s to 24h'],
    [['127.0.0.1', '--count', '2'], '--watch'],
    [['127.0.0.1', '--watch=1s', '--format', 'junit'], '--output'],
  ] as const) {
    it(`refuses ${args.join(' ')}`, async () => {
      const { exitCode, stderr, stdout } = await rtcOps(['probe', ...args]);
      expect([exitCode, stdout]).toEqual([2, '']);
      expect(stderr).toContain(told);
    });
  }
});

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The example of README.md whose first line has this text. */
async function example(name: string): Promise<string> {
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```(?:yaml|ini)\n([^]*?)^```$/gm)].map(([, text = '']) => text);
  const found = blocks.find((text) => text.split('\n', 1)[0]?.includes(name));
  if (found === undefined) throw new Error(`README.md has no example ${name}`);
  return found;
}

/** Runs a line of an example in a shell, as its CI would, where `rtc-ops` is this one. */
async function shell(line: string, directory: string, env: Readonly<Record<string, string>>) {
  const bin = join(directory, 'bin', 'rtc-ops');
  await mkdir(dirname(bin), { recursive: true });
  await writeFile(bin, `#!/bin/sh\nexec ${process.execPath} ${join(root, 'bin/rtc-ops.js')} "$@"\n`);
  await chmod(bin, 0o755);
  const path = `${dirname(bin)}:${process.env['PATH']}`;
  return execa('bash', ['-ec', line], { cwd: directory, reject: false, env: { ...env, PATH: path } });
}

describe('the examples of README.md run', () => {
  it('GitHub Actions', async () => {
    const server = await loopbackServer();
    const directory = await directoryWith({});
    const workflow = parseYaml(await example('turn.yml')) as { jobs: { turn: { steps: { run: string }[] } } };
    const [step] = workflow.jobs.turn.steps;
    const summary = join(directory, 'summary.md');
    const env = { TURN_HOST: server.urls[0], RTC_OPS_SECRET: secret, GITHUB_STEP_SUMMARY: summary };
    const { stdout, exitCode } = await shell(step?.run ?? '', directory, env);
    expect(stdout).toMatch(/^✔ healthy: /);
    expect(exitCode).toBe(0);
    expect(await readFile(summary, 'utf8')).toMatch(/^## ✔ rtc-ops: healthy\n/);
  });

  it('GitLab CI', async () => {
    const server = await loopbackServer();
    const directory = await directoryWith({});
    const { turn } = parseYaml(await example('.gitlab-ci.yml')) as {
      turn: { script: string[]; artifacts: { reports: { junit: string } } };
    };
    const env = { TURN_HOST: server.urls[0], RTC_OPS_SECRET: secret };
    const { exitCode } = await shell(turn.script.join('\n'), directory, env);
    expect(exitCode).toBe(0);
    expect(await readFile(join(directory, turn.artifacts.reports.junit), 'utf8')).toContain('<testsuites');
  });

  it('the service of systemd', async () => {
    const server = await loopbackServer();
    const directory = await directoryWith({});
    const unit = await example('rtc-ops.service');
    const line = /^ExecStart=(.*)$/m.exec(unit)?.[1] ?? '';
    const own = line
      .replace('/etc/rtc-ops.secret', server.secretFile)
      .replace('/var/lib/prometheus/node-exporter', directory);
    const { exitCode } = await shell(own, directory, { TURN_HOST: server.urls[0] });
    expect(exitCode).toBe(0);
    expect(await readFile(join(directory, 'rtc-ops.prom'), 'utf8')).toContain('rtc_ops_run_success 1\n');
  });
});

needs('systemd').it('the units of README.md are what systemd takes', async () => {
  const directory = await directoryWith({
    'rtc-ops.service': await example('rtc-ops.service'),
    'rtc-ops.timer': await example('rtc-ops.timer'),
  });
  const units = ['rtc-ops.service', 'rtc-ops.timer'].map((name) => join(directory, name));
  const { stderr, exitCode } = await execa('systemd-analyze', ['verify', '--man=no', ...units], {
    reject: false,
  });
  expect([stderr.split('\n').filter((line) => line.includes('rtc-ops')), exitCode]).toEqual([[], 0]);
});
