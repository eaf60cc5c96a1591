import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { startCoturn } from '../../src/coturn/server.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { Secret } from '../../src/model/secret.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { put, read, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { nonce, realm, username } from '../../src/stun/authentication-attributes.ts';
import { longTermKey } from '../../src/stun/integrity.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import { lifetime, requestedTransport } from '../../src/stun/relay-attributes.ts';
import { allocate } from '../../src/turn/allocation.ts';
import { certificate } from '../support/certificates.ts';
import { claimPorts } from '../support/ports.ts';
import { median, type Bench, type BenchRow } from './row.ts';

const user = 'bench';
const password = 'bench-password';
const serverRealm = 'bench';
const key = longTermKey(user, serverRealm, password);
// Ours has more code that the compiler has to warm up to; what is measured is the work.
const warmUps = 250;
const rounds = 250;

/**
 * `allocate()`, from no socket to the relay address, against the least that this takes on the same kind of socket: two
 * requests of our codec and a wait for two answers, with no timer, no matching and no check. Both take turns.
 */
export function allocateBench(transport: TransportKind): Bench {
  return () => withCoturn((endpoints) => measure(transport, endpoints[transport]));
}

async function measure(transport: TransportKind, endpoint: Endpoint): Promise<BenchRow> {
  const ours: number[] = [];
  const floor: number[] = [];
  for (let round = 0; round < warmUps + rounds; round++) {
    const [our, bare] = [await ourAllocate(transport, endpoint), await bareAllocate(transport, endpoint)];
    if (round < warmUps) continue;
    ours.push(our);
    floor.push(bare);
  }
  return {
    what: `allocate, ${transport}`,
    ours: median(ours),
    unit: 'ms',
    against: { name: 'two bare round trips', figure: median(floor) },
    limit: { atMost: 2 },
  };
}

async function ourAllocate(transport: TransportKind, endpoint: Endpoint): Promise<number> {
  const startedAt = performance.now();
  const allocation = await allocate({
    server: { transport, endpoint, verifyTls: false },
    credential: { username: user, password: new Secret(password) },
    timeoutMs: 5000,
    signal: new AbortController().signal,
  });
  const tookMs = performance.now() - startedAt;
  const failure = await allocation.release();
  if (failure) throw new Error(`not released: ${JSON.stringify(failure)}`);
  return tookMs;
}

async function bareAllocate(transport: TransportKind, endpoint: Endpoint): Promise<number> {
  const startedAt = performance.now();
  const { ask, close } =
    transport === 'udp' ? await bareUdp(endpoint) : await bareStream(transport, endpoint);
  const challenge = decodeMessage(await ask(encoded(method.allocate, [put(requestedTransport, 17)])));
  const nonceValue = read(challenge, nonce) ?? '';
  const answer = await ask(encoded(method.allocate, [put(requestedTransport, 17)], nonceValue));
  const tookMs = performance.now() - startedAt;
  const message = decodeMessage(answer);
  if (message.class !== 'success') {
    close();
    const code = read(message, errorCode)?.code;
    // coturn still holds an allocation of that port, freed less than a second ago: another port, and from the start.
    if (code === 437) return bareAllocate(transport, endpoint);
    throw new Error(`the bare Allocate was refused: ${code}`);
  }
  await ask(encoded(method.refresh, [put(lifetime, 0)], nonceValue));
  close();
  return tookMs;
}

function encoded(requestMethod: number, attributes: EncodableAttribute[], nonceValue?: string): Uint8Array {
  if (nonceValue === undefined) {
    return encodeMessage({ class: 'request', method: requestMethod, attributes, fingerprint: true });
  }
  const identity = [put(username, user), put(realm, serverRealm), put(nonce, nonceValue)];
  return encodeMessage({
    class: 'request',
    method: requestMethod,
    attributes: [...attributes, ...identity],
    integrity: { key },
    fingerprint: true,
  });
}

interface BareSocket {
  /** Sends, and gives the first thing that comes. On loopback an answer is one datagram or one chunk. */
  readonly ask: (bytes: Uint8Array) => Promise<Uint8Array>;
  readonly close: () => void;
}

async function bareUdp({ address, port }: Endpoint): Promise<BareSocket> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => socket.connect(port, address, resolve));
  return {
    ask: (bytes) =>
      new Promise((resolve) => {
        socket.once('message', resolve);
        socket.send(bytes);
      }),
    close: () => socket.close(),
  };
}

async function bareStream(transport: 'tcp' | 'tls', { address, port }: Endpoint): Promise<BareSocket> {
  let socket: Socket = connectTcp({ host: address, port, noDelay: true });
  await once(socket, 'connect');
  if (transport === 'tls') {
    socket = connectTls({ socket, rejectUnauthorized: false });
    await once(socket, 'secureConnect');
  }
  return {
    ask: (bytes) =>
      new Promise((resolve) => {
        socket.once('data', resolve);
        socket.write(bytes);
      }),
    close: () => socket.destroy(),
  };
}

/**
 * A coturn for the time of `work`, with the endpoint of each transport. It has all relay ports there are: it gives one back
 * a second after its allocation was freed.
 */
async function withCoturn<T>(work: (endpoints: Record<TransportKind, Endpoint>) => Promise<T>): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  const ports = await claimPorts();
  const own = await certificate({ commonName: 'bench', names: ['127.0.0.1'] });
  writeFileSync(join(directory, 'cert.pem'), own.cert);
  writeFileSync(join(directory, 'key.pem'), own.key);
  const [port, tlsPort] = [ports.next(), ports.next()];
  const text = `listening-ip=127.0.0.1
relay-ip=127.0.0.1
listening-port=${port}
tls-listening-port=${tlsPort}
cert=${join(directory, 'cert.pem')}
pkey=${join(directory, 'key.pem')}
lt-cred-mech
user=${user}:${password}
realm=${serverRealm}
no-cli`;
  const coturn = await startCoturn({ config: { text } });
  try {
    const endpoint = { address: '127.0.0.1', port };
    return await work({ udp: endpoint, tcp: endpoint, tls: { ...endpoint, port: tlsPort } });
  } finally {
    await coturn.stop();
    await ports.release();
    rmSync(directory, { recursive: true });
  }
}
