import type { Socket } from 'node:net';
import { AttemptError, describeFailure, previewOf } from '../model/failure.ts';
import { tlsOffers, type TlsAnswer, type TlsOfferFacts, type TlsOfferId } from '../model/tls-offer.ts';
import { clientHello, serverFlight, tlsVersion, type TlsVersionNumber } from '../net/client-hello.ts';
import { connectTcp } from '../net/stream.ts';
import type { TurnServer } from '../turn/server.ts';

interface Offer {
  readonly version: TlsVersionNumber;
  readonly suites: readonly number[];
}

const dhe = [0x9e, 0x9f, 0xccaa, 0x33, 0x39, 0x67, 0x6b, 0x32, 0x38, 0x45, 0x88];
const rsa = [0x9c, 0x9d, 0x2f, 0x35, 0x3c, 0x3d, 0x41, 0x84];
const rc4 = [0x05, 0x04, 0xc011, 0xc007];
const tripleDes = [0x0a, 0x16, 0x13, 0x0d, 0x10, 0xc012, 0xc008, 0xc003, 0xc00d];
const cbc = [0xc009, 0xc00a, 0xc013, 0xc014, 0xc023, 0xc024, 0xc027, 0xc028];
const any = [...cbc, ...dhe, ...rsa, ...tripleDes, ...rc4];

/** Suites by their numbers in the IANA registry. */
const offers: Readonly<Record<TlsOfferId, Offer>> = {
  today: {
    version: tlsVersion.tls13,
    suites: [
      ...[0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9],
      ...[...cbc, ...dhe, ...rsa],
    ],
  },
  'ssl-3.0': { version: tlsVersion.ssl3, suites: any },
  'tls-1.0': { version: tlsVersion.tls10, suites: any },
  'tls-1.1': { version: tlsVersion.tls11, suites: any },
  null: { version: tlsVersion.tls12, suites: [0x01, 0x02, 0x3b, 0xc006, 0xc010, 0xc001, 0xc00b] },
  anonymous: {
    version: tlsVersion.tls12,
    suites: [0xa6, 0xa7, 0x34, 0x3a, 0x6c, 0x6d, 0x18, 0x1b, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019],
  },
  export: {
    version: tlsVersion.tls12,
    suites: [0x03, 0x06, 0x08, 0x0b, 0x0e, 0x11, 0x14, 0x17, 0x19, 0x62, 0x64],
  },
  des: { version: tlsVersion.tls12, suites: [0x09, 0x0c, 0x0f, 0x12, 0x15, 0x1a] },
  rc4: { version: tlsVersion.tls12, suites: rc4 },
  '3des': { version: tlsVersion.tls12, suites: tripleDes },
  'rsa-key-exchange': { version: tlsVersion.tls12, suites: rsa },
  dhe: { version: tlsVersion.tls12, suites: dhe },
};

const dheSuites: ReadonlySet<number> = new Set(dhe);

interface OfferOptions {
  readonly server: TurnServer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

// coturn says nothing to a ClientHello whose version it refuses.
const longestSilenceMs = 1000;
// A certificate chain of 16 KiB is a large one.
const mostBytes = 1 << 17;

/**
 * Offers each of them in a handshake of its own, which is not finished. `today` comes first and last: a listener that
 * stops to answer on the way refuses nothing.
 * @throws AttemptError when the port takes no connection at first; the reason of `signal` when aborted
 */
export async function offerTls(options: OfferOptions): Promise<TlsOfferFacts[]> {
  const made: TlsOfferFacts[] = [{ offer: 'today', answer: await offered('today', options) }];
  const others = (Object.keys(tlsOffers) as TlsOfferId[]).filter((offer) => offer !== 'today');
  for (const offer of [...others, 'today' as const]) {
    made.push({ offer, answer: await answerOrReason(offer, options) });
  }
  return made;
}

async function answerOrReason(offer: TlsOfferId, options: OfferOptions): Promise<TlsAnswer> {
  try {
    return await offered(offer, options);
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    return { kind: 'unclear', because: describeFailure(error.failure) };
  }
}

async function offered(offer: TlsOfferId, { server, timeoutMs, signal }: OfferOptions): Promise<TlsAnswer> {
  const { endpoint, servername = endpoint.address } = server;
  const socket = await connectTcp({ remote: endpoint, timeoutMs, signal });
  socket.write(clientHello({ ...offers[offer], servername }));
  const limitMs = offer === 'today' ? timeoutMs : Math.min(timeoutMs, longestSilenceMs);
  return answerOn(socket, offers[offer], limitMs, signal);
}

/** Closes the socket. */
async function answerOn(
  socket: Socket,
  { version, suites }: Offer,
  limitMs: number,
  signal: AbortSignal,
): Promise<TlsAnswer> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = (): void => {};
  let bytes = Buffer.alloc(0);
  try {
    return await new Promise<TlsAnswer>((resolve, reject) => {
      timer = setTimeout(() => resolve({ kind: 'silent' }), limitMs);
      onAbort = () => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      socket.on('data', (part: Buffer) => {
        bytes = Buffer.concat([bytes, part]);
        const flight = serverFlight(bytes, dheSuites);
        if (flight?.kind === 'not-tls' || (flight === null && bytes.length > mostBytes)) {
          resolve({ kind: 'unclear', because: `what came is no TLS: ${previewOf(bytes)}` });
        } else if (
          flight?.kind === 'accepted' &&
          (flight.version > version || !suites.includes(flight.suite))
        ) {
          resolve({ kind: 'unclear', because: 'it chose what was not offered' });
        } else if (flight !== null) resolve(flight);
      });
      // An end in the middle of a flight is a refusal as little as it is an answer.
      const onEnd = (): void =>
        resolve(
          bytes.length === 0
            ? { kind: 'closed' }
            : { kind: 'unclear', because: `the connection ended after ${bytes.length} bytes` },
        );
      socket.once('error', onEnd);
      socket.once('end', onEnd);
      socket.once('close', onEnd);
    });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    socket.on('error', () => {}).destroy();
  }
}
