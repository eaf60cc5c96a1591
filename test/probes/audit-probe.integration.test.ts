import { setMaxListeners } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { defaultVersion } from '../../src/coturn/versions.ts';
import { renderConfig } from '../../src/coturn/render.ts';
import { startCoturn } from '../../src/coturn/server.ts';
import { issueCredential } from '../../src/credentials/issue.ts';
import type { AuditReport } from '../../src/model/audit.ts';
import { Secret } from '../../src/model/secret.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';
import { audit } from '../../src/probes/audit-probe.ts';
import { judgeAudit } from '../../src/rules/audit.ts';
import { certificate } from '../support/certificates.ts';
import { claimPorts, type PortBlock } from '../support/ports.ts';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const { describe, it } = needs('coturn');

const secret = new Secret('7d1f0c5a9b3e4826af5d90c1b7e3f264');

type Transports = readonly ('udp' | 'tcp' | 'tls')[];

const all: Transports = ['udp', 'tcp', 'tls'];

interface Here {
  readonly ports: PortBlock;
  readonly udp: number;
  readonly tls: number;
  readonly files: { readonly cert: string; readonly key: string };
}

async function here(): Promise<Here> {
  const ports = await claimPorts();
  onTestFinished(async () => ports.release());
  const own = await certificate({ commonName: 'localhost', names: ['127.0.0.1'], keyType: 'rsa' });
  const directory = await directoryWith({ 'cert.pem': own.cert, 'key.pem': own.key });
  const files = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  return { ports, udp: ports.next(), tls: ports.next(), files };
}

/** Starts a coturn with this configuration, and audits all its listeners. */
async function audited(text: string, place: Here, transports = all): Promise<AuditReport> {
  const server = await startCoturn({ config: { text } });
  onTestFinished(async () => server.stop());
  return examined(place, transports);
}

async function examined({ udp, tls, files }: Here, transports = all): Promise<AuditReport> {
  const { signal } = new AbortController();
  // Twenty allocations at once wait under it.
  setMaxListeners(0, signal);
  const issued = (user: string) => issueCredential({ secret, user, ttlSeconds: 600, now: new Date() });
  const urls = {
    udp: `turn:127.0.0.1:${udp}`,
    tcp: `turn:127.0.0.1:${udp}?transport=tcp`,
    tls: `turns:127.0.0.1:${tls}`,
  };
  const facts = await audit({
    uris: transports.map((each) => parseTurnUri(urls[each])),
    credential: { source: 'given', ...issued('audit') },
    otherCredential: issued('audit-2'),
    ca: await readFile(files.cert, 'utf8'),
    env: process.env,
    now: () => new Date(),
    timeoutMs: 5000,
    signal,
  });
  return judgeAudit(facts, { failOn: 'error', now: new Date() });
}

/** A coturn on loopback with nothing but what it needs. */
function configOf({ ports, udp, tls, files }: Here): string[] {
  return [
    ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'no-cli'],
    ...[`listening-port=${udp}`, `tls-listening-port=${tls}`, `cert=${files.cert}`, `pkey=${files.key}`],
    ...[`min-port=${ports.relay.min}`, `max-port=${ports.relay.max}`],
    ...['use-auth-secret', `static-auth-secret=${secret.reveal()}`, 'realm=example.org'],
  ];
}

const statuses = ({ servers }: AuditReport): Record<string, string> =>
  Object.fromEntries(servers.flatMap(({ checks }) => checks.map(({ id, status }) => [id, status])));

describe('an audit', () => {
  it('finds what a coturn leaves open that was given nothing but a secret', async () => {
    const place = await here();
    const { ports, udp, tls, files } = place;
    const report = await audited(
      [
        ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'relay-ip=::1'],
        ...[`listening-port=${udp}`, `tls-listening-port=${tls}`, `cert=${files.cert}`, `pkey=${files.key}`],
        ...[`min-port=${ports.relay.min}`, `max-port=${ports.relay.max}`],
        ...['use-auth-secret', `static-auth-secret=${secret.reveal()}`, 'realm=example.org'],
        ...['allow-loopback-peers', 'no-cli', 'denied-peer-ip=10.0.0.0-10.255.255.255'],
      ].join('\n'),
      place,
    );
    expect(statuses(report)).toMatchObject({
      'anonymous-relay': 'passed',
      'loopback-peers': 'failed',
      'private-peers': 'failed',
      'metadata-peers': 'failed',
      'multicast-peers': 'failed',
      'mapped-peers': 'failed',
      'tcp-relay': 'failed',
      version: 'failed',
      quota: 'failed',
      'tls-certificate': 'passed',
      'tls-versions': 'passed',
      'tls-ciphers': 'failed',
      dtls: 'failed',
      'admin-surfaces': 'passed',
    });
    const bypass = report.findings.find(({ code }) => code === 'MAPPED_IPV6_BYPASS');
    expect(bypass?.evidence).toMatchObject({ denied: expect.arrayContaining(['10.0.0.1']) as unknown });
    expect(JSON.stringify(bypass?.evidence)).toContain('::ffff:10.0.0.1');
    // On the port for plain STUN as on the one for TLS.
    const dtls = report.findings.filter(({ code }) => code === 'DTLS_OFFERED');
    expect(dtls).toMatchObject([{ evidence: { ports: [udp, tls], versions: ['DTLS 1.2'] } }]);
    // OpenSSL has it in its default list, which coturn takes.
    expect(report.findings.map(({ code }) => code)).toContain('NO_FORWARD_SECRECY');
    expect(report.exitCode).toBe(1);
  });

  it('finds the ciphers that a coturn should not accept', async () => {
    const place = await here();
    const { ports, udp, tls, files } = place;
    const report = await audited(
      [
        ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'no-cli', 'dh1066'],
        ...[`listening-port=${udp}`, `tls-listening-port=${tls}`, `cert=${files.cert}`, `pkey=${files.key}`],
        ...[`min-port=${ports.relay.min}`, `max-port=${ports.relay.max}`],
        ...['use-auth-secret', `static-auth-secret=${secret.reveal()}`, 'realm=example.org'],
        'cipher-list=ALL:eNULL:@SECLEVEL=0',
      ].join('\n'),
      place,
    );
    const found = new Map(report.findings.map(({ code, evidence }) => [code, evidence]));
    expect(found.get('LEGACY_TLS')).toMatchObject({ versions: ['TLS 1.0', 'TLS 1.1'] });
    expect(found.get('WEAK_CIPHERS')).toMatchObject({
      weak: [
        expect.stringMatching(/^no encryption \(0x/),
        expect.stringMatching(/^no certificate \(0x/),
        'Diffie-Hellman of 1066 bits',
      ],
    });
  });

  it('finds nothing in what rtc-ops renders', async () => {
    const place = await here();
    const { ports, udp, tls, files } = place;
    const yaml = `
realm: example.org
auth: { secret: { env: S } }
listen: { addresses: ['127.0.0.1'], udp: ${udp}, tcp: ${udp}, tls: ${tls} }
relay: { addresses: ['127.0.0.1', '::1'], ports: ${ports.relay.min}-${ports.relay.max} }
tls: { cert: ${files.cert}, key: ${files.key} }
quotas: { userQuota: 10 }
`;
    const text = renderConfig(parseConfig(yaml, 'rtc-ops.yaml'), {
      version: defaultVersion,
      secrets: [secret],
    });
    const report = await audited(text, place);
    expect(report.findings).toEqual([]);
    const checks = report.servers.flatMap((server) => server.checks);
    expect(checks.filter(({ status }) => status !== 'passed')).toEqual([]);
  });

  it('says of an anonymous relay that it is one', async () => {
    const place = await here();
    const { ports, udp, tls, files } = place;
    const report = await audited(
      [
        ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'no-auth', 'no-cli'],
        ...[`listening-port=${udp}`, `tls-listening-port=${tls}`, `cert=${files.cert}`, `pkey=${files.key}`],
        ...[`min-port=${ports.relay.min}`, `max-port=${ports.relay.max}`],
      ].join('\n'),
      place,
    );
    expect(report.findings[0]).toMatchObject({ code: 'ANONYMOUS_RELAY', severity: 'error' });
    expect(report.findings[0]?.targets).toHaveLength(3);
  });

  it('prints fixes that close what it has found', async () => {
    const place = await here();
    const base = [...configOf(place), 'relay-ip=::1'];
    const server = await startCoturn({ config: { text: base.join('\n') } });
    const before = await examined(place);
    await server.stop();
    expect(before.findings.length).toBeGreaterThan(6);
    const lines = before.findings.flatMap(({ fix }) =>
      [...fix.matchAll(/^\/etc\/turnserver\.conf: {2}(.+)$/gm)].flatMap(([, line = '']) => line),
    );
    const after = await audited([...base, ...lines].join('\n'), place);
    expect(after.findings).toEqual([]);
    expect(after.exitCode).toBe(0);
  });

  const quotas = [
    { line: 'user-quota=3', status: 'passed', findings: [], note: '3 at once' },
    // A quota of all, and a relay without ports: one user keeps the others out.
    { line: 'total-quota=6', status: 'failed', findings: ['NO_QUOTAS'], note: '' },
    { line: 'max-port=@8', status: 'failed', findings: ['NO_QUOTAS'], note: '' },
  ];
  for (const { line, ...expected } of quotas) {
    it(`tells the quota of a user from that of all: ${line}`, async () => {
      const place = await here();
      const last = String(place.ports.relay.min + 7);
      const report = await audited([...configOf(place), line.replace('@8', last)].join('\n'), place, ['udp']);
      expect(report.servers[0]?.checks.find(({ id }) => id === 'quota')).toMatchObject(expected);
      const found = report.findings.find(({ code }) => code === 'NO_QUOTAS');
      expect(found?.severity ?? 'warning').toBe('warning');
    });
  }

  it('asks all of it where one user gets one allocation', async () => {
    const place = await here();
    const report = await audited([...configOf(place), 'relay-ip=::1', 'user-quota=1'].join('\n'), place, [
      'udp',
      'tcp',
    ]);
    expect(Object.values(statuses(report))).not.toContain('unknown');
  });

  it('follows no redirection to a server that nobody has named', async () => {
    const place = await here();
    const report = await audited([...configOf(place), 'alternate-server=127.0.0.1:9'].join('\n'), place, [
      'udp',
      'tcp',
    ]);
    const anonymous = report.servers[0]?.checks.find(({ id }) => id === 'anonymous-relay');
    expect(anonymous?.because).toContain('sends its clients to 127.0.0.1:9');
    expect(statuses(report)).toMatchObject({ 'loopback-peers': 'unknown', quota: 'unknown' });
    expect(JSON.stringify(report.servers)).not.toContain('ECONNREFUSED');
  });

  it('finds a web admin on the listeners, and leaves the server alive', async () => {
    const place = await here();
    // Such a coturn 4.6.1 crashes at a web request inside TLS.
    const text = [...configOf(place), 'web-admin', 'web-admin-listen-on-workers'].join('\n');
    const server = await startCoturn({ config: { text } });
    onTestFinished(async () => server.stop());
    const report = await examined(place, ['tls']);
    const [seen] = report.observations.servers;
    expect(seen?.listeners[0]?.web).toMatchObject({ value: { state: 'open', isCoturn: true } });
    const admin = report.servers[0]?.checks.find(({ id }) => id === 'admin-surfaces');
    expect(admin).toMatchObject({ status: 'unknown', because: expect.stringContaining('from the server') });
    expect(server.logText()).not.toMatch(/Segmentation/);
    expect(statuses(await examined(place, ['tls']))['anonymous-relay']).toBe('passed');
  });

  it('leaves no allocation behind', async () => {
    const place = await here();
    const { ports, udp, tls, files } = place;
    const text = [
      ...['listening-ip=127.0.0.1', 'relay-ip=127.0.0.1', 'no-cli'],
      ...[`listening-port=${udp}`, `tls-listening-port=${tls}`, `cert=${files.cert}`, `pkey=${files.key}`],
      ...[`min-port=${ports.relay.min}`, `max-port=${ports.relay.max}`],
      ...['use-auth-secret', `static-auth-secret=${secret.reveal()}`, 'realm=example.org', 'user-quota=8'],
    ].join('\n');
    const server = await startCoturn({ config: { text } });
    onTestFinished(async () => server.stop());
    const noteOf = ({ servers: [first] }: AuditReport) =>
      first?.checks.find(({ id }) => id === 'quota')?.note;
    const first = noteOf(await examined(place, ['udp', 'tcp']));
    expect(first).toMatch(/^[5-8] at once$/);
    await sleep(2000);
    expect(noteOf(await examined(place, ['udp', 'tcp']))).toBe(first);
  });
});
