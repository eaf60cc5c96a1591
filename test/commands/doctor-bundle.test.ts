import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bundleOf } from '../../src/commands/doctor-bundle.ts';
import { judgeDoctor } from '../../src/commands/doctor-judgement.ts';
import { examineEvidence } from '../../src/commands/doctor-server.ts';
import { secretsOf } from '../../src/commands/server-secrets.ts';
import {
  packArchive,
  parseDoctorFacts,
  reportOrigin,
  unpackArchive,
} from '../../src/evidence/doctor-archive.ts';
import type { DoctorFacts } from '../../src/model/doctor-facts.ts';
import type { Secret } from '../../src/model/secret.ts';
import { version } from '../../src/model/version.ts';
import { rtcOps } from '../support/cli.ts';
import { criteriaWith, serverAddress } from '../support/facts.ts';
import { faults } from '../support/faults.ts';
import { serverEvidence } from '../support/server-evidence.ts';
import { directoryWith } from '../support/temporary.ts';

const secrets = ['north-wind-4711-secret', 'old-secret-0815', 'admin-of-it-99', 'a-password-of-alice'];
const configuration = [
  `external-ip=${serverAddress}`,
  'realm=turn.example.org',
  'use-auth-secret',
  `static-auth-secret=${secrets[0]}`,
  `# static-auth-secret=${secrets[1]}`,
  `cli-password=${secrets[2]}`,
  `user=alice:${secrets[3]}`,
  'denied-peer-ip=::',
  '',
].join('\n');
const evidence = serverEvidence({
  processes: 'looked at\nleft 0\nelsewhere 0\n',
  'configuration 0 origin': 'argument /etc/turnserver.conf',
  'configuration 0 nodes':
    '0 0 755 1795279867 1795279867 /\n0 0 755 1795279867 1795279867 /etc\n0 0 640 1795279867 1795279867 /etc/turnserver.conf\n',
  'configuration 0 text': configuration,
  // As a program that is run with it would leave it there.
  kernel: `audit: turnserver --static-auth-secret=${secrets[0]}\n`,
});

async function factsOf(): Promise<{ facts: DoctorFacts; secrets: Secret[] }> {
  const server = await examineEvidence(evidence);
  const criteria = criteriaWith();
  const facts: DoctorFacts = {
    startedAt: '2026-06-01T12:00:00.000Z',
    durationMs: 4200,
    symptom: 'one-way',
    iceServers: {
      file: 'ice-servers.json',
      urls: ['turn:turn.example.com'],
      problems: [
        { kind: 'dtls', at: 'iceServers[0].urls[1]', text: 'it asks for DTLS over UDP', instead: null },
      ],
    },
    server: { evidence: server.evidence, lint: server.lint },
    client: {
      observations: faults.DENY_LIST_BLOCKS_ALL.facts,
      criteria: { ...criteria, now: criteria.now.toISOString() },
      network: {
        connectivity: { state: 'unknown', because: 'NetworkManager is not installed here' },
        web: { state: 'unknown', because: 'the server itself answered' },
      },
    },
    witness: {
      server: 'root@turn.example.org',
      capture: { state: 'unknown', because: 'tcpdump is not installed' },
      trace: null,
    },
    leftOut: [{ what: 'a call', because: '--no-call forbids it', how: null, isRequired: false }],
  };
  return { facts, secrets: secretsOf(server.facts) };
}

async function bundle(redactsAddresses = false): Promise<Uint8Array> {
  const { facts, secrets: known } = await factsOf();
  return bundleOf(facts, await judgeDoctor(facts, 'error'), { redactsAddresses, secrets: known });
}

describe('the archive of a doctor run', () => {
  it('holds the report, and what it was made from', async () => {
    const files = unpackArchive(await bundle(), 'b.tar.gz');
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['report.txt', 'report.json', 'facts.json', 'server/configuration_0_text.txt']),
    );
    expect(files.get('report.txt')).toContain('DENIED_RANGE_BOUNDLESS');
    expect(files.get('server/configuration_0_text.txt')).toContain('denied-peer-ip=::');
  });

  it.each([false, true])(
    'holds no secret, of a comment or a log neither (with pseudonyms: %s)',
    async (redacts) => {
      const text = gunzipSync(await bundle(redacts)).toString('latin1');
      for (const secret of secrets) expect(text).not.toContain(secret);
      expect(text).toContain('[redacted]');
      expect(text).not.toContain('PRIVATE KEY');
    },
  );

  it('gives the same report again', async () => {
    const { facts } = await factsOf();
    const report = await judgeDoctor(facts, 'error');
    const text = unpackArchive(await bundle(), 'b').get('facts.json') ?? '';
    expect(await judgeDoctor(parseDoctorFacts(text, 'b'), 'error')).toEqual(report);
    expect(report.findings[0]?.code).toBe('DENIED_RANGE_BOUNDLESS');
  });

  it('has pseudonyms where that is asked for, one for each address and name throughout', async () => {
    const files = unpackArchive(await bundle(true), 'b');
    expect(files.has('facts.json')).toBe(false);
    const text = [...files.values()].join('\n');
    for (const known of [serverAddress, 'turn.example.org', 'turn.example.com'])
      expect(text).not.toContain(known);
    expect(files.get('server/configuration_0_text.txt')).toMatch(/^external-ip=ip4-global-\d+$/m);
  });

  it('is the same for the same facts', async () => {
    expect(Buffer.from(await bundle()).equals(Buffer.from(await bundle()))).toBe(true);
  });
});

describe('an archive from somewhere', () => {
  const facts = async (): Promise<{ [key: string]: unknown }> =>
    JSON.parse(unpackArchive(await bundle(), 'b').get('facts.json') ?? '') as { [key: string]: unknown };

  it.each([
    ['what is no archive', Buffer.from('no archive')],
    ['another archive', Buffer.from(packArchive('x', new Map([['a.txt', 'a']]), new Date(0)))],
    ['a log', gzipSync('a log\n')],
  ])('is refused where it is %s', async (_, bytes) => {
    const cwd = await directoryWith({});
    await writeFile(join(cwd, 'b.tar.gz'), bytes);
    const { stderr, exitCode } = await rtcOps(['doctor', '--from', 'b.tar.gz'], { cwd });
    expect(stderr).toContain('b.tar.gz is no archive of rtc-ops doctor');
    expect(exitCode).toBe(3);
  });

  it.each([
    ['a time that is none', { startedAt: 'now' }, 'startedAt'],
    ['a symptom that is none', { symptom: 'silence' }, 'symptom'],
    [
      'a finding of an unknown code',
      { server: { evidence, lint: [{ code: 'NO_CODE', severity: 'error', evidence: {} }] } },
      'server.lint.0.code',
    ],
    [
      'a finding without its evidence',
      { server: { evidence, lint: [{ code: 'WEAK_SECRET', severity: 'error', evidence: {} }] } },
      'WEAK_SECRET',
    ],
    [
      'a report that is none',
      {
        client: {
          probe: {},
          network: { connectivity: { state: 'seen', value: 'full' }, web: { state: 'unknown', because: '' } },
        },
      },
      'b',
    ],
  ])('is refused with %s', async (_, overrides, place) => {
    const text = JSON.stringify({ ...(await facts()), ...overrides });
    expect(() => parseDoctorFacts(text, 'b')).toThrow(place);
  });

  it('says in words why it cannot be unpacked', async () => {
    const whole = Buffer.from(await bundle());
    const damaged = Buffer.from(whole).fill(0xff, 400, 420);
    for (const [bytes, because] of [
      [whole.subarray(0, -300), 'its end is missing, so it was not copied whole'],
      [damaged, 'it is no .tar.gz, or it is damaged'],
      [Buffer.from('no archive'), 'it is no .tar.gz, or it is damaged'],
    ] as const)
      expect(() => unpackArchive(bytes, 'b')).toThrow(`b is no archive of rtc-ops doctor: ${because}`);
  });

  it('is said to be of another version where that is why it cannot be judged', async () => {
    const lint = [{ code: 'OF_TOMORROW', severity: 'error', evidence: {} }];
    const text = JSON.stringify({ ...(await facts()), server: { evidence, lint } });
    expect(() => parseDoctorFacts(text, 'b', '99.0.0')).toThrow(
      `b was written by rtc-ops 99.0.0, and rtc-ops ${version} cannot judge it`,
    );
    // All codes that it could be would fill the terminal.
    expect(() => parseDoctorFacts(text, 'b', version)).toThrow(/: what stands there is not known$/);
  });

  it('is refused with a report that is none', () => {
    expect(() => reportOrigin('{', 'b')).toThrow(
      'b is no archive of rtc-ops doctor: its report.json is not JSON',
    );
    expect(() => reportOrigin('{}', 'b')).toThrow('its report.json is no report');
  });
});

describe('rtc-ops doctor --from', () => {
  it('shows the report, judges it with another symptom, and looks at nothing', async () => {
    const cwd = await directoryWith({});
    await writeFile(join(cwd, 'b.tar.gz'), await bundle());
    const again = await rtcOps(['doctor', '--from', 'b.tar.gz'], { cwd });
    expect(again.stdout).toMatch(/^✖ broken {3}.*: one side\s+hears nothing/);
    expect(again.exitCode).toBe(1);
    const other = await rtcOps(['doctor', '--from', 'b.tar.gz', '--symptom', 'none'], { cwd });
    expect(other.stdout).toContain('Users say: nobody hears anything');
    const both = await rtcOps(['doctor', '--from', 'b.tar.gz', 'turn.example.com', '--no-call'], { cwd });
    expect(both.stderr).toContain(
      '--from looks at nothing, so it cannot stand with turn.example.com and --no-call',
    );
    expect(both.exitCode).toBe(2);
  });

  it('shows the report of one with pseudonyms as it was', async () => {
    const cwd = await directoryWith({});
    const bytes = await bundle(true);
    await writeFile(join(cwd, 'b.tar.gz'), bytes);
    const { stdout, stderr, exitCode } = await rtcOps(['doctor', '--from', 'b.tar.gz'], { cwd });
    expect(stdout).toBe(unpackArchive(bytes, 'b').get('report.txt'));
    expect(stderr).toContain(
      `rtc-ops: b.tar.gz has pseudonyms in place of addresses, which no rule can compare: this is the report of 2026-06-01 12:00 UTC as rtc-ops ${version} wrote it\n`,
    );
    expect(exitCode).toBe(1);
  });

  it('refuses a file that is not there, and pseudonyms without an archive', async () => {
    const cwd = await directoryWith({});
    const missing = await rtcOps(['doctor', '--from', 'b.tar.gz'], { cwd });
    expect(missing.stderr).toContain('--from b.tar.gz cannot be read: there is no such file');
    expect(missing.exitCode).toBe(2);
    const stray = await rtcOps(['doctor', 'a.example', '--redact-addresses'], { cwd });
    expect(stray.stderr).toContain('--redact-addresses is for --bundle');
  });

  it('finds out before it looks whether the archive can be written, which nobody else may read', async () => {
    const cwd = await directoryWith({});
    const args = ['doctor', 'turn:127.0.0.1:9', '--timeout', '200ms', '--bundle'];
    const refused = await rtcOps([...args, 'nowhere/b.tar.gz'], { cwd });
    expect(refused.stderr).toMatch(
      /--bundle \S+nowhere\/b\.tar\.gz cannot be written: ENOENT: the directory it is to be in/,
    );
    expect(refused.exitCode).toBe(2);
    await rtcOps([...args, 'b.tar.gz'], { cwd });
    expect((await stat(join(cwd, 'b.tar.gz'))).mode & 0o777).toBe(0o600);
    expect(unpackArchive(await readFile(join(cwd, 'b.tar.gz')), 'b').has('facts.json')).toBe(true);
  });
});
