import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import {
  changedAddress,
  mappedAddress,
  otherAddress,
  xorMappedAddress,
} from '../../src/stun/address-attributes.ts';
import { put, read, type EncodableAttribute } from '../../src/stun/attribute.ts';
import { changeRequest, responsePort } from '../../src/stun/discovery-attributes.ts';
import { errorCode } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, type StunMessage } from '../../src/stun/message.ts';

export interface DiscoveryOptions {
  /** RFC 3489: no XOR-MAPPED-ADDRESS, and CHANGED-ADDRESS instead of OTHER-ADDRESS. */
  readonly isOld?: boolean;
  /** What stands in OTHER-ADDRESS: the truth, nothing, or something else. */
  readonly names?: 'other' | 'nothing' | Endpoint;
  /** What becomes of CHANGE-REQUEST; `lost`: the answers from elsewhere do not arrive. */
  readonly change?: 'obeyed' | 'ignored' | 'refused' | 'lost';
  readonly responsePort?: 'obeyed' | 'refused';
  /** Answers to a RESPONSE-PORT get lost from then on: the binding of a NAT has ended. */
  readonly bindingMs?: number;
  /** The sockets beside the main one. */
  readonly alternates?: 'answer' | 'silent';
  /** The client as it is seen at one endpoint: a NAT, as far as a server can play one. */
  readonly seenAs?: (client: Endpoint, at: Endpoint) => Endpoint;
}

export interface DiscoveryRequest {
  readonly clientPort: number;
  readonly at: Endpoint;
  readonly changes: 'address and port' | 'port' | null;
  readonly responsePort: number | null;
}

export interface DiscoveryServer {
  readonly main: Endpoint;
  readonly other: Endpoint;
  /** In the order of arrival. */
  readonly requests: readonly DiscoveryRequest[];
}

/** A server of RFC 5780 on 127.0.0.1 and 127.0.0.2, with two ports at each, for one test. */
export async function discoveryServer(options: DiscoveryOptions = {}): Promise<DiscoveryServer> {
  const requests: DiscoveryRequest[] = [];
  const startedAt = performance.now();
  const { bindingMs = Infinity } = options;
  const first = await bound('127.0.0.1', 0);
  const second = await bound('127.0.0.1', 0);
  const [main, other] = [first.address().port, second.address().port];
  const sockets = [
    [first, await bound('127.0.0.2', main)],
    [second, await bound('127.0.0.2', other)],
  ] as const;
  sockets.forEach((pair, portIndex) =>
    pair.forEach((socket, addressIndex) => {
      const at = endpointOf(socket);
      const isMain = socket === first;
      socket.on('message', (bytes, client) => {
        const message = decodeMessage(bytes);
        const change = read(message, changeRequest);
        const port = read(message, responsePort) ?? null;
        const changes = change?.port === true ? (change.address ? 'address and port' : 'port') : null;
        requests.push({ clientPort: client.port, at, changes, responsePort: port });
        if (!isMain && options.alternates === 'silent') return;
        if (port !== null && performance.now() - startedAt > bindingMs) return;
        const refused =
          (changes !== null && options.change === 'refused') ||
          (port !== null && options.responsePort === 'refused');
        const obeyed = changes !== null && options.change !== 'ignored' && !refused;
        if (obeyed && options.change === 'lost') return;
        const from = obeyed
          ? sockets[1 - portIndex]?.[addressIndex ^ (changes === 'address and port' ? 1 : 0)]
          : socket;
        const answer = refused
          ? encoded(message, 'error', [put(errorCode, { code: 420, reason: '' })])
          : encoded(message, 'success', attributesFor(client, at, { ...endpointOf(sockets[1][1]) }, options));
        from?.send(answer, refused ? client.port : (port ?? client.port), client.address);
      });
    }),
  );
  return { main: endpointOf(first), other: endpointOf(sockets[1][1]), requests };
}

function attributesFor(
  client: Endpoint,
  at: Endpoint,
  truth: Endpoint,
  { isOld = false, names = 'other', seenAs = (seen) => seen }: DiscoveryOptions,
): EncodableAttribute[] {
  const mapped = seenAs({ address: client.address, port: client.port }, at);
  const other = names === 'other' ? truth : names;
  return [
    put(isOld ? mappedAddress : xorMappedAddress, mapped),
    ...(other === 'nothing' ? [] : [put(isOld ? changedAddress : otherAddress, other)]),
  ];
}

function encoded(
  { method, transactionId }: StunMessage,
  kind: 'success' | 'error',
  attributes: readonly EncodableAttribute[],
): Uint8Array {
  return encodeMessage({ class: kind, method, transactionId, attributes });
}

async function bound(address: string, port: number): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.bind(port, address);
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return socket;
}

function endpointOf(socket: Socket): Endpoint {
  const { address, port } = socket.address();
  return { address, port };
}
