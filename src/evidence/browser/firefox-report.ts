import type { ConnectionFacts } from '../../model/call-recording.ts';
import { ConnectionBuilder } from './connection-builder.ts';
import { member } from './event-value.ts';

/** What about:webrtc says of one connection at one time: plain data, as “Copy Report” gives it. */
export type FirefoxReport = Readonly<Record<string, unknown>>;

/** Counters begin at nothing when the connection is made, so that one report tells how they grew since. */
const counters = [
  'packetsSent',
  'bytesSent',
  'packetsReceived',
  'bytesReceived',
  'packetsLost',
  'packetsDiscarded',
  'totalAudioEnergy',
  'totalSamplesDuration',
  'totalSamplesReceived',
  'concealedSamples',
  'silentConcealedSamples',
  'jitterBufferDelay',
  'jitterBufferEmittedCount',
];

const mostConnections = 500;
const mostOfAKind = 1000;

interface Known {
  readonly builder: ConnectionBuilder;
  readonly createdAtMs: number | null;
  /** Objects of which the beginning is told. */
  readonly begun: Set<string>;
  /** Its lists of candidates were there, to their end. */
  isWhole: boolean;
  /** The time of the last description that was taken; histories repeat those before. */
  describedAtMs: number;
}

/** Makes connections of the reports of Firefox, in whatever order they come. */
export class FirefoxReports {
  readonly #known = new Map<string, Known>();
  #lastAtMs: number | null = null;

  /** The time of the last report; null where none tells. */
  get lastAtMs(): number | null {
    return this.#lastAtMs;
  }

  add(report: FirefoxReport): void {
    const known = this.#of(report);
    if (known === null) return;
    const { builder } = known;
    const timestamp = numberOf(member(report, 'timestamp'));
    if (timestamp !== null) {
      builder.seenAt(timestamp);
      this.#lastAtMs = Math.max(this.#lastAtMs ?? 0, timestamp);
    }
    const configuration = member(report, 'configuration');
    if (configuration !== undefined) builder.setConfiguration(configuration);
    addDescriptions(known, report);
    addStatistics(known, report, timestamp ?? Number.NaN);
    if (
      Array.isArray(member(report, 'rawLocalCandidates')) &&
      Array.isArray(member(report, 'rawRemoteCandidates'))
    )
      known.isWhole = true;
    for (const [name, event] of [
      ['rawLocalCandidates', 'icecandidate'],
      ['rawRemoteCandidates', 'addIceCandidate'],
      ['someLocalCandidates', 'icecandidate'],
      ['someRemoteCandidates', 'addIceCandidate'],
    ] as const) {
      for (const line of listOf(member(report, name)))
        if (typeof line === 'string') builder.event(event, candidateLine(line), null);
    }
    for (const error of listOf(member(report, 'turnErrors'))) takeError(builder, error);
    if (member(report, 'closed') === true) builder.event('close', '', timestamp);
  }

  /** The descriptions of a connection, as “Copy Report History” has them beside its reports. */
  addHistory(history: FirefoxReport): void {
    const known = this.#of(history);
    if (known !== null) addDescriptions(known, history);
  }

  connections(): ConnectionFacts[] {
    return (
      [...this.#known.values()]
        // Reports tell how things are, and not what happened.
        .map(({ builder, isWhole }) => ({
          ...builder.facts(),
          ...{ history: 'none', hasAllCandidates: isWhole },
        }))
    );
  }

  #of(report: FirefoxReport): Known | null {
    const pcid = member(report, 'pcid');
    if (typeof pcid !== 'string') return null;
    const earlier = this.#known.get(pcid);
    if (earlier !== undefined) return earlier;
    if (this.#known.size >= mostConnections) return null;
    const { id, url, createdAtMs } = connectionName(pcid);
    const builder = new ConnectionBuilder(id);
    if (url !== null) builder.setUrl(url);
    if (createdAtMs !== null) builder.seenAt(createdAtMs);
    const known = {
      ...{ builder, createdAtMs, begun: new Set<string>(), isWhole: false },
      describedAtMs: Number.NEGATIVE_INFINITY,
    };
    this.#known.set(pcid, known);
    return known;
  }
}

/** `{6d69946c-…} 1795275876479434 (id=15032385537 url=https://…)`: an id, the time in µs; Firefox before 72 has no id. */
export function connectionName(pcid: string): {
  readonly id: string;
  readonly url: string | null;
  readonly createdAtMs: number | null;
} {
  const [, uuid, microseconds] = /^(?:\{([\da-f-]{36})\} )?(\d{13,17})?/i.exec(pcid) ?? [];
  const url = /\burl=([^)\s]+)\)/.exec(pcid)?.[1] ?? null;
  return {
    id: uuid ?? microseconds ?? pcid.slice(0, 60),
    url,
    createdAtMs: microseconds?.length === 16 ? Number(microseconds) / 1000 : null,
  };
}

function addDescriptions(known: Known, report: FirefoxReport): void {
  const history = listOf(member(report, 'sdpHistory'))
    .map((each) => ({
      atMs: numberOf(member(each, 'timestamp')) ?? 0,
      isLocal: member(each, 'isLocal') === true,
      sdp: member(each, 'sdp'),
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
  for (const { atMs, isLocal, sdp } of history) {
    if (typeof sdp !== 'string' || atMs <= known.describedAtMs) continue;
    known.describedAtMs = atMs;
    describe(known.builder, isLocal, sdp, atMs);
  }
  // Firefox before 75 has the last two, and says who offered.
  const isOffering = member(report, 'offerer') === true;
  const [local, remote] = [member(report, 'localSdp'), member(report, 'remoteSdp')];
  for (const isLocal of [isOffering, !isOffering]) {
    const sdp = isLocal ? local : remote;
    if (typeof sdp !== 'string' || sdp === '') continue;
    describe(known.builder, isLocal, sdp, null, isLocal === isOffering ? 'offer' : 'answer');
  }
}

/** Without a type: an offer leaves the DTLS role open, an answer takes one (RFC 8842 §5.2, §5.3). */
function describe(
  builder: ConnectionBuilder,
  isLocal: boolean,
  sdp: string,
  atMs: number | null,
  type = /^a=setup:actpass/m.test(sdp) ? 'offer' : 'answer',
): void {
  builder.event(isLocal ? 'setLocalDescription' : 'setRemoteDescription', { type, sdp }, atMs);
}

/** Every list of the report whose members are statistics, whatever the version calls it. */
function addStatistics({ builder, createdAtMs, begun }: Known, report: FirefoxReport, atMs: number): void {
  const objects: Record<string, object> = Object.create(null) as Record<string, object>;
  const beginnings: Record<string, object> = Object.create(null) as Record<string, object>;
  for (const list of Object.values(report)) {
    for (const each of listOf(list)) {
      const id = member(each, 'id');
      if (typeof each !== 'object' || each === null || typeof id !== 'string') continue;
      objects[id] = each;
      if (begun.has(id)) continue;
      begun.add(id);
      const own = counters.filter((name) => typeof member(each, name) === 'number');
      if (own.length > 0)
        beginnings[id] = {
          id,
          type: member(each, 'type'),
          ...Object.fromEntries(own.map((name) => [name, 0])),
        };
    }
  }
  if (createdAtMs !== null) builder.statistics.addReport(beginnings, createdAtMs);
  builder.statistics.addReport(objects, atMs);
}

/** Of the log of a page; a report has none of them. */
function takeError(builder: ConnectionBuilder, error: unknown): void {
  const told = { url: 'url', error_code: 'code', error_text: 'text', host_candidate: 'local' };
  const value = Object.fromEntries(Object.entries(told).map(([name, own]) => [name, member(error, own)]));
  builder.event('icecandidateerror', value, null);
}

const label = /^(host|turn-relay)\((.*?)\)?(?: active| passive| so)?$/i;
const place = /IP[46]:\[?([^\]\s|]+?)\]?:(\d+)\/(UDP|TCP|TLS)/g;

/**
 * Firefox writes its own candidates by their labels, `host(IP4:192.0.2.1:4711/UDP)`, `turn-relay(IP4:…|IP4:…)` with the
 * relayed address behind that of the client. The mapped address of a `srflx` is not in its label.
 */
function candidateLine(text: string): string {
  const [, kind = '', ends = ''] = label.exec(text) ?? [];
  if (kind === '') return text;
  const places = [...ends.matchAll(place)];
  const [, address = '', port = '', protocol = ''] = places[kind === 'host' ? 0 : 1] ?? [];
  if (address === '') return '';
  const [type, preference] = kind === 'host' ? (['host', 126] as const) : (['relay', 5] as const);
  // What is left out is not known; the preferences of types are nICEr's.
  return `candidate:0 1 ${protocol === 'UDP' ? 'udp' : 'tcp'} ${preference * 2 ** 24} ${address} ${port} typ ${type}`;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.slice(0, mostOfAKind) : [];
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
