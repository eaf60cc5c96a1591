import { familyOf, type Family } from '../model/endpoint.ts';
import type { PeerDenial } from '../model/deployment.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import { allocate } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';

export interface PeerDenialOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  readonly family: Family;
  /** Addresses that nobody is to reach through the relay. */
  readonly peers: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The loopback, the metadata service of clouds, and private networks: what a relay that denies nothing gives away first. */
export const forbiddenPeers: Readonly<Record<Family, readonly string[]>> = {
  4: ['127.0.0.1', '10.0.0.1', '172.16.0.1', '192.168.0.1', '169.254.169.254'],
  6: ['::1', 'fc00::1', 'fe80::1', '::ffff:127.0.0.1'],
};

const releaseTimeoutMs = 1000;

/**
 * Asks for a permission for each peer, on one allocation. Nothing is sent to them. coturn answers 403 to a peer that it
 * denies.
 * @throws the reason of `signal` when aborted
 */
export async function probePeerDenial(options: PeerDenialOptions): Promise<PeerDenial[]> {
  const { family, peers, signal } = options;
  const asked = peers.filter((peer) => familyOf(peer) === family);
  try {
    const allocation = await allocate(options);
    try {
      const denials: PeerDenial[] = [];
      for (const peer of asked) denials.push(await denialOf(peer, async () => allocation.permit([peer])));
      return denials;
    } finally {
      await allocation.release(releaseTimeoutMs);
    }
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof AttemptError)) throw error;
    const because = describeFailure(error.failure);
    return asked.map((peer) => ({ peer, denied: null, because }));
  }
}

async function denialOf(peer: string, permit: () => Promise<void>): Promise<PeerDenial> {
  try {
    await permit();
    return { peer, denied: false, because: null };
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const { failure } = error;
    if (failure.kind === 'stun-error' && failure.code === 403) return { peer, denied: true, because: null };
    return { peer, denied: null, because: describeFailure(failure) };
  }
}
