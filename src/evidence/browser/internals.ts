import type { ConnectionFacts } from '../../model/call-recording.ts';
import { jsonSlices, type Choice, type Path } from '../json-slices.ts';
import type { GiveBack } from '../part-source.ts';
import { ConnectionBuilder } from './connection-builder.ts';
import { member, opened } from './event-value.ts';
import { mediaRequests } from './media-requests.ts';
import { Omissions } from './omissions.ts';
import type { Reading } from './reading.ts';
import { isWanted } from './statistics.ts';
import { writerOf } from './user-agent.ts';

// A page that makes a connection each second for a quarter of an hour.
const mostConnections = 1000;
const mostRequests = 1000;
/** Chrome keeps so many points of each figure, and throws the oldest away. */
const keptPoints = 1000;

/**
 * Reads what chrome://webrtc-internals saves ("PeerConnection updates and stats data"), of all generations: `updateLog`
 * with `time` texts (to Chrome 91) or `timestamp` numbers; values as texts of a notation of its own, or JSON (from 142);
 * series with `values` as a JSON text or an array, with the times of their points (`ID-timestamp`) or their span alone.
 */
export async function readInternals(chunks: AsyncIterable<Buffer>, giveBack?: GiveBack): Promise<Reading> {
  const dump = new Dump();
  try {
    for await (const { path, text } of jsonSlices(chunks, {
      choose,
      giveBack,
      onTooLong: (place) => dump.leaveOut(place),
    })) {
      dump.take(path, JSON.parse(text) as unknown);
    }
  } catch (error) {
    dump.omissions.damage(error);
  }
  return dump.reading();
}

const given: ReadonlySet<string> = new Set(['UserAgent', 'UserAgentData', 'timestamp']);
const ofConnection: ReadonlySet<string> = new Set(['url', 'rtcConfiguration', 'servers']);

function choose(path: Path): Choice {
  const [top, , part, name] = path;
  if (path.length === 0) return 'enter';
  if (path.length === 1) {
    if (top === 'PeerConnections' || top === 'getUserMedia') return 'enter';
    return given.has(String(top)) ? 'give' : 'skip';
  }
  if (top === 'getUserMedia') return path.length === 2 ? 'give' : 'skip';
  if (path.length === 2) return 'enter';
  if (part === 'updateLog') return path.length === 3 ? 'enter' : 'give';
  if (part === 'stats') {
    if (path.length === 3) return 'enter';
    const { metric } = splitKey(String(name));
    return isWanted(metric) || metric === 'timestamp' ? 'give' : 'skip';
  }
  return ofConnection.has(String(part)) ? 'give' : 'skip';
}

/** `IT01A272466357-packetsReceived`; ids may have hyphens, names have none. */
function splitKey(key: string): { id: string; metric: string } {
  const at = key.lastIndexOf('-');
  return { id: key.slice(0, Math.max(0, at)), metric: key.slice(at + 1) };
}

interface PendingSeries {
  readonly id: string;
  readonly metric: string;
  readonly type: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly values: readonly unknown[];
}

class Dump {
  #userAgent: unknown = null;
  #userAgentData: unknown = null;
  #savedAtMs: number | null = null;
  readonly #requests: unknown[] = [];
  readonly #connections: ConnectionFacts[] = [];
  readonly omissions = new Omissions();
  #open: { readonly id: string; readonly builder: ConnectionBuilder } | null = null;
  #series: PendingSeries[] = [];
  #events: { type: string; value: unknown; timestamp: unknown; time: unknown }[] = [];

  take(path: Path, value: unknown): void {
    const [top, id, part, name] = path;
    if (top === 'getUserMedia') {
      if (this.#requests.length < mostRequests) this.#requests.push(value);
    } else if (top === 'PeerConnections') this.#takePart(String(id), String(part), name ?? '', value);
    else if (top === 'UserAgent') this.#userAgent = value;
    else if (top === 'UserAgentData') this.#userAgentData = value;
    else if (top === 'timestamp' && typeof value === 'number') this.#savedAtMs = value;
  }

  #takePart(id: string, part: string, name: string | number, value: unknown): void {
    if (this.#open?.id !== id) {
      this.#closeConnection();
      this.#open = { id, builder: new ConnectionBuilder(id) };
    }
    const { builder } = this.#open;
    if (part === 'url' && typeof value === 'string') builder.setUrl(value);
    else if (part === 'rtcConfiguration' || part === 'servers') builder.setConfiguration(value);
    else if (part === 'updateLog') {
      const type = member(value, 'type');
      if (typeof type !== 'string') return;
      const [timestamp, time] = [member(value, 'timestamp'), member(value, 'time')];
      this.#events.push({ type, value: member(value, 'value'), timestamp, time });
    } else if (part === 'stats') this.#takeSeries(String(name), value);
  }

  #takeSeries(key: string, value: unknown): void {
    const list = opened(member(value, 'values'));
    if (!Array.isArray(list)) return;
    const { id, metric } = splitKey(key);
    const type = member(value, 'statsType');
    this.#series.push({
      id,
      metric,
      type: typeof type === 'string' ? type : '',
      startMs: Date.parse(String(member(value, 'startTime'))),
      endMs: Date.parse(String(member(value, 'endTime'))),
      values: list,
    });
  }

  #closeConnection(): void {
    if (this.#open === null) return;
    const { builder, id } = this.#open;
    if (this.#connections.length >= mostConnections)
      this.omissions.unread(`only the first ${mostConnections} connections were read`);
    else {
      this.#addEvents(builder);
      this.#addSeries(builder);
      if (this.#series.length === 0 && this.#savedAtMs !== null) builder.seenAt(this.#savedAtMs);
      if (this.#series.some(({ values }) => values.length >= keptPoints))
        this.omissions.note(
          `Chrome keeps the last ${keptPoints} figures, about 17 minutes: those before are not in it (connection ${id})`,
        );
      if (builder.statistics.left > 0)
        this.omissions.unread(`connection ${id} has more figures than are read`);
      this.#connections.push(builder.facts());
    }
    this.#open = null;
    this.#series = [];
    this.#events = [];
  }

  /** Events of old dumps have the time of day where they were saved, without its zone. */
  #addEvents(builder: ConnectionBuilder): void {
    const texts = this.#events.map(({ time }) => (typeof time === 'string' ? Date.parse(time) : Number.NaN));
    const offsetMs = zoneOffset(texts[0], this.#series);
    for (const [index, { type, value, timestamp }] of this.#events.entries()) {
      const local = (texts[index] ?? Number.NaN) + offsetMs;
      const atMs = typeof timestamp === 'number' ? timestamp : local;
      builder.event(type, value, Number.isFinite(atMs) ? atMs : null);
    }
    if (this.#events.length > 0 && typeof this.#events[0]?.timestamp !== 'number' && Number.isNaN(texts[0]))
      this.omissions.note('the times of its events are written in a way that is not understood');
  }

  #addSeries(builder: ConnectionBuilder): void {
    const stamps = new Map<string, PendingSeries>();
    for (const each of this.#series) {
      if (each.metric !== 'timestamp') continue;
      stamps.set(each.id, each);
      // Figures are taken for as long as the page is there, even where nothing happens.
      builder.seenAt(each.endMs);
    }
    const shared = new Map<string, readonly number[]>();
    for (const each of this.#series) {
      if (each.metric === 'timestamp') continue;
      const key = `${each.id}\0${each.values.length}\0${each.startMs}\0${each.endMs}`;
      const atMs = shared.get(key) ?? timesOf(each, stamps.get(each.id));
      shared.set(key, atMs);
      builder.statistics.addSeries(each.id, each.type, each.metric, atMs, each.values);
    }
  }

  leaveOut(path: Path): void {
    this.omissions.unread(`${path.map(String).join(' › ').slice(0, 120)} is too long and was left out`);
  }

  reading(): Reading {
    this.#closeConnection();
    const { writer, engine } = writerOf(this.#userAgent, this.#userAgentData);
    return {
      source: {
        writer,
        engine: engine ?? 'chromium',
        savedAtMs: this.#savedAtMs,
        ...this.omissions.facts(),
      },
      connections: this.#connections,
      mediaRequests: mediaRequests(this.#requests),
    };
  }
}

/** The times of the points of a series: those that were recorded, else spread evenly over its span. */
function timesOf(
  { values, startMs, endMs }: PendingSeries,
  stamps: PendingSeries | undefined,
): readonly number[] {
  const count = values.length;
  if (stamps !== undefined && stamps.endMs === endMs && stamps.values.length >= count) {
    const own = stamps.values.slice(stamps.values.length - count);
    if (own.every((value) => typeof value === 'number')) return own;
  }
  const step = count > 1 ? (endMs - startMs) / (count - 1) : 0;
  return values.map((_, index) => startMs + index * step);
}

const quarterMs = 15 * 60_000;

/** By how much local times are off from UTC, to a quarter of an hour: figures begin when events do, and are in UTC. */
function zoneOffset(firstLocalMs: number | undefined, series: readonly PendingSeries[]): number {
  const first = Math.min(
    ...series
      .slice(0, 1000)
      .map(({ startMs }) => startMs)
      .filter(Number.isFinite),
  );
  if (firstLocalMs === undefined || !Number.isFinite(firstLocalMs) || !Number.isFinite(first)) return 0;
  return Math.round((first - firstLocalMs) / quarterMs) * quarterMs;
}
