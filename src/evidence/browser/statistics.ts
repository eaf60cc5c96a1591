import type { Series } from '../../model/call-recording.ts';

/** One object of `getStats()` over time: what is a figure as a series, what is a text by its changes. */
export interface StatisticsObject {
  readonly id: string;
  readonly type: string;
  readonly series: ReadonlyMap<string, Series>;
  readonly texts: ReadonlyMap<string, readonly TextChange[]>;
  /** The last time at which it was there; null where nothing has a time. */
  readonly lastAtMs: number | null;
}

export interface TextChange {
  readonly atMs: number | null;
  readonly text: string;
}

export type Value = number | string | boolean;

// Two hours at one a second are thinned out once; windows of 10 s stay readable.
const mostPoints = 4096;
const mostObjects = 3000;
const mostChanges = 200;
const mostTextLength = 2000;

/** The members that are looked at; a dump has five times as many. */
const wanted: ReadonlySet<string> = new Set([
  // What an object is, and what it belongs to.
  ...[
    'type',
    'kind',
    'mediaType',
    'ssrc',
    'mid',
    'codecId',
    'mediaSourceId',
    'remoteId',
    'localId',
    'active',
  ],
  ...['isRemote', 'mimeType', 'sdpFmtpLine', 'remoteSource', 'trackIdentifier'],
  // RTP streams.
  ...['packetsSent', 'bytesSent', 'retransmittedPacketsSent', 'targetBitrate', 'packetsReceived'],
  ...['bytesReceived', 'packetsLost', 'packetsDiscarded', 'jitter', 'jitterBufferDelay'],
  ...['jitterBufferEmittedCount', 'jitterBufferFlushes', 'totalSamplesReceived', 'concealedSamples'],
  ...[
    'silentConcealedSamples',
    'concealmentEvents',
    'audioLevel',
    'totalAudioEnergy',
    'totalSamplesDuration',
  ],
  ...['fractionLost', 'roundTripTime'],
  ...['synthesizedSamplesDuration', 'totalPlayoutDelay', 'totalSamplesCount'],
  // ICE and DTLS.
  ...['localCandidateId', 'remoteCandidateId', 'state', 'nominated', 'selected', 'requestsSent'],
  ...[
    'requestsReceived',
    'responsesSent',
    'responsesReceived',
    'consentRequestsSent',
    'currentRoundTripTime',
  ],
  ...['availableOutgoingBitrate', 'lastPacketReceivedTimestamp', 'lastPacketSentTimestamp'],
  ...['selectedCandidatePairId', 'dtlsState', 'dtlsRole', 'iceState'],
  ...['candidateType', 'protocol', 'tcpType', 'address', 'ip', 'port', 'relatedAddress', 'relatedPort'],
  ...['priority', 'relayProtocol', 'url', 'networkType'],
  // What Chrome called them before 2019, and in the figures of its old interface.
  ...['googCodecName', 'googRtt', 'googJitterReceived', 'audioInputLevel', 'audioOutputLevel'],
  ...['googActiveConnection', 'googLocalCandidateType', 'googRemoteCandidateType', 'localAddress'],
  ...[
    'remoteAddress',
    'googLocalAddress',
    'googRemoteAddress',
    'ipAddress',
    'portNumber',
    'transport',
    'mediaType',
  ],
]);

export function isWanted(metric: string): boolean {
  return wanted.has(metric);
}

interface Collected {
  type: string;
  readonly series: Map<string, Points>;
  readonly texts: Map<string, TextChange[]>;
  lastAtMs: number;
}

/** Given whole, as the many series of one object share their times; or gathered point by point. */
type Points = Series | Gathered;

interface Gathered {
  readonly atMs: number[];
  readonly values: number[];
  readonly isGathered: true;
}

/** Collects statistics, in whatever form they come, within a bounded space. */
export class StatisticsTable {
  readonly #objects = new Map<string, Collected>();
  #left = 0;

  /** How many objects were left out because there were too many. */
  get left(): number {
    return this.#left;
  }

  /** One figure or text of an object over time. `type` is empty where it is told elsewhere. */
  addSeries(
    id: string,
    type: string,
    metric: string,
    atMs: readonly number[],
    values: readonly unknown[],
  ): void {
    if (!isWanted(metric)) return;
    const object = this.#objectOf(id, type);
    if (object === null) return;
    if (
      !texts.has(metric) &&
      !object.series.has(metric) &&
      atMs.length === values.length &&
      areFigures(values)
    ) {
      const last = atMs.at(-1) ?? Number.NaN;
      if (last > object.lastAtMs) object.lastAtMs = last;
      const points = { atMs, values };
      object.series.set(metric, values.length > mostPoints ? thinned(points) : points);
      return;
    }
    for (const [index, value] of values.entries()) add(object, metric, atMs[index] ?? Number.NaN, value);
  }

  /** What `getStats()` gave at one time: objects by id. */
  addReport(report: Readonly<Record<string, unknown>>, atMs: number): void {
    for (const [key, each] of Object.entries(report)) {
      if (typeof each !== 'object' || each === null) continue;
      const members = Object.entries(each);
      const own = new Map<string, unknown>(members);
      const id = typeof own.get('id') === 'string' ? String(own.get('id')) : key;
      const object = this.#objectOf(id, textOf(own.get('type')) ?? '');
      if (object === null) continue;
      const told = own.get('timestamp');
      const time = typeof told === 'number' && told > 1e11 ? told : atMs;
      if (time > object.lastAtMs) object.lastAtMs = time;
      for (const [metric, value] of members) if (isWanted(metric)) add(object, metric, time, value);
    }
  }

  objects(): StatisticsObject[] {
    return [...this.#objects].map(([id, { type, series, texts: own, lastAtMs }]) => ({
      id,
      type: typeOf(id, type, own),
      series,
      texts: own,
      lastAtMs: Number.isFinite(lastAtMs) ? lastAtMs : null,
    }));
  }

  #objectOf(id: string, type: string): Collected | null {
    let object = this.#objects.get(id);
    if (object === undefined) {
      if (this.#objects.size >= mostObjects) {
        this.#left++;
        return null;
      }
      object = { type, series: new Map(), texts: new Map(), lastAtMs: Number.NEGATIVE_INFINITY };
      this.#objects.set(id, object);
    }
    if (object.type === '') object.type = type;
    return object;
  }
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A member is a figure or a text by its name: `mid` "0" is written as 0, and old figures are texts. */
const texts: ReadonlySet<string> = new Set([
  ...[
    'type',
    'kind',
    'mediaType',
    'mid',
    'codecId',
    'mediaSourceId',
    'remoteId',
    'localId',
    'active',
    'isRemote',
  ],
  ...['mimeType', 'sdpFmtpLine', 'remoteSource', 'trackIdentifier', 'localCandidateId', 'remoteCandidateId'],
  ...['state', 'nominated', 'selected', 'selectedCandidatePairId', 'dtlsState', 'dtlsRole', 'iceState'],
  ...['candidateType', 'protocol', 'tcpType', 'address', 'ip', 'relatedAddress', 'relayProtocol', 'url'],
  ...['networkType', 'googCodecName', 'googActiveConnection', 'googLocalCandidateType'],
  ...['googRemoteCandidateType', 'localAddress', 'remoteAddress', 'googLocalAddress', 'googRemoteAddress'],
  ...['ipAddress', 'transport'],
]);

function add(object: Collected, metric: string, atMs: number, value: unknown): void {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return;
  if (atMs > object.lastAtMs) object.lastAtMs = atMs;
  if (texts.has(metric)) {
    addText(object.texts, metric, {
      atMs: Number.isFinite(atMs) ? atMs : null,
      text: String(value).slice(0, mostTextLength),
    });
    return;
  }
  const figure = typeof value === 'number' ? value : Number(value);
  if (!Number.isFinite(figure)) return;
  const points = gathered(object.series.get(metric));
  points.atMs.push(atMs);
  points.values.push(figure);
  object.series.set(metric, points.values.length > mostPoints ? gathered(thinned(points)) : points);
}

function addText(all: Map<string, TextChange[]>, metric: string, change: TextChange): void {
  const changes = all.get(metric);
  if (changes === undefined) all.set(metric, [change]);
  else if (changes.at(-1)?.text !== change.text) {
    // Of too many the first ones stand, and the last.
    if (changes.length >= mostChanges) changes.pop();
    changes.push(change);
  }
}

function areFigures(values: readonly unknown[]): values is readonly number[] {
  return values.every((value) => typeof value === 'number' && Number.isFinite(value));
}

function gathered(points: Points | undefined): Gathered {
  if (points !== undefined && 'isGathered' in points) return points;
  return { atMs: [...(points?.atMs ?? [])], values: [...(points?.values ?? [])], isGathered: true };
}

/** Every second point, and the last one. */
function thinned({ atMs, values }: Series): Series {
  const kept = (_: number, index: number): boolean => index % 2 === 0 || index === values.length - 1;
  return { atMs: atMs.filter(kept), values: values.filter(kept) };
}

/** What the ids of Chrome's first standard figures say, where the type stands nowhere else. */
const typesByPrefix = [
  ['RTCInboundRTP', 'inbound-rtp'],
  ['RTCOutboundRTP', 'outbound-rtp'],
  ['RTCRemoteInboundRtp', 'remote-inbound-rtp'],
  ['RTCRemoteOutboundRTP', 'remote-outbound-rtp'],
  ['RTCTransport', 'transport'],
  ['RTCIceCandidatePair', 'candidate-pair'],
  ['RTCCodec', 'codec'],
  ['RTCAudioSource', 'media-source'],
  ['RTCVideoSource', 'media-source'],
] as const;

/** Names of types that have changed. */
const renamed: Readonly<Record<string, string>> = {
  candidatepair: 'candidate-pair',
  localcandidate: 'local-candidate',
  remotecandidate: 'remote-candidate',
  inboundrtp: 'inbound-rtp',
  outboundrtp: 'outbound-rtp',
};

function typeOf(id: string, type: string, own: ReadonlyMap<string, readonly TextChange[]>): string {
  const told = type === '' ? (own.get('type')?.at(-1)?.text ?? '') : type;
  if (told !== '') return Object.hasOwn(renamed, told) ? (renamed[told] ?? told) : told;
  if (id.startsWith('RTCIceCandidate_'))
    return own.get('isRemote')?.at(-1)?.text === 'true' ? 'remote-candidate' : 'local-candidate';
  return typesByPrefix.find(([prefix]) => id.startsWith(prefix))?.[1] ?? '';
}
