import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import type { DoctorReport } from '../../src/model/doctor-report.ts';
import { rtcOps } from '../support/cli.ts';
import { loopbackServer, secret, type LoopbackServer } from '../support/loopback-server.ts';
import { needs } from '../support/requirements.ts';

async function doctor(
  server: LoopbackServer,
  args: readonly string[] = [],
): Promise<{ report: DoctorReport; exitCode: number | undefined }> {
  const { stdout, stderr, exitCode } = await rtcOps([
    'doctor',
    ...server.urls,
    ...['--ca', server.certificateFile, '--format', 'json'],
    ...(args.includes('--username') ? args : ['--secret-file', server.secretFile, ...args]),
  ]);
  if (stdout === '') throw new Error(`no report; stderr: ${stderr}`);
  return { report: JSON.parse(stdout) as DoctorReport, exitCode };
}

needs('coturn').describe('rtc-ops doctor of a real server', () => {
  it('finds nothing wrong with a healthy one, and says what it did not look at', async () => {
    const { report, exitCode } = await doctor(await loopbackServer());
    expect(report).toMatchObject({
      verdict: 'healthy',
      headline: 'audio flows through the relay over udp, tcp and tls',
    });
    expect(report.findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(report.notExamined.map(({ what }) => what)).toEqual([
      'the way from the internet to the server',
      'the server itself',
    ]);
    expect(report.client?.network.map(({ id }) => id)).toEqual([
      'addresses',
      'nat',
      'ipv6',
      'leaves',
      'captive-portal',
    ]);
    expect(exitCode).toBe(0);
  });

  it('names a wrong secret, what users feel, and nothing beside it', async () => {
    const server = await loopbackServer([
      '-static-auth-secret',
      'static-auth-secret=another-secret-of-the-tests',
    ]);
    const { report, exitCode } = await doctor(server, ['--symptom', 'none']);
    const roots = report.findings.filter(({ causeId, severity }) => causeId === null && severity !== 'info');
    expect(roots.map(({ code }) => code)).toEqual(['CREDENTIAL_SECRET_MISMATCH']);
    expect(report).toMatchObject({ verdict: 'broken', symptom: { explainedBy: [1] } });
    expect(report.headline).toMatch(/: nobody hears anything$/);
    expect(exitCode).toBe(1);
  });

  it('makes no call with --no-call, and says so', async () => {
    const { report } = await doctor(await loopbackServer(), ['--no-call']);
    expect(report.verdict).toBe('healthy');
    expect(report.notExamined).toContainEqual({
      what: 'a call',
      because: '--no-call forbids it',
      how: null,
      isRequired: false,
    });
  });

  it('gives the same report again from its archive, which holds neither secret nor password', async () => {
    const server = await loopbackServer();
    const file = join(server.directory, 'ticket.tar.gz');
    const [name = '', , , password = ''] = server.credential(600);
    expect(name).toBe('--username');
    const { report } = await doctor(server, [...server.credential(600), '--no-call', '--bundle', file]);
    const text = gunzipSync(await readFile(file)).toString('latin1');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(password);
    const again = await rtcOps(['doctor', '--from', file, '--format', 'json']);
    expect(JSON.parse(again.stdout)).toEqual(report);
  });
});
