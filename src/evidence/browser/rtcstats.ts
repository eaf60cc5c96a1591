import type { GiveBack } from '../part-source.ts';
import type { MediaRequest, SourceFacts } from '../../model/call-recording.ts';
import { isServerLogLine, timelessFrames } from '../server-log-line.ts';
import { ConnectionBuilder } from './connection-builder.ts';
import { asText, field, member } from './event-value.ts';
import { Omissions } from './omissions.ts';
import type { Reading } from './reading.ts';
import { methodName, StatsDecompressor } from './rtcstats-compression.ts';
import { beginsDocument } from './source-kind.ts';
import { textLines } from './text-lines.ts';
import { writerOf } from './user-agent.ts';

const mostConnections = 1000;
const header = 'RTCStatsDump';

/**
 * Reads what rtcstats-js and chrome://webrtc-internals record ("RTCStatsDump", an event a line: `[method, connection,
 * value, …, time]`), and the lines of its older servers and of Jitsi. Times are milliseconds since the event before from
 * format 3 on, and since 1970 before. Statistics are told by what changed.
 */
export async function readRtcStats(chunks: AsyncIterable<Buffer>, giveBack?: GiveBack): Promise<Reading> {
  const trace = new Trace();
  const frames = timelessFrames();
  const isOther = (line: string): boolean =>
    !/^\[|^\{"fileFormat"|^RTCStatsDump/.test(line) &&
    (beginsDocument(line) || isServerLogLine(line, frames));
  for await (const line of textLines(chunks, { isOther, giveBack })) trace.take(line);
  return trace.reading();
}

interface Connection {
  readonly builder: ConnectionBuilder;
  readonly stats: StatsDecompressor;
}

class Trace {
  readonly #connections = new Map<string, Connection>();
  readonly #requests: MediaRequest[] = [];
  #writer: Pick<SourceFacts, 'writer' | 'engine'> = { writer: null, engine: null };
  #timeMs = 0;
  #traces = 0;
  #damaged = 0;
  #left = 0;

  take(line: string): void {
    if (line === '') return;
    if (line.endsWith(header)) {
      // A trace has no line break at its end: the next one begins in its last line.
      this.take(line.slice(0, -header.length));
      this.#begin();
      return;
    }
    let data: unknown;
    try {
      data = JSON.parse(line);
    } catch {
      this.#damaged++;
      return;
    }
    if (Array.isArray(data)) this.#event(data);
    else this.#client(data);
  }

  /** Another trace has other times, and connections of the same names. */
  #begin(): void {
    this.#traces++;
    this.#timeMs = 0;
  }

  /** The line about the page and its browser. */
  #client(data: unknown): void {
    const start = member(data, 'startTime');
    if (typeof start === 'number' && this.#timeMs === 0) this.#timeMs = start;
    this.#know(member(data, 'userAgent'), member(data, 'userAgentData'));
  }

  #know(userAgent: unknown, userAgentData: unknown): void {
    const known = writerOf(userAgent, userAgentData);
    if (known.writer !== null) this.#writer = known;
  }

  #event([code, connection, value, ...rest]: readonly unknown[]): void {
    const method = methodName(code);
    const numbers = rest.filter((each) => typeof each === 'number');
    // Jitsi has the number of the line behind the time.
    const told = numbers.find((each) => each > 1e11) ?? numbers.at(-1);
    if (typeof told === 'number') this.#timeMs = told > 1e11 ? told : this.#timeMs + told;
    else if (typeof value === 'number' && method !== 'getStats') this.#timeMs += value > 1e11 ? 0 : value;
    if (method.startsWith('navigator.mediaDevices.') || method.startsWith('getUserMedia')) {
      this.#media(method, value);
      return;
    }
    if (connection === null || connection === undefined) {
      if (method === 'create') this.#know(member(value, 'userAgent'), member(value, 'userAgentData'));
      return;
    }
    this.#ofConnection(asText(connection), method, value, rest);
  }

  #ofConnection(name: string, method: string, value: unknown, rest: readonly unknown[]): void {
    const id = this.#traces > 1 ? `${name} (trace ${this.#traces})` : name;
    let entry = this.#connections.get(id);
    if (entry === undefined) {
      if (this.#connections.size >= mostConnections) {
        this.#left++;
        return;
      }
      entry = { builder: new ConnectionBuilder(id), stats: new StatsDecompressor() };
      this.#connections.set(id, entry);
    }
    const { builder, stats } = entry;
    if (method === 'getStats') {
      builder.statistics.addReport(stats.next(value), this.#timeMs);
      return;
    }
    if (method === 'create') {
      builder.setConfiguration(value);
      const url = rest.find((each) => typeof each === 'string');
      if (typeof url === 'string') builder.setUrl(url);
    }
    // Chrome hands the last track to the sender with the transceiver; rtcstats-js has the calls alone.
    builder.event(method, value, this.#timeMs);
  }

  #media(method: string, value: unknown): void {
    if (!/getUserMedia/.test(method) || this.#requests.length >= 1000) return;
    if (method.endsWith('OnSuccess')) {
      // The stream with its tracks, or the tracks alone.
      const told = Array.isArray(value) ? value : member(value, 'tracks');
      const tracks: unknown[] = Array.isArray(told) ? told : [];
      this.#close({
        state: 'granted',
        hasAudio: tracks.some((each) => JSON.stringify(each).includes('"audio"')),
      });
    } else if (method.endsWith('OnFailure')) {
      const error = typeof value === 'string' ? value : (field(value, 'name') ?? 'Error');
      this.#close({ state: 'refused', error, message: (field(value, 'message') ?? '').slice(0, 300) });
    } else {
      const wants = (kind: string): boolean => ![undefined, false].includes(member(value, kind) as undefined);
      this.#requests.push({
        atMs: this.#timeMs,
        url: null,
        wantsAudio: wants('audio'),
        wantsVideo: wants('video'),
        result: { state: 'open' },
      });
    }
  }

  #close(result: MediaRequest['result']): void {
    const at = this.#requests.findIndex((each) => each.result.state === 'open');
    const request = this.#requests[at];
    if (request !== undefined) this.#requests[at] = { ...request, result };
  }

  reading(): Reading {
    const omissions = new Omissions();
    if (this.#damaged > 0) omissions.unread(`${this.#damaged} lines are damaged and were left out`);
    if (this.#left > 0) omissions.unread(`only the first ${mostConnections} connections were read`);
    return {
      source: { ...this.#writer, savedAtMs: null, ...omissions.facts() },
      connections: [...this.#connections.values()].map(({ builder }) => builder.facts()),
      mediaRequests: this.#requests,
    };
  }
}
