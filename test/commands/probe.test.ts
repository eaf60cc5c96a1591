import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FindingCode } from '../../src/model/finding.ts';
import { rtcOps, rtcOpsReport } from '../support/cli.ts';
import { discoveryServer } from '../support/discovery-server.ts';
import { directoryWith } from '../support/temporary.ts';
import { tcpListener, udpListener, unusedPort } from '../support/strange-listener.ts';

const credential = ['--username', '4000000000:test', '--password', 'secret'];
const timeoutMs = 1000;

/** Probes one URL that no TURN server is behind; gives the codes of its errors. */
async function errorsAt(url: string): Promise<FindingCode[]> {
  const { report, exitCode, stderr, durationMs } = await rtcOpsReport([
    'probe',
    url,
    ...credential,
    '--timeout',
    `${timeoutMs}ms`,
  ]);
  expect(exitCode).toBe(1);
  expect(report.verdict).toBe('broken');
  expect(stderr).toBe('');
  // One deadline for the listener, one for starting Node on a busy machine.
  expect(durationMs).toBeLessThan(timeoutMs * 2 + 5000);
  const error = report.findings.filter(({ severity }) => severity === 'error');
  for (const { title, cause, proof, fix } of error) {
    expect([title, cause, proof, fix].join()).not.toMatch(/undefined|NaN|\[object/);
    expect(fix.length).toBeGreaterThan(0);
  }
  return error.map(({ code }) => code);
}

describe('what is no TURN server is named as what it is', () => {
  it('a host that does not resolve', async () => {
    expect(await errorsAt('turn:no-such-host.invalid')).toEqual(['DNS_NOT_FOUND']);
  });

  it('a TCP port where nothing listens', async () => {
    expect(await errorsAt(`turn:127.0.0.1:${await unusedPort()}?transport=tcp`)).toEqual(['TCP_REFUSED']);
  });

  it('a TLS port where nothing listens', async () => {
    expect(await errorsAt(`turns:127.0.0.1:${await unusedPort()}`)).toEqual(['TCP_REFUSED']);
  });

  it('a UDP port where nothing listens, by ICMP and not by waiting', async () => {
    const startedAt = performance.now();
    expect(await errorsAt(`turn:127.0.0.1:${await unusedPort()}`)).toEqual(['UDP_REFUSED']);
    expect(performance.now() - startedAt).toBeLessThan(5000);
  });

  it('an HTTP server, in its own words', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const { report, exitCode } = await rtcOpsReport([
      'probe',
      `turn:127.0.0.1:${port}?transport=tcp`,
      ...credential,
    ]);
    expect(exitCode).toBe(1);
    const [finding] = report.findings;
    expect(finding?.code).toBe('NOT_A_TURN_SERVER');
    expect(finding?.cause).toContain('HTTP/1.1 400 Bad Request');
  });

  it('an HTTP server behind a turns: URL', async () => {
    const port = await tcpListener((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(await errorsAt(`turns:127.0.0.1:${port}`)).toEqual(['TLS_HANDSHAKE_FAILED']);
  });

  it('a TCP port that answers garbage', async () => {
    const port = await tcpListener((socket) => socket.write(Buffer.alloc(64, 0xee)));
    expect(await errorsAt(`turn:127.0.0.1:${port}?transport=tcp`)).toEqual(['NOT_A_TURN_SERVER']);
  });

  it('a TCP port that accepts and closes', async () => {
    const port = await tcpListener((socket) => socket.end());
    expect(await errorsAt(`turn:127.0.0.1:${port}?transport=tcp`)).toEqual(['NOT_A_TURN_SERVER']);
  });

  it('a TCP port that accepts and never answers', async () => {
    const port = await tcpListener(() => {});
    expect(await errorsAt(`turn:127.0.0.1:${port}?transport=tcp`)).toEqual(['LISTENER_SILENT']);
  });

  it('a TLS port that accepts and never answers', async () => {
    const port = await tcpListener(() => {});
    expect(await errorsAt(`turns:127.0.0.1:${port}`)).toEqual(['LISTENER_SILENT']);
  });

  it('a TLS port that accepts and closes', async () => {
    const port = await tcpListener((socket) => socket.end());
    expect(await errorsAt(`turns:127.0.0.1:${port}`)).toEqual(['TLS_HANDSHAKE_FAILED']);
  });

  it('a UDP port that is silent', async () => {
    const port = await udpListener(() => null);
    expect(await errorsAt(`turn:127.0.0.1:${port}`)).toEqual(['SERVER_UNREACHABLE']);
  });

  it('a UDP port that answers garbage', async () => {
    const port = await udpListener(() => Buffer.from('hello'));
    expect(await errorsAt(`turn:127.0.0.1:${port}`)).toEqual(['NOT_A_TURN_SERVER']);
  });

  it('a UDP port that echoes what it gets', async () => {
    const port = await udpListener((datagram) => datagram);
    expect(await errorsAt(`turn:127.0.0.1:${port}`)).toEqual(['NOT_A_TURN_SERVER']);
  });
});

describe('usage errors are told before the first packet', () => {
  it.each([
    [['probe', 'http://turn.example.com/x'], 'Write turn:turn.example.com'],
    [['probe', 'turn://turn.example.com'], 'Write turn:turn.example.com'],
    [['probe', 'turn:turn.example.com:99999'], '1 to 65535'],
    [['probe', 'turn:turn.example.com?transport=sctp'], 'transport=udp'],
    [['probe', 'turns:turn.example.com?transport=udp'], 'transport=tcp'],
    [['probe', 'turn:[::1'], 'scheme:host'],
    [['probe', 'exa mple'], 'neither'],
    [['probe', '127.0.0.1:27100'], 'Write turn:127.0.0.1:27100, or turns:127.0.0.1:27100 for TLS.'],
    [['probe', '[::1]:3478'], 'Write turn:[::1]:3478, or'],
    [['probe', '127.0.0.1:99999'], 'Write turn:HOST'],
    [['probe', '127.0.0.1', '--ports', '0'], 'from 1 to 500.'],
    [['probe', '127.0.0.1', '--ports', '501'], 'from 1 to 500.'],
    [['probe', '127.0.0.1', '--concurrency', '0'], 'from 1 to 999999.'],
    [['probe', '127.0.0.1', '--timeout', '5'], '150ms'],
    [['probe', '127.0.0.1', '--timeout', '0s'], '100ms to 24h'],
    [['probe', '127.0.0.1', '--transport', 'sctp'], 'udp, tcp, tls'],
    [['probe', '127.0.0.1', '--require', 'audio'], 'relay, srflx'],
    [['probe', '127.0.0.1', '--max-loss', '150%'], '1%'],
    [['probe', '127.0.0.1', '--min-mos', '5'], '4.5'],
    [['probe', '127.0.0.1', '--format', 'xml'], 'human'],
    [['probe', '127.0.0.1', '--output', ''], '--output is empty'],
    [['probe', '127.0.0.1', '--no-call', '--max-loss', '1%'], '--no-call'],
    [['probe', 'stun:127.0.0.1', '--min-mos', '4'], '--min-mos needs a relay'],
    [
      ['probe', 'stun:127.0.0.1', '--max-loss', '1%', '--max-jitter', '9ms'],
      '--max-loss and --max-jitter need',
    ],
    [['probe', 'stun:127.0.0.1', '--require', 'relay'], '--require relay needs a relay'],
    [['probe', 'stuns:127.0.0.1', '--require', 'call'], '--require call needs a relay'],
    [['probe', 'stun:127.0.0.1', '--require', 'relay', '--require', 'udp'], '--require relay needs'],
    [['probe', '127.0.0.1', '--servername', ''], '--servername'],
    [['probe', '127.0.0.1', '--servername', 'a b'], '--servername'],
    [['probe', '127.0.0.1', '--secret-file='], '--secret-file'],
    [['probe', '127.0.0.1', '--ca', '/'], '--ca / cannot be read'],
    [['probe', '127.0.0.1', '--ca', '/dev/null'], 'holds no PEM certificate'],
    [['probe', '127.0.0.1', '--username', '', '--password', 'b'], '--username is empty'],
    [['probe', '127.0.0.1', '--username', 'a', '--password', ''], '--password is empty'],
    [['probe', '127.0.0.1', '--username', 'x'.repeat(509), '--password', 'b'], '--username has 509 bytes'],
    [['probe', '127.0.0.1', '--username', 'a\nb', '--password', 'b'], 'control character'],
    [['probe', '127.0.0.1', '--username', 'alice'], '--password'],
    [['probe', '127.0.0.1', '--username', 'a', '--password', 'b', '--secret-file', '/dev/null'], 'exclude'],
    [['probe', '127.0.0.1', '--ca', '/nonexistent.pem'], '/nonexistent.pem'],
    [['probe', '127.0.0.1', '--frobnicate'], '--frobnicate'],
    [['frobnicate'], 'frobnicate'],
  ])('%j', async (args, told) => {
    const { exitCode, stdout, stderr } = await rtcOps(args);
    expect(exitCode).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(told);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('a variable that is set and empty', async () => {
    const env = { RTC_OPS_USERNAME: '', RTC_OPS_PASSWORD: 'b' };
    const { exitCode, stderr } = await rtcOps(['probe', '127.0.0.1'], { env });
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('RTC_OPS_USERNAME is empty')]);
  });

  it('a --ca whose certificate cannot be read', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    const cwd = await directoryWith({ 'ca.pem': pem });
    const { exitCode, stderr } = await rtcOps(['probe', '127.0.0.1', '--ca', 'ca.pem'], { cwd });
    expect([exitCode, stderr]).toEqual([
      2,
      expect.stringContaining('the certificate in --ca ca.pem cannot be read'),
    ]);
  });
});

/** The command line of each child of a process, and its environment. */
function childrenOf(pid: number): { command: string; env: string }[] {
  const read = (path: string): string => {
    try {
      return readFileSync(`/proc/${path}`, 'latin1');
    } catch (error) {
      // It has ended.
      if (error instanceof Error && 'code' in error) return '';
      throw error;
    }
  };
  return read(`${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '')
    .map((child) => ({ command: read(`${child}/cmdline`), env: read(`${child}/environ`) }));
}

it('the processes that a probe starts do not have its secrets in their environment', async () => {
  const port = await udpListener(() => null);
  const args = ['bin/rtc-ops.js', 'probe', `turn:localhost:${port}`, '--timeout', '500ms', '--quiet'];
  const env = { ...process.env, RTC_OPS_SECRET: 'the-secret-of-all', LOCALDOMAIN: 'kept.example' };
  const probing = spawn(process.execPath, args, { env, stdio: 'ignore' });
  onTestFinished(() => void probing.kill('SIGKILL'));
  const seen = new Map<string, string>();
  while (probing.exitCode === null) {
    for (const child of childrenOf(probing.pid ?? 0)) {
      const worker = /(\w+)-worker/.exec(child.command)?.[1];
      if (worker !== undefined && child.env !== '') seen.set(worker, child.env);
    }
    await sleep(2);
  }
  expect([...seen.keys()].toSorted()).toEqual(['gathering', 'lookup']);
  for (const variables of seen.values()) {
    expect(variables).toContain('LOCALDOMAIN=kept.example');
    expect(variables).not.toContain('RTC_OPS_');
  }
});

it('--control adds to what was given before', async () => {
  const [first, second] = [await udpListener(() => null), await udpListener(() => null)];
  const { report } = await rtcOpsReport([
    'probe',
    `stun:127.0.0.1:${await unusedPort()}`,
    ...[first, second].flatMap((port) => ['--control', `stun:127.0.0.1:${port}`]),
    '--timeout',
    '300ms',
  ]);
  expect(report.observations.controls.map(({ target }) => target.port)).toEqual([first, second]);
});

it('--help writes defaults as one would type them', async () => {
  const { stdout } = await rtcOps(['probe', '--help']);
  expect(stdout).toContain('(default: 3s)');
  expect(stdout).toContain('(default: 5s)');
  expect(stdout).not.toMatch(/default: \d{4}/);
});

describe('--nat', () => {
  it.each([
    [['turn:127.0.0.1:9?transport=tcp', '--nat'], /--nat needs a UDP listener/],
    [['127.0.0.1', '--nat-lifetime', '30s', '--transport', 'tcp,tls'], /--nat needs a UDP listener/],
    [['127.0.0.1', '--nat-lifetime', '11m'], /--nat-lifetime.*5s to 10m/s],
    [['127.0.0.1', '--nat-lifetime', '4s'], /--nat-lifetime.*5s to 10m/s],
  ])('%j is refused before the first packet', async (args, message) => {
    const { exitCode, stderr } = await rtcOps(['probe', ...args]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringMatching(message) });
  });

  it('says of a server on this machine that it sees no NAT, not that there is none', async () => {
    const { main } = await discoveryServer();
    const url = `stun:127.0.0.1:${main.port}`;
    const { report, exitCode } = await rtcOpsReport(['probe', url, '--nat']);
    expect({ verdict: report.verdict, exitCode }).toEqual({ verdict: 'healthy', exitCode: 0 });
    expect(report.nat).toMatchObject([{ family: 4, present: null, mapping: null, filtering: null }]);
    expect(report.checks.filter(({ id }) => id.startsWith('nat-')).map(({ status }) => status)).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
    expect(report.observations.nat).toHaveLength(1);
  });
});
