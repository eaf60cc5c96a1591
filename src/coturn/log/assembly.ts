import type {
  LogRefusal,
  LogClock,
  LogDeniedPeer,
  LogNotice,
  LogNoticeKind,
  LogSession,
  LogSessionGroup,
  LogSessionGroupFacts,
  ServerLogFacts,
} from '../../model/server-log-facts.ts';
import { isOwnUser } from '../../model/own-user.ts';
import { redacted } from '../redaction.ts';
import { readEvent, readSystemEvent, type LogEvent } from './event.ts';
import { FrameReader, type LogFrame } from './frame.ts';
import { copied, OpenSession } from './session.ts';

const mostOpen = 200_000;
const mostSamples = 5;
const mostUsers = 1000;
/** So many of the last sessions are kept, and so many that were wanted. */
export const mostLast = 500;
const mostDenied = 1000;
const mostDeniedShown = 50;
const mostDetails = 5;
// coturn cuts a message there (MAX_RTPPRINTF_BUFFER_SIZE), and so what a username can add to it.
const mostHostileCharacters = 1024;
// 12 h and more lie between zones; a day of slack would call too much unknown.
const zoneUncertaintyMs = 14 * 3_600_000;

interface Group {
  count: number;
  firstAtMs: number | null;
  lastAtMs: number | null;
  readonly users: Set<string>;
  readonly samples: LogSession[];
}

interface Notice {
  count: number;
  readonly firstAtMs: number | null;
  lastAtMs: number | null;
  readonly details: Set<string>;
  readonly example: string;
}

/** Whether a session may be the one that someone looks for. */
export type IsWanted = (session: LogSession) => boolean;

export interface LogLine {
  readonly text: string;
  /** Whether more stood in the line than `text`. */
  readonly isCut: boolean;
}

/**
 * Makes facts of the lines of a log, in one pass. What it keeps is bounded by the sessions that are open at one time, and by
 * nothing that a client can send.
 */
export class LogAssembly {
  readonly #frames: FrameReader;
  readonly #isLeftOut: (user: string) => boolean;
  readonly #isWanted: IsWanted;
  readonly #wanted: LogSession[] = [];
  readonly #open = new Map<string, OpenSession>();
  /** Of each user the session that was granted an allocation last, as long as it is open. */
  readonly #holders = new Map<string, OpenSession>();
  readonly #groups = new Map<LogSessionGroup, Group>();
  readonly #notices = new Map<LogNoticeKind, Notice>();
  readonly #denied = new Map<string, { range: string | null; count: number }>();
  readonly #last: LogSession[] = [];
  readonly #versions = new Set<string>();
  readonly #lines = { total: 0, understood: 0, other: 0, foreign: 0, overlong: 0, control: 0, unbelieved: 0 };
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;
  #clock: 'absolute' | 'uptime' | 'none' = 'none';
  #isVague = false;
  #sessions = 0;
  #leftOut = 0;
  #allocated = 0;
  #allocatedOverTls = 0;
  #dropped = 0;
  #bytesToPeers = 0;
  #bytesFromPeers = 0;
  #relay: string | null = null;
  #hostileLeft = 0;
  #refused: { readonly user: string; readonly refusal: LogRefusal } | null = null;

  /**
   * @param nowMs the time of the reading, for dates without a year
   * @param isLeftOut whose sessions are not counted
   * @param isWanted which sessions are kept, beside the last ones
   */
  constructor(
    nowMs: number,
    isLeftOut: (user: string) => boolean = () => false,
    isWanted: IsWanted = () => false,
  ) {
    this.#frames = new FrameReader(nowMs);
    this.#isLeftOut = isLeftOut;
    this.#isWanted = isWanted;
  }

  /** Whether what is next could be what a client sent. */
  get isForgeable(): boolean {
    return this.#hostileLeft > 0;
  }

  push({ text, isCut }: LogLine): void {
    if (text === '') return;
    this.#lines.total++;
    if (isCut) this.#lines.overlong++;
    if (hasControl(text)) this.#lines.control++;
    const frame = this.#frames.read(text);
    if (frame === null) {
      this.#takeUnframed(text);
      return;
    }
    const isOther = frame.program !== null && !/turnserver|coturn/.test(frame.program);
    const event = isOther ? readSystemEvent(frame.message) : readEvent(frame.message);
    if (this.#isHostile(text, event)) {
      this.#lines.unbelieved++;
      return;
    }
    const atMs = this.#timeOf(frame);
    if (event === null) {
      if (isOther) this.#lines.foreign++;
      else this.#lines.other++;
      return;
    }
    this.#lines.understood++;
    this.#take(event, atMs, frame.message);
  }

  /** Some messages of coturn go over several lines, of which the first alone has a time. */
  #takeUnframed(text: string): void {
    if (this.#isHostile(text, null)) {
      this.#lines.unbelieved++;
      return;
    }
    const event = readEvent(text);
    if (event?.kind === 'version') {
      this.#lines.understood++;
      this.#start(event.version, this.#lastAtMs, text);
    } else if (isUnframed(text)) this.#lines.other++;
    else this.#lines.foreign++;
  }

  /** `cutShort`: why the log was not read to its end; null where it was. */
  finish(file: string, cutShort: string | null): ServerLogFacts {
    const leftOutBefore = this.#leftOut;
    for (const session of this.#open.values()) this.#end(session, false);
    const stillOpen = this.#open.size - (this.#leftOut - leftOutBefore);
    this.#open.clear();
    return {
      file,
      clock: this.#clockFacts(),
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      lines: { ...this.#lines },
      versions: [...this.#versions],
      tellsSessions: this.#sessions > 0,
      sessions: {
        total: this.#sessions - this.#leftOut,
        allocated: this.#allocated,
        allocatedOverTls: this.#allocatedOverTls,
        open: stillOpen,
        dropped: this.#dropped,
        bytesToPeers: this.#bytesToPeers,
        bytesFromPeers: this.#bytesFromPeers,
        groups: Object.fromEntries([...this.#groups].map(([name, group]) => [name, groupFacts(group)])),
        last: [...this.#wanted, ...this.#last],
      },
      notices: Object.fromEntries([...this.#notices].map(([kind, notice]) => [kind, noticeFacts(notice)])),
      deniedPeers: this.#deniedPeers(),
      cutShort,
    };
  }

  #clockFacts(): LogClock {
    const isExact = this.#clock === 'absolute' && !this.#isVague;
    return { kind: this.#clock, uncertaintyMs: isExact ? 0 : zoneUncertaintyMs };
  }

  #timeOf({ atMs, isVague, uptimeS }: LogFrame): number | null {
    if (atMs !== null) {
      // One clock for the whole: what was read by uptime before is not comparable.
      if (this.#clock !== 'absolute') this.#firstAtMs = null;
      this.#clock = 'absolute';
      if (isVague) this.#isVague = true;
    } else if (this.#clock === 'absolute' || uptimeS === null) {
      return this.#lastAtMs;
    } else {
      this.#clock = 'uptime';
    }
    const time = atMs ?? (uptimeS ?? 0) * 1000;
    this.#firstAtMs ??= time;
    this.#lastAtMs = time;
    return time;
  }

  /** Up to 4.16 a line break in a username starts a line that looks like coturn's own; see mostHostileCharacters. */
  #isHostile(text: string, event: LogEvent | null): boolean {
    if (this.#hostileLeft <= 0) return false;
    this.#hostileLeft -= text.length;
    // With it coturn answers the request in question: what follows is its own again.
    if (event?.kind === 'request' && event.code === 400 && event.user === '') {
      this.#hostileLeft = 0;
      return false;
    }
    return true;
  }

  #take(event: LogEvent, atMs: number | null, message: string): void {
    const relay = this.#relay;
    this.#relay = null;
    switch (event.kind) {
      case 'idle':
        return;
      case 'relay':
        this.#relay = copied(event.address);
        return;
      case 'version':
        this.#start(event.version, atMs, message);
        return;
      case 'hostile':
        this.#hostileLeft = mostHostileCharacters - message.length;
        this.#note(event.notice, event.detail, atMs, message);
        return;
      case 'notice':
        this.#note(event.notice, event.detail, atMs, message);
        if (event.notice === 'crash' || event.notice === 'out-of-memory') this.#endAll();
        return;
      case 'deleted':
        this.#close(event.session);
        return;
      case 'denied':
        this.#deny(event.peer, event.range);
        break;
      default:
        break;
    }
    if (event.session === null) {
      if (event.kind === 'credentials') this.#refused = { user: copied(event.user), refusal: event.refusal };
      return;
    }
    const session = this.#sessionOf(event.session, atMs);
    if (event.kind === 'allocation' && event.state === 'new' && relay !== null) session.relay ??= relay;
    session.take(event, atMs);
    if (event.kind === 'allocation') this.#holders.set(session.user, session);
    if (event.kind === 'request' && event.code === 437 && session.isStray) this.#moved(session, atMs);
    if (event.kind === 'request' && event.code === 401 && event.user === this.#refused?.user) {
      // Up to 4.6.1 the line before says why, without the session.
      session.refused(this.#refused.refusal);
      this.#refused = null;
    }
    // Of what was allocated a `delete` follows; the others end here.
    if (event.kind === 'closed' && !session.isAllocated) this.#close(event.session);
  }

  #moved(session: OpenSession, atMs: number | null): void {
    const holder = this.#holders.get(session.user);
    // A probe asks for relays that it has not, to find servers that share a port.
    if (session.user === '' || isOwnUser(session.user)) return;
    if (holder?.holdsAt(atMs) === true) session.moved();
  }

  #sessionOf(id: string, atMs: number | null): OpenSession {
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    if (this.#open.size >= mostOpen) {
      const oldest = this.#open.keys().next().value;
      if (oldest !== undefined) {
        this.#dropped++;
        this.#close(oldest);
      }
    }
    const session = new OpenSession(copied(id), atMs);
    this.#open.set(session.id, session);
    this.#sessions++;
    return session;
  }

  #start(version: string, atMs: number | null, message: string): void {
    this.#endAll();
    if (this.#versions.size < mostDetails) this.#versions.add(copied(version));
    this.#note('start', version, atMs, message);
  }

  /** coturn counts its sessions anew after a start: none of those before it is still there. */
  #endAll(): void {
    for (const session of this.#open.values()) this.#end(session, true);
    this.#open.clear();
  }

  #close(id: string): void {
    const session = this.#open.get(id);
    if (session === undefined) return;
    this.#open.delete(id);
    this.#end(session, false);
  }

  #end(open: OpenSession, isStopped: boolean): void {
    if (this.#holders.get(open.user) === open) this.#holders.delete(open.user);
    const { session, groups } = open.record({ isStopped, clock: this.#clockFacts() });
    // Whoever it was of, it shows that TLS works.
    if (open.isAllocated && session.transport === 'tls') this.#allocatedOverTls++;
    if (this.#isLeftOut(session.user)) {
      this.#leftOut++;
      return;
    }
    if (open.isAllocated) this.#allocated++;
    this.#bytesToPeers += session.peerUsage?.sentBytes ?? 0;
    this.#bytesFromPeers += session.peerUsage?.receivedBytes ?? 0;
    for (const name of groups) this.#group(name, session);
    if (!open.hasAsked) return;
    const first = this.#last.length >= mostLast ? this.#last.shift() : undefined;
    if (first !== undefined && this.#wanted.length < mostLast && this.#isWanted(first))
      this.#wanted.push(first);
    this.#last.push(session);
  }

  #group(name: LogSessionGroup, session: LogSession): void {
    const group = this.#groups.get(name) ?? {
      count: 0,
      firstAtMs: session.lastAtMs,
      lastAtMs: null,
      users: new Set<string>(),
      samples: [],
    };
    group.count++;
    group.lastAtMs = session.lastAtMs;
    if (group.users.size < mostUsers) group.users.add(session.user);
    if (group.samples.length < mostSamples) group.samples.push(session);
    this.#groups.set(name, group);
  }

  #note(kind: LogNoticeKind, detail: string, atMs: number | null, message: string): void {
    const notice = this.#notices.get(kind) ?? {
      count: 0,
      firstAtMs: atMs,
      lastAtMs: atMs,
      details: new Set<string>(),
      example: shown(kind, message.slice(0, 300)),
    };
    notice.count++;
    notice.lastAtMs = atMs;
    if (detail !== '' && notice.details.size < mostDetails) notice.details.add(shown(kind, detail));
    this.#notices.set(kind, notice);
  }

  #deny(address: string, range: string | null): void {
    const known = this.#denied.get(address);
    if (known !== undefined) known.count++;
    else if (this.#denied.size < mostDenied)
      this.#denied.set(copied(address), { range: range === null ? null : copied(range), count: 1 });
  }

  #deniedPeers(): LogDeniedPeer[] {
    return [...this.#denied]
      .map(([address, { range, count }]) => ({ address, range, count }))
      .toSorted((a, b) => b.count - a.count)
      .slice(0, mostDeniedShown);
  }
}

function groupFacts({ count, firstAtMs, lastAtMs, users, samples }: Group): LogSessionGroupFacts {
  return { count, firstAtMs, lastAtMs, users: users.size, samples };
}

/** Of a line of a configuration that coturn repeats, what is no secret; a copy, as a part of a line would keep it whole. */
function shown(kind: LogNoticeKind, text: string): string {
  const plain = kind === 'crash' ? text : redacted(text);
  return copied(plain.replaceAll(/:\/\/[^\s@/]{1,200}@/g, '://[redacted]@'));
}

function noticeFacts({ count, firstAtMs, lastAtMs, details, example }: Notice): LogNotice {
  return { count, firstAtMs, lastAtMs, details: [...details], example };
}

// Tabs are in lines of coturn itself.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u0008\u000b-\u001f\u007f]/;

function hasControl(text: string): boolean {
  return control.test(text);
}

/** What the libraries of coturn print past its log. */
function isUnframed(text: string): boolean {
  return /^(?:socket: |bind: |=+|RFC |Max number of |Due to the open |max supported |-- (?:Logs begin|Boot|No entries))/.test(
    text,
  );
}
