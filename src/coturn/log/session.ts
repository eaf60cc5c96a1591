import { formOf, judgeTime } from '../../model/credential-time.ts';
import { addressIn, scopeOf } from '../../model/endpoint.ts';
import type {
  LogRefusal,
  LogClock,
  LogSession,
  LogSessionError,
  LogSessionGroup,
  LogUsage,
} from '../../model/server-log-facts.ts';
import type { LogEvent } from './event.ts';

const mostPeers = 16;
const mostErrors = 16;
const longestName = 200;

const noUsage: LogUsage = { receivedPackets: 0, receivedBytes: 0, sentPackets: 0, sentBytes: 0 };

export interface EndOptions {
  /** Whether coturn ended before it. */
  readonly isStopped: boolean;
  readonly clock: LogClock;
}

/** A session while its lines come in. coturn gives the user, the realm and the peers with each line anew. */
export class OpenSession {
  readonly id: string;
  relay: string | null = null;
  #user = '';
  #realm = '';
  #client: string | null = null;
  #server: string | null = null;
  #transport: LogSession['transport'] = null;
  readonly #firstAtMs: number | null;
  #lastAtMs: number | null;
  #allocatedAtMs: number | null = null;
  #grantedAtMs: number | null = null;
  #isAllocated = false;
  #lifetimeS: number | null = null;
  #refreshes = 0;
  #hasAsked = false;
  #hasAllocated = false;
  #hasMoved = false;
  #isSigned = false;
  #permitted = 0;
  #denied = 0;
  #refusal: LogSession['refusal'] = null;
  #lastCode: { readonly isOfMessage: boolean; readonly code: number } | null = null;
  #hasEndedInStaleNonce = false;
  #clientUsage = noUsage;
  #peerUsage: LogUsage | null = null;
  #closed: string | null = null;
  readonly #peers = new Set<string>();
  readonly #errors = new Map<string, LogSessionError>();

  constructor(id: string, atMs: number | null) {
    this.id = id;
    this.#firstAtMs = atMs;
    this.#lastAtMs = atMs;
  }

  get isAllocated(): boolean {
    return this.#isAllocated;
  }

  /** Whether it asked for an allocation, with or without success. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  get user(): string {
    return this.#user;
  }

  /** Whether it has an allocation that was not freed, and has not run out either. */
  holdsAt(atMs: number | null): boolean {
    if (!this.#isAllocated || this.#lifetimeS === 0 || this.#closed !== null) return false;
    const [grantedAtMs, lifetimeS] = [this.#grantedAtMs, this.#lifetimeS];
    return (
      atMs === null || grantedAtMs === null || lifetimeS === null || atMs < grantedAtMs + lifetimeS * 1000
    );
  }

  /**
   * Whether a request of it was answered with 437 although it began in the middle: signed, with the nonce of another
   * session (438), and not with an Allocate or anything else that is challenged (401).
   */
  get isStray(): boolean {
    if (this.#hasAllocated || this.#lastCode?.code !== 437) return false;
    return ![...this.#errors.values()].some(({ code }) => code === 401);
  }

  /** Its client has an allocation, which coturn knows by another address or port. */
  moved(): void {
    this.#hasMoved = true;
  }

  take(event: LogEvent & { readonly session: string | null }, atMs: number | null): void {
    this.#lastAtMs = atMs ?? this.#lastAtMs;
    switch (event.kind) {
      case 'request':
        return this.#request(event);
      case 'allocation':
        return this.#allocation(event, atMs);
      case 'usage':
        // The counters begin anew with each line (turn_report_session_usage).
        if (event.of === 'client') this.#clientUsage = sum(this.#clientUsage, event.usage);
        else this.#peerUsage = sum(this.#peerUsage ?? noUsage, event.usage);
        return;
      case 'closed':
        this.#name(event.user, event.realm);
        this.#client = copied(event.client);
        this.#server = copied(event.server);
        this.#closed = copied(event.reason);
        this.#transport ??= transportNamed(event.reason);
        return;
      case 'peer':
        this.#permitted++;
        if (this.#peers.size < mostPeers && !this.#peers.has(event.peer)) this.#peers.add(copied(event.peer));
        return;
      case 'socket':
        this.#transport ??= transportNamed(event.transport);
        return;
      case 'denied':
        this.#denied++;
        return;
      case 'credentials':
        this.#isSigned = true;
        this.#hasAsked = true;
        this.#refusal = event.refusal;
        this.#name(event.user, '');
        return;
      default:
        return;
    }
  }

  /** Why its credentials were refused, where that is told apart from it. */
  refused(refusal: LogRefusal): void {
    this.#refusal = refusal;
  }

  #request({ user, realm, method, code }: LogEvent & { kind: 'request' }): void {
    this.#name(user, realm);
    if (user !== '') this.#isSigned = true;
    if (method === 'ALLOCATE') this.#hasAllocated = true;
    if (code === null) {
      if (method === 'ALLOCATE') this.#hasAsked = true;
      this.#lastCode = null;
      this.#hasEndedInStaleNonce = false;
      return;
    }
    if (method === 'ALLOCATE' || code === 401) this.#hasAsked = true;
    // Each refusal of a method is told twice: by its name, and as that of a message.
    const isRepeated = method === 'message' && this.#lastCode?.code === code && !this.#lastCode.isOfMessage;
    this.#lastCode = { isOfMessage: method === 'message', code };
    this.#hasEndedInStaleNonce = code === 438;
    if (isRepeated) return;
    const key = `${method} ${code}`;
    const known = this.#errors.get(key);
    if (known !== undefined || this.#errors.size < mostErrors) {
      this.#errors.set(key, {
        method: known?.method ?? copied(method),
        code,
        count: (known?.count ?? 0) + 1,
      });
    }
  }

  #allocation(
    { state, user, realm, lifetimeS, isTls }: LogEvent & { kind: 'allocation' },
    atMs: number | null,
  ): void {
    this.#name(user, realm);
    this.#hasAsked = true;
    this.#isAllocated = true;
    this.#hasAllocated = true;
    this.#lifetimeS = lifetimeS;
    this.#grantedAtMs = atMs;
    if (state === 'new' || state === 'replaced') this.#allocatedAtMs ??= atMs;
    else this.#refreshes++;
    if (isTls) this.#transport ??= 'tls';
  }

  #name(user: string, realm: string): void {
    // What was kept of a line of a stream would keep the whole chunk, unless it is copied.
    if (user !== '' && user !== this.#user) this.#user = copied(user);
    if (realm !== '' && realm !== this.#realm) this.#realm = copied(realm);
  }

  /** What it was, and in which groups it belongs. */
  record({ isStopped, clock }: EndOptions): {
    readonly session: LogSession;
    readonly groups: readonly LogSessionGroup[];
  } {
    const session: LogSession = {
      id: this.id,
      user: this.#user,
      realm: this.#realm,
      client: this.#client,
      server: this.#server,
      transport: this.#transport,
      relay: this.relay,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      allocatedAtMs: this.#allocatedAtMs,
      lifetimeS: this.#lifetimeS,
      refreshes: this.#refreshes,
      peers: [...this.#peers],
      errors: [...this.#errors.values()],
      refusal: this.#refusal,
      clientUsage: this.#clientUsage,
      peerUsage: this.#peerUsage,
      closed: this.#closed,
    };
    const groups = this.#isAllocated
      ? this.#groupsOfAllocation(session)
      : this.#groupsOfRefusal(session, clock);
    return { session, groups: isStopped && this.#isAllocated ? [...groups, 'server-stopped'] : groups };
  }

  #groupsOfRefusal(session: LogSession, clock: LogClock): LogSessionGroup[] {
    const { errors, clientUsage, closed, transport } = session;
    if (this.#hasMoved) return ['client-moved'];
    if (!this.#hasAsked) {
      if (closed === null) return [];
      if (closed === 'general' && transport === null && clientUsage.receivedPackets > 0) return ['not-stun'];
      const failed = /^(?:D?TLS\/TCP|TLS\/TCP|DTLS).*(?:operation error|error)/.test(closed);
      return failed && clientUsage.receivedPackets === 0 ? ['tls-failed'] : [];
    }
    const codes = new Set(errors.map(({ code }) => code));
    // The good end of a Refresh without an allocation (RFC 8656 §7.3), as a probe sends it: no allocation was asked for.
    const has437 = (method: string): boolean =>
      errors.some((each) => each.code === 437 && each.method === method);
    const isOnlyRefreshed = has437('REFRESH') && !has437('ALLOCATE');
    const refusals = [...codes].filter(
      (code) => code !== 401 && code !== 438 && code !== 300 && !(code === 437 && isOnlyRefreshed),
    );
    if (refusals.length > 0) return refusals.map(groupOfRefusal);
    if (isOnlyRefreshed) return [];
    if (this.#hasEndedInStaleNonce) return ['nonce-not-renewed'];
    if (!codes.has(401)) return [];
    // Where the log ends in between, the answer may come yet.
    if (!this.#isSigned) return closed === null ? [] : ['challenge-unanswered'];
    return ['credentials-refused', credentialGroup(session, clock)];
  }

  #groupsOfAllocation(session: LogSession): LogSessionGroup[] {
    const { errors, closed, lifetimeS, peers } = session;
    const has = (code: number, ...methods: readonly string[]): boolean =>
      errors.some((error) => error.code === code && (methods.length === 0 || methods.includes(error.method)));
    const groups: LogSessionGroup[] = [];
    if (this.#denied > 0 || has(403)) groups.push(this.#permitted > 0 ? 'peers-denied' : 'all-peers-denied');
    if (has(443)) groups.push('peer-family');
    // coturn 4.6 refuses it before it looks what it is, and calls it a message.
    if (has(437, 'ALLOCATE', 'message')) groups.push('port-reused');
    if (has(437, 'REFRESH')) groups.push('refresh-too-late');
    if (this.#hasEndedInStaleNonce) groups.push('nonce-not-renewed');
    if (peers.length > 0 && peers.length < mostPeers && peers.every(isUnroutable))
      groups.push('only-private-peers');
    const use = useOf(session);
    if (use !== null) groups.push(use);
    if (closed === null) return groups;
    // coturn lets an allocation that was freed time out a second later, with the same words.
    if (lifetimeS === 0) groups.push('released');
    else if (closed.startsWith('allocation timeout')) groups.push('expired');
    else groups.push('connection-lost');
    return groups;
  }
}

/** How an allocation was used; null where the version does not tell, or the session did not end. */
function useOf({ peerUsage }: LogSession): 'both-ways' | 'sent-only' | 'received-only' | 'no-data' | null {
  if (peerUsage === null) return null;
  if (peerUsage.sentPackets > 0) return peerUsage.receivedPackets > 0 ? 'both-ways' : 'sent-only';
  return peerUsage.receivedPackets > 0 ? 'received-only' : 'no-data';
}

/** Why credentials were refused, as far as the username and the time of the refusal tell. */
function credentialGroup(
  { user, refusal, lastAtMs }: LogSession,
  { kind, uncertaintyMs }: LogClock,
): LogSessionGroup {
  if (refusal === 'expired') return 'credentials-expired';
  if (formOf(user) === 'static')
    return refusal === 'not-found' ? 'credentials-unknown-user' : 'credentials-wrong';
  // The form does not depend on the time at which it is judged.
  const { problems, expiresAt } = judgeTime(user, Math.floor((lastAtMs ?? 0) / 1000));
  if (problems.some((problem) => problem.kind !== 'expired' && problem.kind !== 'swapped'))
    return 'credentials-malformed';
  if (expiresAt === null || lastAtMs === null || kind !== 'absolute') return 'credentials-unclear';
  const leftMs = expiresAt * 1000 - lastAtMs;
  if (Math.abs(leftMs) <= uncertaintyMs) return 'credentials-unclear';
  return leftMs < 0 ? 'credentials-expired' : 'credentials-wrong';
}

function groupOfRefusal(code: number): LogSessionGroup {
  switch (code) {
    case 400:
    case 403:
    case 437:
    case 440:
    case 441:
    case 442:
    case 486:
    case 508:
      return `refused-${code}`;
    default:
      return 'refused-other';
  }
}

function transportNamed(text: string): LogSession['transport'] {
  if (text.startsWith('TLS/TCP') || text.startsWith('TLS ')) return 'tls';
  if (text.startsWith('DTLS')) return 'dtls';
  if (text.startsWith('TCP')) return 'tcp';
  return text.startsWith('UDP') ? 'udp' : null;
}

/** Whether no one on another network has this address. */
function isUnroutable(peer: string): boolean {
  const address = addressIn(peer);
  return address !== null && ['private', 'loopback', 'link-local', 'unspecified'].includes(scopeOf(address));
}

function sum(a: LogUsage, b: LogUsage): LogUsage {
  return {
    receivedPackets: a.receivedPackets + b.receivedPackets,
    receivedBytes: a.receivedBytes + b.receivedBytes,
    sentPackets: a.sentPackets + b.sentPackets,
    sentBytes: a.sentBytes + b.sentBytes,
  };
}

/** A part of a text keeps the whole of it in memory; this one does not. */
export function copied(text: string): string {
  return Buffer.from(text.slice(0, longestName)).toString();
}
