import type { PeerAnswer, PeerKind } from '../model/audit.ts';
import { familyOf, scopeOf, type Family } from '../model/endpoint.ts';
import { AttemptError, describeFailure } from '../model/failure.ts';
import type { Allocation } from '../turn/allocation.ts';
import { wait } from './wait.ts';

interface Peer {
  readonly kind: PeerKind;
  readonly address: string;
  readonly embeds?: string;
}

/**
 * Addresses that stand for what a relay should refuse: both ends of each range, as a range is forgotten in part as easily
 * as in whole, and those of IPv4 in the forms that IPv6 has for them: mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1),
 * NAT64 (RFC 6052, RFC 8215) and 6to4 (RFC 3056).
 */
const peers: Readonly<Record<Family, readonly Peer[]>> = {
  4: [
    ...ofKind('loopback', ['127.0.0.1', '127.255.255.254', '0.0.0.0']),
    ...ofKind('private', ['10.0.0.1', '10.255.255.254', '172.16.0.1', '172.31.255.254']),
    ...ofKind('private', ['192.168.0.1', '192.168.255.254', '100.64.0.1', '100.127.255.254']),
    ...ofKind('link-local', ['169.254.0.1', '169.254.255.254']),
    // Most clouds, Oracle, Alibaba.
    ...ofKind('metadata', ['169.254.169.254', '192.0.0.192', '100.100.100.200']),
    ...ofKind('multicast', ['224.0.0.1', '239.255.255.250', '255.255.255.255']),
  ],
  6: [
    ...ofKind('loopback', ['::1', '::']),
    ...ofKind('private', ['fc00::1', 'fd00::1', 'fdff:ffff:ffff:ffff::1', 'fec0::1']),
    ...ofKind('link-local', ['fe80::1', 'febf:ffff::1']),
    ...ofKind('metadata', ['fd00:ec2::254']),
    ...ofKind('multicast', ['ff02::1', 'ff0e::1']),
    ...forms('loopback', '127.0.0.1', [
      '::ffff:127.0.0.1',
      '::127.0.0.1',
      '64:ff9b::127.0.0.1',
      '2002:7f00:1::1',
    ]),
    ...forms('loopback', '0.0.0.0', ['::ffff:0.0.0.0']),
    ...forms('private', '10.0.0.1', [
      ...['::ffff:10.0.0.1', '::10.0.0.1', '64:ff9b::10.0.0.1', '64:ff9b:1::10.0.0.1', '2002:a00:1::1'],
    ]),
    ...forms('private', '172.16.0.1', ['::ffff:172.16.0.1', '::172.16.0.1', '64:ff9b::172.16.0.1']),
    ...forms('private', '192.168.0.1', ['::ffff:192.168.0.1', '::192.168.0.1', '64:ff9b::192.168.0.1']),
    ...forms('private', '100.64.0.1', ['::ffff:100.64.0.1', '64:ff9b::100.64.0.1']),
    ...forms('metadata', '169.254.169.254', [
      ...['::ffff:169.254.169.254', '::169.254.169.254', '64:ff9b::169.254.169.254', '2002:a9fe:a9fe::1'],
    ]),
    ...forms('multicast', '224.0.0.1', ['::ffff:224.0.0.1']),
  ],
};

function ofKind(kind: PeerKind, addresses: readonly string[]): Peer[] {
  return addresses.map((address) => ({ kind, address }));
}

function forms(kind: PeerKind, embeds: string, addresses: readonly string[]): Peer[] {
  return addresses.map((address) => ({ kind, address, embeds }));
}

// One after the other and not at once: an audit is to be no load, and its requests are to be seen in the log as such.
const spacingMs = 10;

/** Addresses that no relay has a reason to refuse, for where the client has none of its own. */
const publicPeers: Readonly<Record<Family, string>> = { 4: '8.8.8.8', 6: '2001:4860:4860::8888' };

type Asked = Pick<Allocation, 'permit' | 'mapped'>;

/**
 * Which of them the server allows as peers. A permission sends nothing to its peer (RFC 8656 §9), so asking is harmless.
 * Where the server stops to answer, what it said before stands. A public address is asked first and last: a server that
 * comes to refuse that one too has had enough of the questions.
 * @throws the reason of `signal` when aborted
 */
export async function askPeers(
  allocation: Asked,
  family: Family,
  signal: AbortSignal,
): Promise<PeerAnswer[]> {
  const control: Peer = { kind: 'public', address: publicPeer(allocation, family) };
  const answers: PeerAnswer[] = [];
  for (const { kind, address, embeds = null } of [control, ...peers[family], control]) {
    const answer = await answerFor(allocation, address);
    answers.push({ kind, address, embeds, ...answer });
    if (answer.unanswered !== null) break;
    await wait(spacingMs, signal);
  }
  return answers;
}

/** The client's own where it is one: what is the user's own bears no relation to anybody else. */
function publicPeer({ mapped }: Asked, family: Family): string {
  const own = mapped?.address;
  if (own !== undefined && familyOf(own) === family && scopeOf(own) === 'global') return own;
  return publicPeers[family];
}

async function answerFor(
  allocation: Asked,
  address: string,
): Promise<Pick<PeerAnswer, 'refusedWith' | 'unanswered'>> {
  try {
    await allocation.permit([address]);
    return { refusedWith: null, unanswered: null };
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    const { failure } = error;
    if (failure.kind === 'stun-error') return { refusedWith: failure.code, unanswered: null };
    return { refusedWith: null, unanswered: describeFailure(failure) };
  }
}
