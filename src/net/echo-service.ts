import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { familyOf, formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Secret } from '../model/secret.ts';
import { decodeEchoRequest, encodeEchoAnswer, reachedPort, type EchoRequest } from './echo-message.ts';
import { tokenBucket, type TokenBucket } from '../model/token-bucket.ts';

export interface EchoServiceOptions {
  readonly listen: Endpoint;
  readonly secret: Secret;
  /** Milliseconds by which the rate is counted, from any moment on; those of this process when absent. */
  readonly clock?: () => number;
}

export interface EchoCounts {
  readonly answered: number;
  /** Not signed by the secret, used before, or with a cookie that is not good. */
  readonly dropped: number;
  /** Signed, and beyond the rate. */
  readonly limited: number;
}

// A probe needs some ten requests a target. With --ports it asks twice for each of 40 ports a second, and where they are
// silent 40 times a second; through one relay address all of that comes from one source. This leaves room for two such.
const perSource = { burst: 400, perSecond: 200 };
const overall = { burst: 2000, perSecond: 1000 };
// Longer than the second that a probe repeats itself, on the slowest path.
const cookieLifeMs = 30_000;
// What is remembered of requests, to refuse them a second time and to tell of them: at the overall rate, a minute.
const mostRemembered = 60_000;
const mostSources = 10_000;

/**
 * The outside peer of a probe: answers signed requests and is silent to all else. Each request gets one answer at most,
 * which is shorter and goes to where it came from, or to another port there.
 */
export class EchoService {
  readonly local: Endpoint;
  readonly #socket: Socket;
  /** Where a knock or a reach is answered from: a port to which the other side has sent nothing. */
  readonly #other: Socket;
  readonly #secret: Secret;
  readonly #clock: () => number;
  readonly #cookieKey = randomBytes(32);
  readonly #heard = new Map<string, Endpoint>();
  readonly #sources = new Map<string, TokenBucket>();
  readonly #overall = tokenBucket(overall.burst, overall.perSecond);
  readonly #counts = { answered: 0, dropped: 0, limited: 0 };

  /** @throws AttemptError `system` when the address cannot be listened on */
  static async open({ listen, ...options }: EchoServiceOptions): Promise<EchoService> {
    const socket = await bound(listen);
    try {
      return new EchoService(socket, await bound({ address: listen.address, port: 0 }), options);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  private constructor(
    socket: Socket,
    other: Socket,
    { secret, clock = () => performance.now() }: Omit<EchoServiceOptions, 'listen'>,
  ) {
    const { address, port } = socket.address();
    this.local = { address, port };
    this.#socket = socket;
    this.#other = other;
    this.#secret = secret;
    this.#clock = clock;
    socket.on('message', (bytes, from) => this.#receive(bytes, from));
  }

  get counts(): EchoCounts {
    return { ...this.#counts };
  }

  close(): void {
    this.#socket.close();
    this.#other.close();
  }

  #receive(bytes: Buffer, { address, port }: RemoteInfo): void {
    // A port that no answer can be sent to: Node would throw.
    if (port === 0) {
      this.#counts.dropped++;
      return;
    }
    const from = { address: address.replace(/%.*$/, ''), port };
    const request = decodeEchoRequest(bytes, this.#secret);
    const nonce = request === null ? '' : Buffer.from(request.nonce).toString('latin1');
    const destination = request?.kind === 'reach' ? reachedPort(request.subject) : port;
    if (
      request === null ||
      destination === null ||
      this.#heard.has(nonce) ||
      !this.#isEntitled(request, from)
    ) {
      this.#counts.dropped++;
      return;
    }
    if (!this.#isWithinRate(from.address)) {
      this.#counts.limited++;
      return;
    }
    remember(this.#heard, nonce, from, mostRemembered);
    const subject = Buffer.from(request.subject).toString('latin1');
    const seenFrom = request.kind === 'ask' ? (this.#heard.get(subject) ?? null) : from;
    const answer = { kind: request.kind, nonce: request.nonce, cookie: this.#cookie(from), seenFrom };
    const socket = request.kind === 'knock' || request.kind === 'reach' ? this.#other : this.#socket;
    socket.send(encodeEchoAnswer(answer, this.#secret), destination, address, (error) => {
      // A send that fails shows as an answer that does not arrive; only what was sent may be called lost on its way.
      if (error !== null) this.#heard.delete(nonce);
    });
    this.#counts.answered++;
  }

  /** Anybody with the secret may say hello; for more, the answer to that must have arrived at the same address. */
  #isEntitled({ kind, cookie }: Required<EchoRequest>, from: Endpoint): boolean {
    if (kind === 'hello') return true;
    const time = Buffer.from(cookie).readDoubleBE(0);
    const ageMs = performance.now() - time;
    return (
      ageMs >= 0 && ageMs <= cookieLifeMs && timingSafeEqual(Buffer.from(cookie), this.#cookie(from, time))
    );
  }

  /** By our own clock, so that the clocks of two machines need not agree. */
  #cookie(from: Endpoint, time = performance.now()): Buffer {
    const cookie = Buffer.alloc(24);
    cookie.writeDoubleBE(time);
    const mac = createHmac('sha256', this.#cookieKey)
      .update(cookie.subarray(0, 8))
      .update(formatEndpoint(from))
      .digest();
    mac.copy(cookie, 8, 0, 16);
    return cookie;
  }

  #isWithinRate(address: string): boolean {
    const now = this.#clock();
    let source = this.#sources.get(address);
    if (source === undefined) {
      for (const [known, bucket] of this.#sources) if (bucket.isFull(now)) this.#sources.delete(known);
      source = tokenBucket(perSource.burst, perSource.perSecond);
      remember(this.#sources, address, source, mostSources);
    }
    return source.take(now) && this.#overall.take(now);
  }
}

/** Adds to a map that forgets its oldest beyond `most`. */
function remember<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > most && oldest !== undefined) map.delete(oldest);
}

async function bound({ address, port }: Endpoint): Promise<Socket> {
  const socket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(port, address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    socket.close();
    throw new AttemptError(systemFailure(error as NodeJS.ErrnoException));
  }
  // Errors of an unconnected socket are of one packet; the socket lives on.
  socket.on('error', () => {});
  return socket;
}
