import { execFileSync } from 'node:child_process';
import { chmod, symlink } from 'node:fs/promises';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { machineNetwork } from '../../../src/evidence/server/machine-network.ts';
import type { ServerEvidence } from '../../../src/model/server-evidence.ts';
import { fillTemplate, readTemplate } from '../../../src/model/template.ts';
import { evidenceFrames } from '../../../src/probes/server/evidence-frames.ts';
import { readEvidence } from '../../../src/probes/server/server-evidence.ts';
import { needs } from '../../support/requirements.ts';
import { directoryWith } from '../../support/temporary.ts';

const { signal } = new AbortController();
const now = (): Date => new Date('2026-11-21T12:00:00Z');

needs('coturn').describe('readEvidence', () => {
  it('finds what listens, by protocol, address and port, with the program', async () => {
    const tcp = createServer().listen(0, '127.0.0.1');
    const udp = createSocket('udp6').bind(0, '::1');
    const connected = createSocket('udp4');
    onTestFinished(() => {
      tcp.close();
      udp.close();
      connected.close();
    });
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')]);
    connected.connect(9, '127.0.0.1');
    await once(connected, 'connect');
    const { sockets: seen } = machineNetwork(
      await readEvidence({ host: null, only: 'network', now, signal }),
    );
    const sockets = seen.state === 'seen' ? seen.value : [];
    const { port } = tcp.address() as AddressInfo;
    const own = { program: expect.any(String) as unknown, pid: process.pid };
    expect(sockets).toContainEqual({ protocol: 'tcp', address: '127.0.0.1', port, ...own });
    expect(sockets).toContainEqual({
      protocol: 'udp',
      address: '::1',
      port: udp.address().port,
      ...own,
    });
    expect(sockets.map((each) => each.port)).not.toContain(connected.address().port);
  });

  it('tells when it asked, and when the clock of the server was read', async () => {
    const { server, takenAt, firstClockMs, lastClockMs } = await readEvidence({
      host: null,
      only: 'network',
      now,
      signal,
    });
    expect({ server, takenAt }).toEqual({ server: 'this machine', takenAt: '2026-11-21T12:00:00.000Z' });
    expect(firstClockMs).toBeGreaterThan(0);
    expect(lastClockMs).toBeGreaterThanOrEqual(firstClockMs);
  });

  it('passes on what ssh says where it does not get there', async () => {
    const question = { host: 'nobody@192.0.2.1', now, signal, sshOptions: ['-o', 'ProxyCommand=false'] };
    await expect(readEvidence(question)).rejects.toMatchObject({
      code: 'tool-failed',
      message: expect.stringMatching(/^ssh does not get to nobody@192\.0\.2\.1: ./) as unknown,
    });
  });
});

/** What the script prints where only these programs are there. */
async function withPrograms(
  names: readonly string[],
  timeoutMs = 20_000,
): Promise<ServerEvidence['sections']> {
  const folder = await directoryWith({});
  for (const name of names) {
    const path = execFileSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim();
    await symlink(path, join(folder, name));
  }
  const script = fillTemplate(readTemplate('server-evidence.sh'), { boundary: 'B', hours: '1', parts: 'all' })
    // Else the real ones are found after all.
    .replace(/^PATH=.*$/m, `PATH='${folder}'`);
  const output = execFileSync('/bin/sh', ['-s'], { input: script, timeout: timeoutMs, maxBuffer: 1e8 });
  return evidenceFrames(output, 'B').sections;
}

needs('lab').describe('the script', () => {
  it('takes processes that it may not see for no processes that are not there', () => {
    const values = { boundary: 'B', hours: '1', parts: 'all' };
    const script = fillTemplate(readTemplate('server-evidence.sh'), values).replace(
      /^main <.*$/m,
      'about_processes </dev/null 2>/dev/null',
    );
    const user = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
    const looked = (hidden: string): string | undefined => {
      const mounted = `mount -t proc -o hidepid=${hidden} proc /proc && exec ${user} sh -s`;
      const output = execFileSync('unshare', ['--mount', 'sh', '-c', mounted], {
        input: script,
        timeout: 20_000,
      });
      return evidenceFrames(output, 'B').sections['processes']?.status;
    };
    expect(['0', '1', '2'].map(looked)).toEqual(['0', 'hidden', 'hidden']);
  });
});

needs('coturn').describe('the script', () => {
  const least = ['awk', 'cat', 'cut', 'date', 'grep', 'head', 'id', 'ls', 'readlink', 'sed', 'sleep', 'stat'];

  it('says of each thing that is not there that it is not there, and goes on', async () => {
    const sections = await withPrograms([...least, 'tail', 'tr', 'uname']);
    for (const name of ['nft-json', 'version', 'units', 'journal', 'addresses', 'virtualization'])
      expect(sections[name]?.status, name).toMatch(/^(?:127|absent)$/);
    expect(sections['clock-last']?.status).toBe('0');
    expect(sections['sockets tcp']?.status).toBe('0');
  });

  it('waits for no program, with timeout or without', async () => {
    const folder = await directoryWith({ nft: '#!/bin/sh\nexec sleep 60\n' });
    await chmod(join(folder, 'nft'), 0o755);
    for (const programs of [least, [...least, 'timeout']]) {
      const script = fillTemplate(readTemplate('server-evidence.sh'), {
        boundary: 'B',
        hours: '1',
        parts: 'network',
      }).replaceAll('limited 5 nft', 'limited 1 nft');
      const path = await directoryWith({});
      for (const name of programs) {
        const real = execFileSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).trim();
        await symlink(real, join(path, name));
      }
      const output = execFileSync('/bin/sh', ['-s'], {
        input: script.replace(/^PATH=.*$/m, `PATH='${path}:${folder}'`),
        timeout: 15_000,
      });
      expect(evidenceFrames(output, 'B').sections['nft-json']?.status).toBe('124');
    }
  });
});
