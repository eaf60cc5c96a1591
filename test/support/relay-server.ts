import { createHmac } from 'node:crypto';
import { Secret } from '../../src/model/secret.ts';
import type { TransportKind } from '../../src/model/turn-uri.ts';
import type { TurnServer } from '../../src/turn/server.ts';
import type { TurnCredential } from '../../src/turn/session.ts';
import { loopbackServer, secret, type LoopbackServer } from './loopback-server.ts';

export interface RelayServer extends LoopbackServer {
  /** One of its listeners, as a TURN client wants it. */
  readonly listener: (transport: TransportKind) => TurnServer;
  readonly turnCredential: TurnCredential;
  /** The allocations that were made and neither freed nor expired, by coturn's log. */
  readonly heldAllocations: () => string[];
}

/** In `lines` for `relayServer`: a server that has no IPv4 at all. */
export const onlyIpv6: readonly string[] = [
  '-listening-ip=',
  '-relay-ip=',
  'listening-ip=::1',
  'relay-ip=::1',
];

/** A coturn on loopback for one test, with what a TURN client needs to use it. Lines as in `loopbackServer`. */
export async function relayServer(lines: readonly string[] = []): Promise<RelayServer> {
  // Without `verbose` coturn logs no sessions.
  const server = await loopbackServer([...lines, 'verbose']);
  const username = `${Math.floor(Date.now() / 1000) + 3600}:caller`;
  const address = lines.includes('listening-ip=::1') ? '::1' : '127.0.0.1';
  return {
    ...server,
    listener: (transport) => ({
      transport,
      endpoint: { address, port: transport === 'tls' ? server.tlsPort : server.port },
      verifyTls: false,
    }),
    turnCredential: {
      username,
      password: new Secret(createHmac('sha1', secret).update(username).digest('base64')),
    },
    heldAllocations: () => {
      const held = new Set<string>();
      let made = 0;
      for (const line of server.coturn.logText().split('\n')) {
        const [, session, event] = /session (\d+): (new,|refreshed,.* lifetime=0\b|delete:)/.exec(line) ?? [];
        if (session === undefined) continue;
        if (event === 'new,') {
          held.add(session);
          made++;
        } else held.delete(session);
      }
      if (made === 0) throw new Error('nothing was allocated, so nothing can be said about what is left');
      return [...held];
    },
  };
}

/** A credential that the server does not accept. */
export function wrongCredential({ username }: TurnCredential): TurnCredential {
  return { username, password: new Secret('not the password') };
}
