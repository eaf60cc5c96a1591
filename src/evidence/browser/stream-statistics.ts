import type {
  MediaSourceFacts,
  PlayoutMetric,
  Series,
  StreamFacts,
  StreamMetric,
} from '../../model/call-recording.ts';
import { converted, figureOf, seriesOf, textOf } from './statistics-object.ts';
import type { StatisticsObject } from './statistics.ts';

const ownMetrics: readonly StreamMetric[] = [
  'packetsSent',
  'bytesSent',
  'retransmittedPacketsSent',
  'targetBitrate',
  'packetsReceived',
  'bytesReceived',
  'packetsLost',
  'packetsDiscarded',
  'lastPacketReceivedTimestamp',
  'jitter',
  'jitterBufferDelay',
  'jitterBufferEmittedCount',
  'jitterBufferFlushes',
  'totalSamplesReceived',
  'concealedSamples',
  'silentConcealedSamples',
  'concealmentEvents',
  'totalAudioEnergy',
  'totalSamplesDuration',
];

/** What the other end reports, under which name it stands in its own object. */
const remoteMetrics = {
  packetsLost: 'remotePacketsLost',
  fractionLost: 'remoteFractionLost',
  jitter: 'remoteJitter',
  roundTripTime: 'remoteRoundTripTime',
  packetsSent: 'remotePacketsSent',
} as const satisfies Record<string, StreamMetric>;

export function streamsOf(objects: readonly StatisticsObject[]): StreamFacts[] {
  const byId = new Map(objects.map((object) => [object.id, object]));
  return objects.flatMap((object) => {
    if (object.type === 'ssrc') return legacyStream(object);
    const direction = directionOf(object);
    const kind = kindOf(object);
    if (direction === null || kind === null) return [];
    const codec = byId.get(textOf(object, 'codecId') ?? '');
    const level = object.series.get('audioLevel');
    const remote = remoteOf(object, objects, direction);
    const series: StreamFacts['series'] = {
      ...seriesOf(object, ownMetrics),
      ...(level === undefined ? {} : { audioLevel: converted(level, audioLevel) }),
      ...remoteSeries(remote),
    };
    const isActive = textOf(object, 'active');
    return [
      {
        id: object.id,
        direction,
        kind,
        ssrc: figureOf(object, 'ssrc'),
        mid: textOf(object, 'mid'),
        codec: codec === undefined ? null : (textOf(codec, 'mimeType')?.replace(/^\w+\//, '') ?? null),
        usesDtx: codec !== undefined && /\busedtx=1/.test(textOf(codec, 'sdpFmtpLine') ?? ''),
        sourceId: textOf(object, 'mediaSourceId'),
        remoteReportedAtMs: remote?.lastAtMs ?? null,
        isActive: isActive === null ? null : isActive === 'true',
        series,
      },
    ];
  });
}

/** Firefox and Chrome before 2019 call the reports of the other end by the same type, and say `isRemote`. */
function directionOf(object: StatisticsObject): 'inbound' | 'outbound' | null {
  if (textOf(object, 'isRemote') === 'true') return null;
  if (object.type === 'inbound-rtp') return 'inbound';
  return object.type === 'outbound-rtp' ? 'outbound' : null;
}

function kindOf(object: StatisticsObject): 'audio' | 'video' | null {
  const told = textOf(object, 'kind') ?? textOf(object, 'mediaType');
  return told === 'audio' || told === 'video' ? told : null;
}

function remoteOf(
  object: StatisticsObject,
  objects: readonly StatisticsObject[],
  direction: 'inbound' | 'outbound',
): StatisticsObject | undefined {
  const type = direction === 'outbound' ? 'remote-inbound-rtp' : 'remote-outbound-rtp';
  const ssrc = figureOf(object, 'ssrc');
  return objects.find(
    (each) =>
      (each.type === type || (textOf(each, 'isRemote') === 'true' && each.type.endsWith('bound-rtp'))) &&
      (textOf(each, 'localId') === object.id || (ssrc !== null && figureOf(each, 'ssrc') === ssrc)),
  );
}

function remoteSeries(remote: StatisticsObject | undefined): StreamFacts['series'] {
  const found: Partial<Record<StreamMetric, Series>> = {};
  for (const [theirs, ours] of Object.entries(remoteMetrics)) {
    const series = remote?.series.get(theirs);
    if (series !== undefined) found[ours] = series;
  }
  return found;
}

/** Up to Chrome 90 some levels are samples of 16 bits, and -1 is "not known". */
function audioLevel(value: number): number | null {
  if (value < 0) return null;
  return value > 1 ? value / 32_767 : value;
}

/** A stream in Chrome's figures before the standard ones; its times are in milliseconds. */
function legacyStream(object: StatisticsObject): StreamFacts[] {
  const direction = object.series.has('packetsSent') ? 'outbound' : 'inbound';
  const isAudio =
    kindOf(object) === 'audio' ||
    ['audioInputLevel', 'audioOutputLevel'].some((metric) => object.series.has(metric));
  const inSeconds = (metric: string): Series | null => {
    const series = object.series.get(metric);
    return series === undefined ? null : converted(series, (ms) => (ms < 0 ? null : ms / 1000));
  };
  const level = object.series.get('audioOutputLevel');
  const jitter = inSeconds('googJitterReceived');
  const roundTrip = inSeconds('googRtt');
  return [
    {
      id: object.id,
      direction,
      kind: isAudio ? 'audio' : 'video',
      ssrc: figureOf(object, 'ssrc'),
      mid: null,
      codec: textOf(object, 'googCodecName'),
      usesDtx: false,
      sourceId: object.series.has('audioInputLevel') ? object.id : null,
      remoteReportedAtMs: null,
      isActive: null,
      series: {
        ...seriesOf(object, ownMetrics),
        ...(level === undefined ? {} : { audioLevel: converted(level, (value) => value / 32_767) }),
        ...(jitter === null ? {} : { jitter }),
        ...(roundTrip === null ? {} : { remoteRoundTripTime: roundTrip }),
      },
    },
  ];
}

export function sourcesOf(objects: readonly StatisticsObject[]): MediaSourceFacts[] {
  return objects.flatMap((object) => {
    const legacy = object.type === 'ssrc' ? object.series.get('audioInputLevel') : undefined;
    if (legacy !== undefined) {
      const level = converted(legacy, (value) => value / 32_767);
      return [{ id: object.id, kind: 'audio' as const, series: { audioLevel: level } }];
    }
    const kind = kindOf(object);
    if (object.type !== 'media-source' || kind === null) return [];
    const level = object.series.get('audioLevel');
    return [
      {
        id: object.id,
        kind,
        series: {
          ...seriesOf(object, ['totalAudioEnergy', 'totalSamplesDuration']),
          ...(level === undefined ? {} : { audioLevel: converted(level, audioLevel) }),
        },
      },
    ];
  });
}

const playoutMetrics: readonly PlayoutMetric[] = [
  'synthesizedSamplesDuration',
  'totalSamplesDuration',
  'totalPlayoutDelay',
  'totalSamplesCount',
];

export function playoutOf(
  objects: readonly StatisticsObject[],
): Partial<Record<PlayoutMetric, Series>> | null {
  const object = objects.find(({ type }) => type === 'media-playout');
  return object === undefined ? null : seriesOf(object, playoutMetrics);
}
