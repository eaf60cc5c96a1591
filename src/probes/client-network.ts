import { request } from 'node:http';
import { execa } from 'execa';
import type { ClientNetworkFacts, WebAnswer } from '../model/client-network.ts';
import type { Endpoint } from '../model/endpoint.ts';
import { describeFailure, systemFailure } from '../model/failure.ts';
import type { Seen } from '../model/firewall-facts.ts';

export interface ClientNetworkOptions {
  /** Where a server stands, by the name that it is known by; null where nobody is to be asked, for that reason. */
  readonly web: { readonly host: string; readonly endpoint: Endpoint } | { readonly because: string };
  readonly signal: AbortSignal;
}

// A portal is one hop away.
const webTimeoutMs = 2000;

/** Whether something in this network stands between this machine and all others. Nothing on the internet is asked but the server itself. */
export async function probeClientNetwork({ web, signal }: ClientNetworkOptions): Promise<ClientNetworkFacts> {
  const [connectivity, answer] = await Promise.all([
    networkManager(signal),
    'because' in web
      ? { state: 'unknown' as const, because: web.because }
      : webAnswer(web.host, web.endpoint, signal),
  ]);
  signal.throwIfAborted();
  return { connectivity, web: answer };
}

/** What NetworkManager found out by itself before; nothing is asked anew. */
async function networkManager(signal: AbortSignal): Promise<Seen<string>> {
  const { code, exitCode, stdout } = await execa('nmcli', ['-g', 'CONNECTIVITY', 'general'], {
    reject: false,
    stdin: 'ignore',
    timeout: 2000,
    env: { LC_ALL: 'C' },
    cancelSignal: signal,
  });
  if (code === 'ENOENT') return { state: 'unknown', because: 'NetworkManager is not installed here' };
  const word = stdout.trim();
  if (exitCode !== 0 || word === '') return { state: 'unknown', because: 'NetworkManager does not run here' };
  return { state: 'seen', value: word };
}

/** Asks for the page of a server, in clear, and follows nothing: what a portal answers in its place (RFC 6585 §6). */
async function webAnswer(
  host: string,
  { address, port }: Endpoint,
  signal: AbortSignal,
): Promise<Seen<WebAnswer>> {
  return new Promise((resolve) => {
    const asking = request(
      { host: address, port, path: '/', headers: { host }, timeout: webTimeoutMs, signal, agent: false },
      (response) => {
        const { statusCode = 0, headers } = response;
        response.destroy();
        resolve({
          state: 'seen',
          value: { address, status: statusCode, location: headers.location ?? null },
        });
      },
    );
    asking.on('timeout', () => asking.destroy());
    asking.on('error', (error: NodeJS.ErrnoException) => {
      const seen =
        error.code === undefined || error.code === 'ECONNRESET'
          ? 'no answer'
          : describeFailure(systemFailure(error));
      resolve({ state: 'unknown', because: `TCP ${port} of ${address}: ${seen}` });
    });
    asking.end();
  });
}
