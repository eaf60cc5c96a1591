import type { Endpoint, Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import { openPeerSocket } from '../net/peer-socket.ts';
import { mappedAddress, xorMappedAddress } from '../stun/address-attributes.ts';
import { read, type EncodableAttribute } from '../stun/attribute.ts';
import { StunDecodeError } from '../stun/decode-error.ts';
import { decodeMessage, encodeMessage, looksLikeStun, method, type StunMessage } from '../stun/message.ts';
import { errorOf, reading } from '../turn/session.ts';

/** A UDP socket for Bindings to several endpoints, whose answers may come from anywhere (RFC 5780 §7.2). */
export interface BindingSocket {
  readonly port: number;
  send(bytes: Uint8Array, to: Endpoint): void;
  /** What is no answer to a Binding. */
  onOther: (bytes: Uint8Array, from: Endpoint) => void;
  /** Gets the answers to one request, until it is taken out again. */
  readonly receivers: Map<string, (answer: BindingAnswer) => void>;
  close(): void;
}

export interface BindingAnswer {
  readonly message: StunMessage;
  readonly from: Endpoint;
}

export interface BindingRequest {
  readonly to: Endpoint;
  readonly attributes?: readonly EncodableAttribute[];
  /** Where the answer is expected, when that is another socket (RESPONSE-PORT, RFC 5780 §7.5). */
  readonly receiver?: BindingSocket;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// Not the doubling RTO of RFC 8489 §6.2.1: silence is a result here, so that many transmissions have to fit into a
// deadline that is short. On a path with 20 % loss each way the nine of 1.8 s are lost once in 10,000.
const resendMs = 200;

/** @throws AttemptError when this machine has no address of that family */
export async function openBindingSocket(family: Family, signal: AbortSignal): Promise<BindingSocket> {
  const peer = await openPeerSocket(family, signal);
  const socket: BindingSocket = {
    port: peer.local.port,
    send: (bytes, to) => peer.send(bytes, to),
    onOther: () => {},
    receivers: new Map(),
    close: () => peer.close(),
  };
  peer.onBytes = (bytes, from) => {
    const message = responseIn(bytes);
    const receive = message && socket.receivers.get(keyOf(message.transactionId));
    if (message && receive) receive({ message, from });
    else socket.onOther(bytes, from);
  };
  return socket;
}

/** Null for anything else: a stranger's packet is no answer. */
function responseIn(bytes: Uint8Array): StunMessage | null {
  if (!looksLikeStun(bytes)) return null;
  try {
    const message = decodeMessage(bytes);
    return message.class === 'success' || message.class === 'error' ? message : null;
  } catch (error) {
    if (!(error instanceof StunDecodeError)) throw error;
    return null;
  }
}

/**
 * Sends a Binding request again and again until it is answered. It carries no FINGERPRINT, which servers of RFC 3489
 * do not know; those give back the magic cookie as a part of the transaction id.
 * @throws AttemptError `timeout`, or `stun-error` for an error response; the abort reason when aborted
 */
export async function ask(socket: BindingSocket, request: BindingRequest): Promise<BindingAnswer> {
  const { to, attributes = [], receiver = socket, timeoutMs, signal } = request;
  signal.throwIfAborted();
  const bytes = encodeMessage({ class: 'request', method: method.binding, attributes });
  const key = keyOf(bytes.subarray(8, 20));
  const sockets = new Set([socket, receiver]);
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  try {
    const answer = await new Promise<BindingAnswer>((resolve, reject) => {
      for (const each of sockets) each.receivers.set(key, resolve);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      const deadline = performance.now() + timeoutMs;
      let sent = 0;
      const next = (): void => {
        const leftMs = deadline - performance.now();
        if (leftMs < 1) {
          reject(new AttemptError({ kind: 'timeout', afterMs: timeoutMs, sent }));
          return;
        }
        // The last transmission, too, has time to be answered.
        if (sent === 0 || leftMs >= resendMs) {
          sent++;
          socket.send(bytes, to);
        }
        timer = setTimeout(next, Math.min(resendMs, leftMs));
      };
      next();
    });
    if (answer.message.class === 'success') return answer;
    throw new AttemptError({ kind: 'stun-error', ...reading(answer.message, errorOf) });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    for (const each of sockets) each.receivers.delete(key);
  }
}

/** @throws AttemptError `malformed` when the answer does not tell the mapped address */
export function mappedIn({ message }: BindingAnswer): Endpoint {
  const mapped = reading(
    message,
    (response) => read(response, xorMappedAddress) ?? read(response, mappedAddress),
  );
  if (mapped !== undefined) return mapped;
  const detail = 'the Binding success response has no XOR-MAPPED-ADDRESS';
  throw new AttemptError({ kind: 'malformed', detail, preview: 'incomplete' });
}

function keyOf(transactionId: Uint8Array): string {
  return Buffer.from(transactionId).toString('hex');
}
