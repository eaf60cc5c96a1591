import { sameAddress, type Endpoint } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { NatFacts, NatLifetimeFacts } from '../model/observations.ts';
import { put } from '../stun/attribute.ts';
import { responsePort } from '../stun/discovery-attributes.ts';
import { attempt, notTried } from './attempt.ts';
import { ask, mappedIn, type BindingSocket } from './binding-socket.ts';
import type { NatProbeContext } from './nat-context.ts';
import { wait } from './wait.ts';

// What NATs are set to: 30 s and 60 s are common, Linux has 30 s and 120 s, RFC 4787 §4.3 asks for two minutes.
const idleSeconds = [
  5, 10, 15, 20, 25, 29, 31, 40, 50, 59, 65, 90, 119, 125, 150, 179, 185, 240, 299, 305, 600,
];
// Each of them a few transmissions: one lost packet is no expired binding.
const answerMs = 1000;

/**
 * RFC 5780 §4.6, all idle times at once instead of a search: a binding for each, left alone, into which the server is
 * asked to send by RESPONSE-PORT. Ends after `longestMs`, or when the first binding is gone.
 */
export async function probeLifetime(
  longestMs: number,
  { server, open, request, clock, signal }: NatProbeContext,
): Promise<NatFacts['lifetime']> {
  const bound = async (): Promise<{ socket: BindingSocket; mapped: Endpoint }> => {
    const socket = await open();
    return { socket, mapped: mappedIn(await request(socket, server)) };
  };
  const seconds = idleSeconds.filter((each) => each * 1000 < longestMs);
  const idle = [0, ...seconds.map((each) => each * 1000), longestMs];
  const opened = await attempt(clock, async () => {
    const sender = await bound();
    const waiting = await Promise.all(idle.map(async (idleMs) => ({ idleMs, ...(await bound()) })));
    return { sender, waiting };
  });
  if (opened.state !== 'done') return notTried('the server did not answer every socket');
  const { sender, waiting } = opened.value;
  // The server sends the answer to the address that the request came from.
  if (waiting.some(({ mapped }) => !sameAddress(mapped.address, sender.mapped.address))) {
    return notTried('the NAT has several public addresses');
  }
  return attempt(clock, async (): Promise<NatLifetimeFacts> => {
    const startedAt = performance.now();
    let aliveMs: number | null = null;
    for (const { idleMs, socket, mapped } of waiting) {
      const leftMs = idleMs - (performance.now() - startedAt);
      if (leftMs > 0) await wait(leftMs, signal);
      const knock = { to: server, receiver: socket, attributes: [put(responsePort, mapped.port)] };
      try {
        await ask(sender.socket, { ...knock, timeoutMs: answerMs, signal });
        aliveMs = idleMs;
      } catch (error) {
        // The first one, of a fresh binding, is the control: without it the server does not do this.
        if (aliveMs === null || !(error instanceof AttemptError)) throw error;
        return { aliveMs, goneMs: idleMs };
      }
    }
    return { aliveMs: aliveMs ?? 0, goneMs: null };
  });
}
