import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import { Secret } from '../../src/model/secret.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import { xorMappedAddress, xorRelayedAddress } from '../../src/stun/address-attributes.ts';
import { firstAttribute, put, read, sealType, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { nonce, realm } from '../../src/stun/authentication-attributes.ts';
import { StunDecodeError } from '../../src/stun/decode-error.ts';
import { StreamFramer } from '../../src/stun/framing.ts';
import { longTermKey } from '../../src/stun/integrity.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import {
  decodeMessage,
  encodeMessage,
  looksLikeStun,
  method,
  type StunMessage,
} from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import type { TurnServer } from '../../src/turn/server.ts';
import type { TurnCredential } from '../../src/turn/session.ts';
import { certificate } from './certificates.ts';

export const turnCredential: TurnCredential = { username: 'alice', password: new Secret('open sesame') };
export const serverRealm = 'example.org';
export const serverKey = longTermKey('alice', serverRealm, 'open sesame');
export const relayed: Endpoint = { address: '192.0.2.15', port: 50_000 };
export const mapped: Endpoint = { address: '192.0.2.33', port: 40_000 };

/** A request as the server got it, with ways to answer, or not. */
export interface ReceivedRequest {
  readonly message: StunMessage;
  readonly isSigned: boolean;
  /** By `performance.now()`. */
  readonly atMs: number;
  /** The client's port: another connection has another one. */
  readonly clientPort: number;
  /** Sends any bytes to the client. */
  readonly send: (bytes: Uint8Array) => void;
  /** Sends a response: a success signed with the key of `turnCredential`, an error unsigned, unless `seal` says more. */
  readonly succeed: (attributes?: readonly EncodableAttribute[], seal?: Seal) => void;
  readonly refuse: (code: number, attributes?: readonly EncodableAttribute[], seal?: Seal) => void;
  /** What a TURN server does: 401 for an unsigned request, success for any other. */
  readonly serve: () => void;
}

export interface Seal {
  /** Null: not signed. */
  readonly key?: Uint8Array | null;
  readonly algorithm?: 'sha1' | 'sha256';
  readonly fingerprint?: boolean;
}

export interface ScriptedServer {
  readonly server: TurnServer;
  readonly requests: readonly ReceivedRequest[];
  /** Indications and ChannelData of clients. */
  readonly others: readonly Uint8Array[];
  /** Sends to the client that was heard last. */
  readonly send: (bytes: Uint8Array) => void;
  /** Waits until so many requests have come. */
  readonly untilRequests: (count: number) => Promise<void>;
  /** The connections that are open, of TCP and TLS. */
  readonly openConnections: () => number;
  readonly closeConnections: () => void;
}

/**
 * A STUN or TURN server on 127.0.0.1 for one test, over real sockets: `script` gets each request in the order of arrival,
 * counted from 0, and does with it what it likes.
 */
export async function scriptedServer(
  transport: TransportKind,
  script: (request: ReceivedRequest, index: number) => void = (request) => request.serve(),
): Promise<ScriptedServer> {
  const requests: ReceivedRequest[] = [];
  const others: Uint8Array[] = [];
  const waiting: { readonly count: number; readonly done: () => void }[] = [];
  let send = (_bytes: Uint8Array): void => {
    throw new Error('no client yet');
  };
  const receive: Receive = (bytes, clientPort, sendBack) => {
    send = sendBack;
    const message = looksLikeStun(bytes) ? decodeMessage(bytes) : null;
    if (message?.class !== 'request') {
      others.push(bytes);
      return;
    }
    const request = receivedRequest(message, clientPort, sendBack);
    requests.push(request);
    script(request, requests.length - 1);
    for (const { count, done } of waiting) if (requests.length >= count) done();
  };
  const sockets = new Set<Socket>();
  const port =
    transport === 'udp' ? await listenUdp(receive) : await listenStream(transport, sockets, receive);
  return {
    server: { transport, endpoint: { address: '127.0.0.1', port }, verifyTls: false },
    requests,
    others,
    send: (bytes) => send(bytes),
    untilRequests: (count) =>
      new Promise((done) => {
        if (requests.length >= count) done();
        else waiting.push({ count, done });
      }),
    openConnections: () => sockets.size,
    closeConnections: () => {
      for (const socket of sockets) socket.end();
    },
  };
}

type Receive = (bytes: Uint8Array, clientPort: number, sendBack: (bytes: Uint8Array) => void) => void;

async function listenUdp(receive: Receive): Promise<number> {
  const socket = createSocket('udp4');
  let open = true;
  socket.on('message', (bytes, { address, port }) =>
    receive(bytes, port, (reply) => {
      if (open) socket.send(reply, port, address);
    }),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => {
    open = false;
    socket.close();
  });
  return socket.address().port;
}

async function listenStream(kind: 'tcp' | 'tls', sockets: Set<Socket>, receive: Receive): Promise<number> {
  const accept = (socket: Socket): void => {
    sockets.add(socket);
    const framer = new StreamFramer();
    socket.on('data', (chunk) => {
      try {
        for (const frame of framer.push(chunk)) {
          receive(frame, socket.remotePort ?? 0, (reply) => void socket.write(reply));
        }
      } catch (error) {
        // A TURN server ends what speaks something else.
        if (!(error instanceof StunDecodeError)) throw error;
        socket.destroy();
      }
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const server =
    kind === 'tcp'
      ? createServer(accept)
      : createTlsServer(await certificate({ commonName: 'scripted', names: ['127.0.0.1'] }), accept);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function receivedRequest(
  message: StunMessage,
  clientPort: number,
  send: (bytes: Uint8Array) => void,
): ReceivedRequest {
  const isSigned = [sealType.messageIntegrity, sealType.messageIntegritySha256].some(
    (type) => firstAttribute(message, type) !== undefined,
  );
  const respond = (
    responseClass: 'success' | 'error',
    attributes: readonly EncodableAttribute[],
    { key, algorithm = 'sha1', fingerprint = false }: Seal,
  ): void => {
    const { method: requestMethod, transactionId } = message;
    const integrity = key ? { integrity: { key, algorithm } } : {};
    send(
      encodeMessage({
        class: responseClass,
        method: requestMethod,
        transactionId,
        attributes,
        fingerprint,
        ...integrity,
      }),
    );
  };
  const request: ReceivedRequest = {
    message,
    isSigned,
    atMs: performance.now(),
    clientPort,
    send,
    succeed: (attributes = [], seal = {}) => respond('success', attributes, { key: serverKey, ...seal }),
    refuse: (code, attributes = [], seal = {}) =>
      respond('error', [put(errorCode, { code, reason: '' }), ...attributes], seal),
    serve() {
      if (isSigned) request.succeed(granted(message));
      else request.refuse(401, challenge());
    },
  };
  return request;
}

/** The attributes of a 401. */
export function challenge(nonceValue = 'first-nonce'): EncodableAttribute[] {
  return [put(realm, serverRealm), put(nonce, nonceValue)];
}

/** What a TURN server says to a request that it grants. */
export function granted(request: StunMessage): EncodableAttribute[] {
  switch (request.method) {
    case method.allocate:
      return [put(xorRelayedAddress, relayed), put(xorMappedAddress, mapped), put(lifetime, 600)];
    case method.refresh:
      return [put(lifetime, read(request, lifetime) ?? 600)];
    case method.binding:
      return [put(xorMappedAddress, mapped)];
    default:
      return [];
  }
}
