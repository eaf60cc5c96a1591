import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createHmac } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { streamSource } from '../../src/evidence/byte-source.ts';
import { readServerLog } from '../../src/evidence/server-log.ts';
import { AttemptError } from '../../src/model/failure.ts';
import { Secret } from '../../src/model/secret.ts';
import type { Family } from '../../src/model/endpoint.ts';
import type { ServerLogFacts } from '../../src/model/server-log-facts.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { judgeServerLog as rules } from '../../src/rules/analysis/server-log.ts';
import { allocate, type Allocation } from '../../src/turn/allocation.ts';
import type { TurnCredential } from '../../src/turn/session.ts';
import { secret } from '../support/loopback-server.ts';
import { loggedByCoturn, ProvokedFindings } from '../support/provoked.ts';
import { relayServer, type RelayServer } from '../support/relay-server.ts';
import { needs } from '../support/requirements.ts';

const { signal } = new AbortController();
const provoked = new ProvokedFindings();
const judgeServerLog = provoked.watch(rules);

function credential(username: string, password?: string): TurnCredential {
  const right = createHmac('sha1', secret).update(username).digest('base64');
  return { username, password: new Secret(password ?? right) };
}

const inSeconds = (seconds: number, name = 'alice'): string =>
  `${Math.floor(Date.now() / 1000) + seconds}:${name}`;

interface Wanted {
  readonly transport?: TransportKind;
  readonly credential?: TurnCredential;
  readonly family?: Family;
}

async function allocated(server: RelayServer, wanted: Wanted = {}): Promise<Allocation> {
  return allocate({
    server: server.listener(wanted.transport ?? 'udp'),
    credential: wanted.credential ?? server.turnCredential,
    timeoutMs: 5000,
    signal,
    ...(wanted.family === undefined ? {} : { family: wanted.family }),
  });
}

async function refused(allocation: Promise<Allocation>): Promise<void> {
  await expect(allocation).rejects.toThrow(AttemptError);
}

/** Until coturn has written a line, as it does some time after the fact. */
async function logged(server: RelayServer, pattern: RegExp): Promise<ServerLogFacts> {
  for (let tries = 0; tries < 100 && !pattern.test(server.coturn.logText()); tries++) await sleep(100);
  expect(server.coturn.logText()).toMatch(pattern);
  const source = streamSource(Readable.from([Buffer.from(server.coturn.logText())]), 'x.log');
  return readServerLog(source, 'x.log', Date.now());
}

function codesOf(facts: ServerLogFacts): string[] {
  return judgeServerLog(facts)
    .findings.filter(({ severity }) => severity !== 'info')
    .map(({ code }) => code);
}

const withTime = ['new-log-timestamp'];

needs('coturn').describe('the log of a coturn that was used', () => {
  it('of a healthy call names nothing, and has each session with its life', { timeout: 30_000 }, async () => {
    const server = await relayServer(withTime);
    const peer = createSocket('udp4');
    onTestFinished(() => void peer.close());
    await new Promise<void>((resolve) => void peer.bind(0, '127.0.0.1', resolve));
    peer.on('message', (bytes, from) => peer.send(bytes, from.port, from.address));
    const endpoint = { address: '127.0.0.1', port: peer.address().port };
    for (const transport of ['udp', 'tcp', 'tls'] as const) {
      const allocation = await allocated(server, { transport });
      await allocation.bindChannel(endpoint);
      for (let n = 0; n < 10; n++) allocation.send(endpoint, Buffer.alloc(100));
      await sleep(100);
      await allocation.release();
    }
    const facts = await logged(server, /TLS\/TCP connection closed[^]*udp|allocation timeout/);
    const whole = await logged(server, /(?:delete: [^]*){3}/);
    expect(codesOf(whole).filter((code) => code !== 'LOG_PEERS_PRIVATE')).toEqual([]);
    expect(facts.lines.foreign).toBe(0);
    expect(facts.clock).toEqual({ kind: 'absolute', uncertaintyMs: 0 });
    expect(
      Object.fromEntries(Object.entries(whole.sessions.groups).map(([name, { count }]) => [name, count])),
    ).toMatchObject({
      'both-ways': 3,
      released: 3,
    });
    expect(whole.sessions).toMatchObject({
      allocated: 3,
      allocatedOverTls: 1,
      bytesToPeers: 3000,
      bytesFromPeers: 3000,
    });
    expect(
      whole.sessions.last
        .filter(({ peerUsage }) => peerUsage !== null)
        .map(({ peers, user }) => [peers, user]),
    ).toEqual(
      Array.from({ length: 3 }, () => [[`127.0.0.1:${endpoint.port}`], server.turnCredential.username]),
    );
  });

  it('tells expired, wrong and malformed credentials apart', { timeout: 30_000 }, async () => {
    const server = await relayServer(withTime);
    const given = [
      credential(inSeconds(-600, 'late')),
      credential(inSeconds(600, 'wrong'), 'x'),
      credential(`${Date.now() + 600_000}:millis`),
      credential('static', 'x'),
    ];
    for (const each of given) await refused(allocated(server, { credential: each }));
    const facts = await logged(server, /user <static>: .*401/);
    const { findings } = judgeServerLog(facts);
    expect(
      findings.map(({ code, severity, evidence }) => [code, severity, 'who' in evidence && evidence.who[0]]),
    ).toEqual([
      ['LOG_CREDENTIALS_EXPIRED', 'error', given[0]?.username],
      ['LOG_CREDENTIALS_MALFORMED', 'error', given[2]?.username],
      ['LOG_CREDENTIALS_WRONG', 'error', given[1]?.username],
      ['LOG_USERS_UNKNOWN', 'error', 'static'],
    ]);
  });

  it(
    'tells a wrong password of a static user from a user that is not there',
    { timeout: 30_000 },
    async () => {
      const server = await relayServer([
        ...withTime,
        '-use-auth-secret',
        '-static-auth-secret',
        'lt-cred-mech',
        'user=alice:right',
      ]);
      await refused(allocated(server, { credential: credential('alice', 'wrong') }));
      await refused(allocated(server, { credential: credential('bob', 'x') }));
      expect(codesOf(await logged(server, /user <bob>: .*401/))).toEqual([
        'LOG_CREDENTIALS_WRONG',
        'LOG_USERS_UNKNOWN',
      ]);
    },
  );

  it.for<[string, string[], Wanted, number, RegExp]>([
    ['LOG_QUOTA_REACHED', ['user-quota=1'], {}, 2, /error 486/],
    ['LOG_PORTS_EXHAUSTED', ['-max-port', 'max-port=@min'], {}, 3, /error 508/],
    ['LOG_ALLOCATIONS_REFUSED', ['no-udp-relay'], {}, 1, /error 442/],
    ['LOG_ALLOCATIONS_REFUSED', [], { family: 6 }, 1, /error 440/],
  ])('names %s with %j', { timeout: 30_000 }, async ([code, lines, wanted, count, pattern]) => {
    const server = await relayServer(lines);
    const held: Allocation[] = [];
    for (let n = 0; n < count; n++) {
      try {
        held.push(await allocated(server, wanted));
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }
    expect(codesOf(await logged(server, pattern))).toEqual([code]);
    for (const allocation of held) await allocation.release();
  });

  it('tells denied public peers from denied private ones', { timeout: 30_000 }, async () => {
    const server = await relayServer([
      'denied-peer-ip=10.0.0.0-10.255.255.255',
      'denied-peer-ip=203.0.113.0-203.0.113.255',
    ]);
    const allocation = await allocated(server);
    for (const peer of ['10.1.2.3', '203.0.113.4', '198.51.100.1']) {
      try {
        await allocation.permit([peer]);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
      }
    }
    const facts = await logged(server, /198\.51\.100\.1 lifetime/);
    await allocation.release();
    expect(judgeServerLog(facts).findings.map(({ code, severity }) => [code, severity])).toEqual([
      ['LOG_PEERS_DENIED', 'error'],
      ['LOG_PRIVATE_PEERS_DENIED', 'info'],
    ]);
    expect(facts.deniedPeers).toContainEqual({
      address: '10.1.2.3',
      range: '10.0.0.0-10.255.255.255',
      count: 1,
    });
  });

  it('names an allocation whose peer never answers', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    const silent = createSocket('udp4');
    onTestFinished(() => void silent.close());
    await new Promise<void>((resolve) => void silent.bind(0, '127.0.0.1', resolve));
    const peer = { address: '127.0.0.1', port: silent.address().port };
    const allocation = await allocated(server);
    await allocation.permit([peer.address]);
    for (let n = 0; n < 30; n++) allocation.send(peer, Buffer.alloc(100));
    await allocation.release();
    const facts = await logged(server, /allocation timeout[^]*delete/);
    expect(facts.sessions.groups['sent-only']).toMatchObject({ count: 1 });
    // The peer is on loopback, which explains the silence better than a firewall.
    expect(judgeServerLog(facts).findings.map(({ code, causedBy }) => [code, causedBy])).toEqual([
      ['LOG_PEERS_PRIVATE', null],
      ['LOG_PEERS_SILENT', 'LOG_PEERS_PRIVATE'],
    ]);
  });

  it('does not believe lines that a username brings along', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    const forged = '0: : session 000000000000000077: new, realm=<r>, username=<admin>, lifetime=600';
    await refused(allocated(server, { credential: credential(`x>\n${forged}`) }));
    const facts = await logged(server, /wrong username/);
    expect(server.coturn.logText()).toContain(`\n${forged}`);
    expect(facts.sessions.allocated).toBe(0);
    expect(facts.lines.unbelieved).toBe(1);
    expect(judgeServerLog(facts).findings).toMatchObject([{ code: 'LOG_LINES_FORGED', severity: 'info' }]);
  });

  it('names TLS handshakes that fail', { timeout: 30_000 }, async () => {
    const server = await relayServer();
    const args = ['s_client', '-connect', `127.0.0.1:${server.tlsPort}`, '-cipher', 'PSK'];
    // Fewer than three are clients that went away, which is a note.
    for (let count = 0; count < 3; count++)
      await new Promise((resolve) => execFile('openssl', args, resolve));
    const facts = await logged(server, /buffer operation error/);
    expect(codesOf(facts)).toEqual(['LOG_TLS_HANDSHAKES_FAILED']);
  });

  it('provokes each finding that the unit tests leave to it', () => {
    expect(provoked.missing(loggedByCoturn)).toEqual([]);
  });
});
