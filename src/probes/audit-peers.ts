import type { PeerAnswer, PeerKind } from '../model/audit.ts';
import type { Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { Allocation } from '../turn/allocation.ts';
import { wait } from './wait.ts';

interface Peer {
  readonly kind: PeerKind;
  readonly address: string;
  readonly embeds?: string;
}

/**
 * Addresses that stand for what a relay should refuse: one of each range, the edges that servers forget, and those of
 * IPv4 in the forms that IPv6 has for them: mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), NAT64 (RFC 6052) and 6to4
 * (RFC 3056).
 */
const peers: Readonly<Record<Family, readonly Peer[]>> = {
  4: [
    { kind: 'loopback', address: '127.0.0.1' },
    { kind: 'loopback', address: '127.255.255.254' },
    { kind: 'loopback', address: '0.0.0.0' },
    { kind: 'private', address: '10.0.0.1' },
    { kind: 'private', address: '172.16.0.1' },
    { kind: 'private', address: '192.168.0.1' },
    { kind: 'private', address: '100.64.0.1' },
    { kind: 'link-local', address: '169.254.0.1' },
    { kind: 'metadata', address: '169.254.169.254' },
    { kind: 'multicast', address: '224.0.0.1' },
    { kind: 'multicast', address: '239.255.255.250' },
    { kind: 'multicast', address: '255.255.255.255' },
  ],
  6: [
    { kind: 'loopback', address: '::1' },
    { kind: 'loopback', address: '::' },
    { kind: 'private', address: 'fc00::1' },
    { kind: 'link-local', address: 'fe80::1' },
    { kind: 'metadata', address: 'fd00:ec2::254' },
    { kind: 'multicast', address: 'ff02::1' },
    { kind: 'loopback', address: '::ffff:127.0.0.1', embeds: '127.0.0.1' },
    { kind: 'loopback', address: '::127.0.0.1', embeds: '127.0.0.1' },
    { kind: 'loopback', address: '64:ff9b::127.0.0.1', embeds: '127.0.0.1' },
    { kind: 'loopback', address: '2002:7f00:1::1', embeds: '127.0.0.1' },
    { kind: 'private', address: '::ffff:10.0.0.1', embeds: '10.0.0.1' },
    { kind: 'private', address: '64:ff9b::10.0.0.1', embeds: '10.0.0.1' },
    { kind: 'private', address: '2002:a00:1::1', embeds: '10.0.0.1' },
    { kind: 'metadata', address: '::ffff:169.254.169.254', embeds: '169.254.169.254' },
    { kind: 'metadata', address: '64:ff9b::169.254.169.254', embeds: '169.254.169.254' },
    { kind: 'metadata', address: '2002:a9fe:a9fe::1', embeds: '169.254.169.254' },
  ],
};

// One after the other and not at once: an audit is to be no load, and its requests are to be seen in the log as such.
const spacingMs = 10;

/**
 * Which of them the server allows as peers. A permission sends nothing to its peer (RFC 8656 §9), so asking is harmless.
 * @throws AttemptError when the server stops to answer; the reason of `signal` when aborted
 */
export async function askPeers(
  allocation: Pick<Allocation, 'permit'>,
  family: Family,
  signal: AbortSignal,
): Promise<PeerAnswer[]> {
  const answers: PeerAnswer[] = [];
  for (const { kind, address, embeds = null } of peers[family]) {
    const refusedWith = await refusalOf(allocation, address);
    answers.push({ kind, address, embeds, refusedWith });
    await wait(spacingMs, signal);
  }
  return answers;
}

/** The error code of the refusal; null when a permission was granted. */
async function refusalOf(allocation: Pick<Allocation, 'permit'>, address: string): Promise<number | null> {
  try {
    await allocation.permit([address]);
    return null;
  } catch (error) {
    if (error instanceof AttemptError && error.failure.kind === 'stun-error') return error.failure.code;
    throw error;
  }
}
