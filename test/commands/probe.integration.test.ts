import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import type { FindingCode } from '../../src/model/finding.ts';
import type { Report } from '../../src/model/report.ts';
import { Secret } from '../../src/model/secret.ts';
import { allocate } from '../../src/turn/allocation.ts';
import { rtcOps, rtcOpsReport } from '../support/cli.ts';
import { loopbackServer, type LoopbackServer } from '../support/loopback-server.ts';
import { relayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

const { describe, it } = needs('coturn');

function argumentsFor(server: LoopbackServer, urls: readonly string[] = server.urls): string[] {
  return ['probe', ...urls, '--secret-file', server.secretFile, '--ca', server.certificateFile];
}

/** The causes that a report names; what it tells as the effect of one of them is none. */
function errorsOf({ findings }: Report): FindingCode[] {
  return findings
    .filter(({ severity, causedBy }) => severity === 'error' && causedBy === null)
    .map(({ code }) => code);
}

describe('a healthy server', () => {
  it('is healthy over all transports, with a call that flowed', async () => {
    const server = await loopbackServer();
    const { report, exitCode } = await rtcOpsReport([...argumentsFor(server), '--duration', '2s']);
    expect(report.findings.map(({ code }) => code)).toEqual(['VANTAGE_TOO_CLOSE']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'healthy', exitCode: 0 });
    expect(report.vantage.kind).toBe('same-host');
    expect(report.targets.map(({ transport }) => transport)).toEqual(['udp', 'tcp', 'tls']);
    for (const target of report.targets) {
      const open = target.checks.filter(({ status }) => status !== 'passed' && status !== 'skipped');
      expect(open).toEqual([]);
    }
    expect(report.calls).toHaveLength(3);
    for (const call of report.calls) {
      expect(call.selectedPair).toEqual({ local: 'relay', remote: 'relay' });
      // 50 packets a second, both ways.
      expect(call.audio?.sent).toBe(200);
      expect(call.audio?.received).toBe(200);
    }
    expect(JSON.stringify(report)).not.toContain('a-secret-of-the-tests');
  });

  it('is told to a person, verdict first, within 80 columns', async () => {
    const server = await loopbackServer();
    const { stdout, stderr, exitCode } = await rtcOps([...argumentsFor(server), '--duration', '1s']);
    expect(exitCode).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toMatch(/^✔ healthy {3}audio flows through the relay over udp, tcp and tls\n/);
    expect(stdout).toMatch(/call through the relay +✔ MOS 4\.\d +✔ MOS 4\.\d +✔ MOS 4\.\d\n/);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('is not called healthy without credentials', async () => {
    const server = await loopbackServer();
    const { report, exitCode } = await rtcOpsReport(['probe', server.urls[0], '--no-call']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'unknown', exitCode: 1 });
    expect(report.headline).toContain('credentials');
  });

  it('is healthy for STUN alone behind a stun: URI', async () => {
    const server = await loopbackServer();
    const { report, exitCode } = await rtcOpsReport(['probe', `stun:127.0.0.1:${server.port}`]);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'healthy', exitCode: 0 });
  });
});

/** Somebody else's allocation, for the time of the test. */
async function heldAllocation(server: LoopbackServer): Promise<void> {
  const [, username = '', , password = ''] = server.credential(600);
  const allocation = await allocate({
    server: { transport: 'udp', endpoint: { address: '127.0.0.1', port: server.port }, verifyTls: false },
    credential: { username, password: new Secret(password) },
    timeoutMs: 5000,
    signal: new AbortController().signal,
  });
  onTestFinished(() => allocation.close());
}

/** One fault each: the lines that make it, and the one error that names it. */
const faults: readonly (readonly [string, readonly string[], FindingCode])[] = [
  ['an anonymous relay', ['-use-auth-secret', '-static-auth-secret', 'no-auth'], 'ANONYMOUS_RELAY'],
  ['another secret', ['-static-auth-secret', 'static-auth-secret=another'], 'CREDENTIAL_SECRET_MISMATCH'],
  ['no relaying of UDP', ['no-udp-relay'], 'ALLOCATION_REFUSED'],
  ['STUN without TURN', ['stun-only'], 'NOT_A_TURN_SERVER'],
  ['an alternate server that is dead', ['alternate-server=127.0.0.1:9'], 'ALTERNATE_UNREACHABLE'],
  ['a private relay address', ['external-ip=10.1.2.3'], 'RELAY_ADDRESS_PRIVATE'],
];

describe('one fault is named, and no other beside it', () => {
  for (const [what, lines, code] of faults) {
    it(what, async () => {
      const server = await loopbackServer(lines);
      const { report, exitCode } = await rtcOpsReport([
        ...argumentsFor(server, [server.urls[0]]),
        '--no-call',
        '--timeout',
        '2s',
      ]);
      expect(errorsOf(report)).toEqual([code]);
      expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'broken', exitCode: 1 });
    });
  }

  it('a quota that is used up', async () => {
    const server = await loopbackServer(['total-quota=1']);
    await heldAllocation(server);
    const { report } = await rtcOpsReport([...argumentsFor(server, [server.urls[0]]), '--no-call']);
    expect(errorsOf(report)).toEqual(['QUOTA_REACHED']);
  });

  it('a relay range that is used up', async () => {
    const server = await loopbackServer(['-max-port', 'max-port=@min']);
    await heldAllocation(server);
    const { report } = await rtcOpsReport([...argumentsFor(server, [server.urls[0]]), '--no-call']);
    expect(errorsOf(report)).toEqual(['RELAY_CAPACITY_EXHAUSTED']);
  });

  it('a server without Binding is a warning', async () => {
    const server = await loopbackServer(['no-stun']);
    const { report, exitCode } = await rtcOpsReport([
      ...argumentsFor(server, [server.urls[0]]),
      '--no-call',
      '--timeout',
      '1s',
    ]);
    expect(report.findings.map(({ code }) => code)).toContain('BINDING_UNANSWERED');
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'degraded', exitCode: 0 });
  });

  it('an expired credential', async () => {
    const server = await loopbackServer();
    const { report } = await rtcOpsReport(['probe', server.urls[0], ...server.credential(-60), '--no-call']);
    expect(errorsOf(report)).toEqual(['CREDENTIAL_EXPIRED']);
  });

  it('a username in milliseconds', async () => {
    const server = await loopbackServer();
    const { report } = await rtcOpsReport([
      ...['probe', server.urls[0], '--no-call'],
      ...['--username', `${Date.now()}:x`, '--password', 'x'],
    ]);
    expect(errorsOf(report)).toEqual(['CREDENTIAL_FORMAT']);
  });

  it('a certificate that nobody trusts', async () => {
    const server = await loopbackServer();
    const { report } = await rtcOpsReport([
      ...['probe', server.urls[2], '--secret-file', server.secretFile],
      '--no-call',
    ]);
    expect(errorsOf(report)).toEqual(['TLS_UNTRUSTED']);
  });

  it('trusts the anchors of --ca beside those that are trusted already', async () => {
    const [server, other] = [await loopbackServer(), await loopbackServer()];
    const args = ['probe', server.urls[2], '--secret-file', server.secretFile, '--no-call'];
    const env = { NODE_EXTRA_CA_CERTS: server.certificateFile };
    const { report } = await rtcOpsReport([...args, '--ca', other.certificateFile], { env });
    expect(errorsOf(report)).toEqual([]);
  });

  it('a certificate for another name', async () => {
    const server = await loopbackServer();
    const { report } = await rtcOpsReport([
      ...argumentsFor(server, [server.urls[2]]),
      ...['--no-call', '--servername', 'turn.example.com'],
    ]);
    expect(errorsOf(report)).toEqual(['TLS_NAME_MISMATCH']);
  });

  it('a plain listener behind a turns: URL', async () => {
    const server = await loopbackServer(['no-tls', 'no-dtls', '-tls-listening-port']);
    const { report } = await rtcOpsReport([
      ...argumentsFor(server, [`turns:127.0.0.1:${server.port}`]),
      ...['--no-call', '--timeout', '2s'],
    ]);
    expect(errorsOf(report)).toEqual(['LISTENER_SILENT']);
  });

  it('one dead transport of three leaves the server degraded', async () => {
    const server = await loopbackServer(['no-tls', 'no-dtls', '-tls-listening-port']);
    const { report, exitCode } = await rtcOpsReport([...argumentsFor(server), '--no-call']);
    expect(errorsOf(report)).toEqual(['TCP_REFUSED']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'degraded', exitCode: 1 });
    expect(report.headline).toBe('works over udp and tcp, not over tls');
  });
});

describe('a server that ends in the middle', () => {
  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    it(`is told as such, within the deadline (${signal})`, async () => {
      const server = await relayServer();
      const running = rtcOpsReport([...argumentsFor(server), '--duration', '6s', '--timeout', '2s']);
      // The protocol's and ICE's allocations are freed; two of each call are held while it lasts.
      const held = (): number =>
        server.coturn.logText().includes('new,') ? server.heldAllocations().length : 0;
      await expect.poll(held, { timeout: 30_000 }).toBe(6);
      await sleep(1000);
      server.coturn.kill(signal);
      const { report, exitCode, durationMs } = await running;
      expect(exitCode).toBe(1);
      expect(report.verdict).toBe('broken');
      expect(new Set(errorsOf(report)).size).toBe(1);
      expect(['SERVER_STOPPED', 'AUDIO_INTERRUPTED']).toContain(errorsOf(report)[0]);
      expect(durationMs).toBeLessThan(15_000);
    });
  }
});

describe('what is asked for', () => {
  it('is an error when a limit is missed', async () => {
    const server = await loopbackServer();
    const { report, exitCode } = await rtcOpsReport([
      ...argumentsFor(server, [server.urls[0]]),
      ...['--duration', '1s', '--max-rtt', '1ms', '--min-mos', '4.5'],
    ]);
    expect(exitCode).toBe(1);
    expect(errorsOf(report)).toContain('MOS_LOW');
  });

  it('is not met by what was not tested', async () => {
    const server = await loopbackServer();
    const { report, exitCode } = await rtcOpsReport([
      ...argumentsFor(server, [server.urls[0]]),
      ...['--no-call', '--require', 'udp,tls'],
    ]);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'unknown', exitCode: 1 });
    expect(report.headline).toContain('tls is required');
  });

  it('comes from rtc-ops.yaml when no URL is given', async () => {
    const server = await loopbackServer();
    const config = join(server.directory, 'rtc-ops.yaml');
    const yaml = [
      'realm: test',
      'hosts: [127.0.0.1]',
      `listen: { udp: ${server.port}, tcp: ${server.port}, tls: off }`,
      `auth: { secret: { file: ${server.secretFile} } }`,
    ];
    await writeFile(config, yaml.join('\n'));
    const { report, exitCode } = await rtcOpsReport(['probe', '--config', config, '--no-call']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'healthy', exitCode: 0 });
    expect(report.targets.map(({ transport }) => transport)).toEqual(['udp', 'tcp']);
  });

  it('logs in as a user of rtc-ops.yaml, to its own hosts alone', async () => {
    const lines = ['-use-auth-secret', '-static-auth-secret', 'lt-cred-mech', 'user=alice:her-password'];
    const server = await loopbackServer(lines);
    const config = join(server.directory, 'rtc-ops.yaml');
    const yaml = [
      'realm: test',
      'hosts: [127.0.0.1]',
      `listen: { udp: ${server.port}, tcp: off }`,
      'auth: { users: { alice: { file: alice.secret } } }',
    ];
    await writeFile(config, yaml.join('\n'));
    await writeFile(join(server.directory, 'alice.secret'), 'her-password\n', { mode: 0o600 });
    const own = await rtcOpsReport(['probe', '--config', config, '--no-call']);
    expect({ verdict: own.report.verdict, exitCode: own.exitCode }).toEqual({
      verdict: 'healthy',
      exitCode: 0,
    });
    const named = await rtcOpsReport(['probe', server.urls[0], '--config', config, '--no-call']);
    expect(named.report.verdict).toBe('unknown');
  });
});

describe('Ctrl-C', () => {
  it('ends with 130 and frees what was allocated', async () => {
    const server = await relayServer();
    const run = await rtcOps([...argumentsFor(server), '--duration', '30s'], { interruptAfterMs: 3000 });
    expect(run.exitCode).toBe(130);
    expect(run.stdout).toBe('');
    expect(run.durationMs).toBeLessThan(8000);
    await expect.poll(server.heldAllocations, { timeout: 5000 }).toEqual([]);
  });
});
