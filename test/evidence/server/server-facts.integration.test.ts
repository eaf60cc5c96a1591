import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rename, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { lintServer } from '../../../src/coturn/lint/server.ts';
import { serverFacts } from '../../../src/evidence/server/server-facts.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { Daemon, ServerFacts } from '../../../src/model/server-facts.ts';
import { readEvidence } from '../../../src/probes/server/server-evidence.ts';
import { judgeServer } from '../../../src/rules/doctor/server.ts';
import { certificate } from '../../support/certificates.ts';
import { claimPorts, type PortBlock } from '../../support/ports.ts';
import { needs } from '../../support/requirements.ts';
import { directoryWith } from '../../support/temporary.ts';

const secret = 'Zx81kLmQp09aRtVb77cDeeFfgg';

/** A coturn in a directory of its own, whose turnserver.conf it has to find there. */
async function startedCoturn(
  directory: string,
  port: number,
  ...args: readonly string[]
): Promise<ChildProcess> {
  const child = spawn('turnserver', args, { cwd: directory, stdio: 'ignore' });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  for (;;) {
    const socket = connect(port, '127.0.0.1');
    const isUp = await Promise.race([
      once(socket, 'connect').then(() => true),
      new Promise<boolean>((resolve) => socket.once('error', () => resolve(false))),
    ]);
    socket.destroy();
    if (isUp) return child;
    await sleep(20);
  }
}

interface Place {
  readonly directory: string;
  readonly ports: PortBlock;
  readonly port: number;
  readonly tlsPort: number;
}

async function place(): Promise<Place> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const [port, tlsPort] = [ports.next(), ports.next()];
  const { cert, key } = await certificate({ commonName: 'localhost' });
  const directory = await directoryWith({ 'cert.pem': cert, 'key.pem': key });
  const config = `listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port=${port}
tls-listening-port=${tlsPort}
min-port=${ports.relay.min}
max-port=${ports.relay.max}
realm=example.org
use-auth-secret
static-auth-secret=${secret}
cert=${directory}/cert.pem
pkey=${directory}/key.pem
no-cli
verbose
new-log-timestamp
simple-log
log-file=${directory}/turn.log
pidfile=${directory}/turn.pid
`;
  await writeFile(join(directory, 'turnserver.conf'), config, { mode: 0o600 });
  return { directory, ports, port, tlsPort };
}

/** What is seen of this machine, where other tests may have processes too. */
async function looked(): Promise<{ facts: ServerFacts; findings: readonly Finding[]; text: string }> {
  const { signal } = new AbortController();
  const evidence = await readEvidence({ host: null, now: () => new Date(), signal });
  const facts = serverFacts(evidence);
  return { facts, findings: judgeServer(facts, lintServer(facts)).findings, text: JSON.stringify(evidence) };
}

function daemonOf({ daemons }: ServerFacts, pid: number | undefined): Daemon | undefined {
  return daemons.state === 'seen' ? daemons.value.find((each) => each.pid === pid) : undefined;
}

/** Those about one process, but that the machine has an /etc/turnserver.conf that it does not read. */
function codesAbout(findings: readonly Finding[], pid: number | undefined): string[] {
  const others = findings.filter(({ code }) => code !== 'CONFIG_OTHER_FILE');
  return others.flatMap(({ code, evidence }) =>
    ('pid' in evidence && evidence.pid === pid) || ('pids' in evidence && evidence.pids.includes(pid ?? 0))
      ? [code]
      : [],
  );
}

needs('coturn', 'openssl').describe('serverFacts, of a coturn that runs', () => {
  it('finds what the process really reads, serves and holds', async () => {
    const { directory, port, tlsPort } = await place();
    const { pid } = await startedCoturn(directory, port, '--max-bps=1000000');
    const { facts, findings, text } = await looked();
    const path = join(directory, 'turnserver.conf');
    const daemon = daemonOf(facts, pid);
    expect(daemon).toMatchObject({
      argv: ['turnserver', '--max-bps=1000000'],
      options: ['max-bps'],
      isInHostNetwork: true,
      isReplaced: false,
      configuration: { from: 'search', path, unread: null },
    });
    expect(Date.now() - Date.parse(daemon?.startedAt ?? '')).toBeLessThan(60_000);
    const { settings } = daemon ?? {};
    expect(settings).toMatchObject({ state: 'seen', value: { tlsPort, realm: 'example.org' } });
    const served = facts.served.find((each) => each.pid === pid);
    expect(served).toMatchObject({ endpoint: `127.0.0.1:${tlsPort}`, served: { state: 'seen' } });
    expect(codesAbout(findings, pid)).toEqual(['COMMAND_LINE_OPTIONS']);
    const log = facts.logs.find((each) => each.state === 'seen' && each.value.file.startsWith(directory));
    expect(log).toMatchObject({ state: 'seen', value: { versions: [expect.any(String)] } });
    // The script sends no key, and what is made of the configuration tells no secret.
    expect(text).not.toMatch(/BEGIN PRIVATE KEY-----\\n[^"]{200}/);
    expect(text).toContain(secret);
    expect(JSON.stringify([facts, findings])).not.toContain(secret);
  });

  it('tells a certificate that was renewed, and a configuration that was edited, from those in use', async () => {
    const { directory, port } = await place();
    const { pid } = await startedCoturn(directory, port);
    const renewed = await certificate({ commonName: 'localhost', validUntil: 60 });
    await writeFile(join(directory, 'new.pem'), renewed.cert);
    await rename(join(directory, 'new.pem'), join(directory, 'cert.pem'));
    const later = new Date(Date.now() + 10_000);
    await utimes(join(directory, 'turnserver.conf'), later, later);
    const { findings } = await looked();
    expect(codesAbout(findings, pid).toSorted()).toEqual([
      'CONFIG_CHANGED_SINCE_START',
      'TLS_CERT_NOT_RELOADED',
    ]);
  });

  it('finds two of them on one port', async () => {
    const { directory, port } = await place();
    const [one, two] = [await startedCoturn(directory, port), await startedCoturn(directory, port)];
    // The second needs no answer of its own to the first test of its port.
    await sleep(500);
    const { findings } = await looked();
    expect(codesAbout(findings, one.pid)).toEqual(['DAEMONS_SHARE_PORT']);
    expect(codesAbout(findings, two.pid)).toEqual(['DAEMONS_SHARE_PORT']);
  });
});
