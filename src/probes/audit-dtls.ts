import { randomBytes } from 'node:crypto';
import type { DtlsFacts, DtlsOffer } from '../model/audit.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import { askByDatagram } from '../net/datagrams.ts';
import { openUdp } from '../net/udp.ts';
import { dtlsAnswer, dtlsClientHello, dtlsVersion, type DtlsVersionNumber } from '../net/dtls-hello.ts';

interface AskOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

const versions = { 'DTLS 1.2': dtlsVersion.dtls12, 'DTLS 1.0': dtlsVersion.dtls10 } as const;

// A server that is there answers within a round trip; most ports have none, and are not waited for long.
const longestMs = 900;

/**
 * Whether something on a UDP port answers a ClientHello of DTLS (RFC 7350: TURN over it), in which versions, and how much
 * it sends to whom it has not seen yet. No handshake is finished.
 * @throws AttemptError when this machine has no way there; the reason of `signal` when aborted
 */
export async function askDtls(remote: Endpoint, options: AskOptions): Promise<DtlsFacts> {
  const offers: DtlsOffer[] = [];
  for (const [name, version] of Object.entries(versions)) {
    const offer = await offered(remote, version, options);
    offers.push({ version: name as keyof typeof versions, ...offer });
    // A port that says nothing to the one says nothing to the other.
    if (offer.answer === 'silent' || offer.answer === 'closed') break;
  }
  return { port: remote.port, offers };
}

async function offered(
  remote: Endpoint,
  version: DtlsVersionNumber,
  options: AskOptions,
): Promise<Omit<DtlsOffer, 'version'>> {
  const limits = { ...options, timeoutMs: Math.min(options.timeoutMs, longestMs) };
  const random = randomBytes(32);
  const hello = dtlsClientHello({ version, random, cookie: Buffer.alloc(0) });
  const requestBytes = hello.length;
  const transport = await openUdp({ remote, signal: options.signal });
  try {
    const { sent, answers } = await askByDatagram(transport, hello, limits);
    const answerBytes = Math.ceil(answers.reduce((sum, { length }) => sum + length, 0) / sent);
    const [first] = answers;
    if (first === undefined) return { answer: 'silent', requestBytes, answerBytes };
    const answer = dtlsAnswer(first);
    if (answer.kind !== 'cookie') return { answer: answerOf(answer, version), requestBytes, answerBytes };
    const second = dtlsClientHello({ version, random, cookie: answer.cookie });
    const [flight] = (await askByDatagram(transport, second, limits)).answers;
    // Who gives a cookie is there; whether it agrees to the version, it has not said.
    const said = flight === undefined ? 'refused' : answerOf(dtlsAnswer(flight), version);
    return { answer: said, requestBytes, answerBytes };
  } catch (error) {
    if (!(error instanceof AttemptError) || !isClosed(error)) throw error;
    return { answer: 'closed', requestBytes, answerBytes: 0 };
  } finally {
    transport.close();
  }
}

function isClosed({ failure }: AttemptError): boolean {
  return failure.kind === 'system' && failure.code === 'ECONNREFUSED';
}

function answerOf(answer: ReturnType<typeof dtlsAnswer>, version: number): DtlsOffer['answer'] {
  switch (answer.kind) {
    case 'accepted':
      return answer.version === version ? 'accepted' : 'refused';
    case 'refused':
    case 'cookie':
      return 'refused';
    case 'not-dtls':
      return 'not-dtls';
    default:
      return answer satisfies never;
  }
}
