import { readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type {
  CallRecording,
  CandidateFacts,
  ConnectionFacts,
  MediaSection,
  StateChange,
  StreamFacts,
} from '../../../src/model/call-recording.ts';
import { judgeCalls as rules } from '../../../src/rules/analysis/calls.ts';
import {
  anyCall,
  connection,
  everySecond,
  healthyCall,
  recorded,
  recordingOf,
  recordingPath,
} from '../../support/recorded-calls.ts';
import { recordedCallCatalog } from '../../../src/model/finding.ts';
import { joinedWithLog, ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeCalls = provoked.watch(rules);

const beginMs = Date.UTC(2026, 10, 21, 12);
const states = (...changes: (readonly [number, StateChange['machine'], string])[]): StateChange[] =>
  changes.map(([second, machine, state]) => ({ atMs: beginMs + second * 1000, machine, state }));

const candidate = (side: 'local' | 'remote', known: Partial<CandidateFacts> = {}): CandidateFacts => ({
  atMs: beginMs,
  side,
  id: null,
  type: 'host',
  protocol: 'udp',
  tcpType: null,
  address: side === 'local' ? '198.51.100.2' : '203.0.113.5',
  port: 5000,
  relatedAddress: null,
  relatedPort: null,
  priority: null,
  relayProtocol: null,
  url: null,
  networkType: null,
  from: 'event',
  ...known,
});

const section = (known: Partial<MediaSection> = {}): MediaSection => ({
  kind: 'audio',
  mid: '0',
  port: 9,
  isBundleOnly: false,
  protocol: 'UDP/TLS/RTP/SAVPF',
  direction: 'sendrecv',
  codecs: [{ payloadType: 111, name: 'opus', clockRate: 48_000 }],
  fingerprints: ['sha-256 00'],
  setup: 'actpass',
  hasCryptoLines: false,
  isIceLite: false,
  ufrag: 'x',
  candidateCount: 0,
  ...known,
});

const described = (
  offer: Partial<MediaSection> = {},
  answer: Partial<MediaSection> = {},
): ConnectionFacts['descriptions'] => [
  { atMs: beginMs, side: 'local', type: 'offer', sections: [section(offer)] },
  { atMs: beginMs, side: 'remote', type: 'answer', sections: [section({ setup: 'active', ...answer })] },
];

const failed = states(
  [0, 'signaling', 'stable'],
  [1, 'gathering', 'complete'],
  [1, 'ice', 'checking'],
  [20, 'ice', 'failed'],
);
const relayOnly = { urls: ['turn:203.0.113.10'], usernames: ['1795000000:alice'], policy: 'all' } as const;
const error = (code: number, text = '') => ({
  atMs: beginMs,
  url: 'turn:203.0.113.10',
  code,
  text,
  local: null,
});

const stream = (direction: StreamFacts['direction'], series: StreamFacts['series']): StreamFacts => ({
  id: direction,
  direction,
  kind: 'audio',
  ssrc: 1,
  mid: '0',
  codec: 'opus',
  usesDtx: false,
  sourceId: direction === 'outbound' ? 'mic' : null,
  remoteReportedAtMs: null,
  isActive: null,
  series,
});

const seconds = 25;
const grows = (perSecond: number) => everySecond(seconds, (second) => second * perSecond);
const flat = (value: number) => everySecond(seconds, () => value);
const sent = { packetsSent: grows(50), bytesSent: grows(4000), remotePacketsLost: flat(0) };
const received = {
  packetsReceived: grows(50),
  bytesReceived: grows(4000),
  packetsLost: flat(0),
  totalSamplesReceived: grows(48_000),
  totalAudioEnergy: grows(0.001),
  totalSamplesDuration: grows(1),
};
const up = states(
  [0, 'signaling', 'stable'],
  [1, 'ice', 'checking'],
  [1, 'ice', 'connected'],
  [1, 'connection', 'connected'],
  [1, 'dtls', 'connected'],
);

/** A call that flows, with what `known` changes. */
const flowing = (
  outbound: StreamFacts['series'],
  inbound: StreamFacts['series'],
  known: Partial<ConnectionFacts> = {},
): ConnectionFacts =>
  connection({
    states: up,
    descriptions: described(),
    streams: [stream('outbound', { ...sent, ...outbound }), stream('inbound', { ...received, ...inbound })],
    sources: [
      {
        id: 'mic',
        kind: 'audio',
        series: { totalAudioEnergy: grows(0.001), totalSamplesDuration: grows(1) },
      },
    ],
    ...known,
  });

const relayPair = {
  pairs: [
    {
      id: 'p',
      localId: 'l',
      remoteId: 'r',
      state: 'succeeded',
      isNominated: true,
      series: { currentRoundTripTime: flat(0.01) },
    },
  ],
  transports: [{ id: 't', selections: [{ atMs: beginMs, pairId: 'p' }], dtlsRole: null, series: {} }],
} satisfies Partial<ConnectionFacts>;

const asked = (result: CallRecording['mediaRequests'][number]['result']): Partial<CallRecording> => ({
  mediaRequests: [{ atMs: beginMs, url: null, wantsAudio: true, wantsVideo: false, result }],
});

interface Case {
  readonly code: string;
  readonly verdict: string;
  readonly facts: ConnectionFacts;
  readonly others: Partial<CallRecording>;
}

const cases = (
  [
    [
      'GUM_DEVICE_BUSY',
      'broken',
      connection(),
      asked({ state: 'refused', error: 'NotReadableError', message: '' }),
    ],
    [
      'GUM_NO_DEVICE',
      'broken',
      connection(),
      asked({ state: 'refused', error: 'NotFoundError', message: '' }),
    ],
    [
      'NO_COMMON_CODEC',
      'broken',
      connection({
        descriptions: described({}, { codecs: [{ payloadType: 18, name: 'G729', clockRate: 8000 }] }),
      }),
    ],
    [
      'DTLS_SDP_PROBLEM',
      'broken',
      connection({ descriptions: described({}, { fingerprints: [], protocol: 'RTP/AVP' }) }),
    ],
    [
      'DTLS_SDP_PROBLEM',
      'broken',
      connection({ descriptions: described({ setup: 'active' }, { setup: 'active' }) }),
    ],
    [
      'NO_LOCAL_AUDIO_TRACK',
      'broken',
      connection({
        descriptions: described(),
        transceivers: [
          {
            mid: '0',
            kind: 'audio',
            direction: 'sendrecv',
            currentDirection: 'sendrecv',
            hasSenderTrack: false,
          },
        ],
      }),
    ],
    [
      'NO_UDP_CANDIDATES',
      'broken',
      connection({
        descriptions: described(),
        states: failed,
        candidates: [candidate('local', { protocol: 'tcp' }), candidate('remote')],
      }),
    ],
    [
      'REMOTE_UNREACHABLE_ADDR',
      'broken',
      connection({
        states: failed,
        candidates: [candidate('local'), candidate('remote', { address: '127.0.0.1' })],
      }),
    ],
    [
      'REMOTE_UNREACHABLE_ADDR',
      'broken',
      connection({
        states: failed,
        candidates: [candidate('local', { type: 'srflx' }), candidate('remote', { address: '10.0.0.5' })],
      }),
    ],
    [
      'MDNS_ONLY',
      'broken',
      connection({
        states: failed,
        candidates: [candidate('local'), candidate('remote', { address: 'a-b.local' })],
      }),
    ],
    [
      'ICE_FAILED_NO_RELAY',
      'broken',
      connection({ states: failed, candidates: [candidate('local'), candidate('remote')] }),
    ],
    [
      'ICE_FAILED_WITH_RELAY',
      'broken',
      connection({
        states: failed,
        candidates: [candidate('local', { type: 'relay', address: '203.0.113.10' }), candidate('remote')],
      }),
    ],
    [
      'ICE_NEVER_STARTED',
      'broken',
      connection({
        descriptions: described(),
        states: states([0, 'signaling', 'stable'], [0, 'ice', 'new'], [1, 'gathering', 'complete']),
        candidates: [candidate('local'), candidate('remote')],
      }),
    ],
    [
      'TURN_AUTH_FAILED',
      'broken',
      connection({ states: failed, configuration: relayOnly, candidateErrors: [error(1, 'Unauthorized')] }),
    ],
    [
      'TURN_UNREACHABLE',
      'broken',
      connection({ states: failed, configuration: relayOnly, candidateErrors: [error(701)] }),
    ],
    [
      'TURN_ALLOC_EXPIRED',
      'broken',
      connection({
        ...relayPair,
        candidates: [candidate('local', { id: 'l', type: 'relay' }), candidate('remote', { id: 'r' })],
        states: states([0, 'ice', 'connected'], [606, 'ice', 'disconnected'], [620, 'ice', 'failed']),
        lastAtMs: beginMs + 640_000,
      }),
    ],
    ['OUTBOUND_ZERO', 'broken', flowing({ packetsSent: flat(0) }, {})],
    ['REMOTE_GETS_NOTHING', 'broken', flowing({ remoteFractionLost: flat(1) }, {})],
    ['INBOUND_ZERO', 'broken', flowing({}, { packetsReceived: flat(0) })],
    ['INBOUND_SILENT', 'degraded', flowing({}, { totalAudioEnergy: grows(1e-9), bytesReceived: grows(500) })],
    ['PLAYOUT_MUTED', 'broken', flowing({}, { totalAudioEnergy: flat(0) })],
    ['NOT_PLAYED', 'broken', flowing({}, { totalSamplesReceived: flat(0) })],
    ['HIGH_LOSS', 'degraded', flowing({}, { packetsLost: grows(3) })],
    ['HIGH_JITTER_DELAY', 'degraded', flowing({}, { jitter: flat(0.08) })],
    [
      'HIGH_JITTER_DELAY',
      'degraded',
      flowing({}, { jitterBufferDelay: grows(0.4 * 48_000), jitterBufferEmittedCount: grows(48_000) }),
    ],
    ['HIGH_RTT', 'degraded', flowing({ remoteRoundTripTime: flat(0.4) }, {})],
    ['CONCEALMENT', 'degraded', flowing({}, { concealedSamples: grows(2400) })],
    [
      'PLAYOUT_GLITCH',
      'degraded',
      flowing(
        {},
        {},
        { playout: { synthesizedSamplesDuration: grows(0.2), totalSamplesDuration: grows(1) } },
      ),
    ],
    [
      'BWE_LOW',
      'degraded',
      flowing(
        {},
        {},
        {
          ...relayPair,
          pairs: relayPair.pairs.map((pair) => ({
            ...pair,
            series: { availableOutgoingBitrate: flat(20_000) },
          })),
        },
      ),
    ],
    [
      'CONNECTION_LOST',
      'degraded',
      flowing({}, {}, { states: [...up, ...states([10, 'ice', 'disconnected'], [12, 'ice', 'connected'])] }),
    ],
    [
      'RELAY_TCP',
      'healthy',
      flowing(
        {},
        {},
        {
          ...relayPair,
          candidates: [
            candidate('local', { id: 'l', type: 'relay', relayProtocol: 'tls' }),
            candidate('remote', { id: 'r' }),
          ],
        },
      ),
    ],
  ] satisfies (readonly [string, string, ConnectionFacts, Partial<CallRecording>?])[]
).map(([code, verdict, facts, others = {}]): Case => ({ code, verdict, facts, others }));

describe('the root of what is wrong', () => {
  it.each(cases)('$code: $verdict', ({ code, verdict, facts, others }) => {
    const { report, findings } = judgeCalls([recordingOf([facts], others)], anyCall);
    expect([findings[0]?.code, report.verdict]).toEqual([code, verdict]);
  });

  it('is nothing where audio flows, and nothing is known to be wrong', () => {
    const { report, findings } = judgeCalls([recordingOf([flowing({}, {})])], anyCall);
    expect([report.verdict, findings]).toEqual(['healthy', []]);
  });

  it('on the way to a call that flows is a warning', () => {
    const configuration = { urls: ['turn:YOUR_SERVER'], usernames: [], policy: 'all' } as const;
    const { report, findings } = judgeCalls([recordingOf([flowing({}, {}, { configuration })])], anyCall);
    expect([report.verdict, findings[0]?.severity]).toEqual(['degraded', 'warning']);
  });

  it('is not that a listener whose codec may pause sends nothing', () => {
    const facts = flowing({ packetsSent: flat(7) }, {});
    const streams = facts.streams.map((each) => ({ ...each, usesDtx: true }));
    expect(judgeCalls([recordingOf([{ ...facts, streams }])], anyCall).report.verdict).toBe('unknown');
  });

  it('tells how long a credential had expired', () => {
    const facts = connection({ states: failed, configuration: relayOnly, candidateErrors: [error(401)] });
    const { findings } = judgeCalls([recordingOf([facts])], anyCall);
    expect(findings[0]?.evidence).toMatchObject({
      username: '1795000000:alice',
      expiredForMs: beginMs - 1_795_000_000_000,
    });
  });

  it('where no relay was gathered is told beside it', () => {
    const candidates = [candidate('local'), candidate('remote')];
    const facts = connection({
      states: failed,
      candidates,
      configuration: { ...relayOnly, urls: ['turn:203.0.113.10'] },
    });
    const codes = judgeCalls([recordingOf([facts])], anyCall).findings.map(({ code }) => code);
    expect(codes).toEqual(['ICE_FAILED_NO_RELAY', 'RELAY_NOT_GATHERED']);
  });
});

describe('the call that is told of', () => {
  const broken = connection({
    id: 'bad',
    states: failed,
    candidates: [candidate('local'), candidate('remote')],
    descriptions: described(),
  });

  it('is the worst of those with audio, and the report says so', () => {
    const { report } = judgeCalls([recordingOf([flowing({}, {}), broken])], anyCall);
    expect(report).toMatchObject({
      verdict: 'broken',
      chosen: { connection: 'bad', because: 'the worst of 2 with audio' },
    });
  });

  it('is none that only tries the network, nor one for data', () => {
    const trial = { ...broken, closedAtMs: beginMs + 1, dataChannels: ['precalltest'] };
    const data = connection({ id: 'data', states: failed, dataChannels: ['chat'] });
    const { report } = judgeCalls([recordingOf([trial, data, flowing({}, {})])], anyCall);
    expect(report).toMatchObject({
      verdict: 'healthy',
      chosen: { because: 'the only one; 2 more left out (trials, data alone, or before --since)' },
    });
  });

  const spoken = (local: string, remote: string): ConnectionFacts['descriptions'] => [
    { atMs: beginMs + 10_000, side: 'local', type: 'offer', sections: [section({ ufrag: local })] },
    { atMs: beginMs + 10_000, side: 'remote', type: 'answer', sections: [section({ ufrag: remote })] },
  ];

  it('is none of a page with itself that was over before the call', () => {
    const ended = (at: number) => ({ ...broken, closedAtMs: beginMs + at });
    const loop = [
      { ...ended(5000), id: 'loop', descriptions: spoken('a', 'b') },
      { ...ended(5000), id: 'back', descriptions: spoken('b', 'a') },
    ];
    const call = flowing({}, {}, { descriptions: spoken('c', 'd') });
    expect(judgeCalls([recordingOf([...loop, call])], anyCall).report.verdict).toBe('healthy');
    // One that goes on beside it is as good a call as any.
    const beside = loop.map((each) => ({ ...each, closedAtMs: beginMs + 20_000 }));
    expect(judgeCalls([recordingOf([...beside, call])], anyCall).report.verdict).toBe('broken');
  });

  it('has what its other side shows behind its root, and not what a stranger shows', () => {
    const muted = flowing({ packetsSent: flat(0) }, {}, { id: 'muted', descriptions: spoken('a', 'b') });
    const deaf = (local: string, remote: string): ConnectionFacts =>
      flowing({}, { packetsReceived: flat(0) }, { id: 'deaf', descriptions: spoken(local, remote) });
    const causes = (...ufrags: [string, string]): (string | null)[] =>
      judgeCalls([recordingOf([deaf(...ufrags), muted])], anyCall).findings.map(({ causedBy }) => causedBy);
    expect(causes('b', 'a')).toEqual([null, 'OUTBOUND_ZERO']);
    expect(causes('x', 'y')).toEqual([null, null]);
  });

  it('is the one that was asked for; another name is a mistake', () => {
    const recording = recordingOf([flowing({}, {}), broken]);
    expect(judgeCalls([recording], { ...anyCall, connection: 'pc' }).report.verdict).toBe('healthy');
    expect(() => judgeCalls([recording], { ...anyCall, connection: 'x' })).toThrow(/no connection "x"/);
  });

  it('that is broken leaves nothing open of what comes behind', () => {
    const codecs = [{ payloadType: 18, name: 'G729', clockRate: 8000 }];
    const facts = connection({ descriptions: described({}, { codecs }) });
    const { report, notJudged } = judgeCalls([recordingOf([facts])], anyCall);
    expect(report.calls[0]?.checks.map(({ status }) => status)).toContain('unknown');
    expect([report.verdict, notJudged]).toEqual(['broken', []]);
  });

  it.each(['late', 'whole'] as const)('in which nothing was begun has no fault (%s)', (history) => {
    const { report } = judgeCalls([recordingOf([connection({ history })])], anyCall);
    expect([report.verdict, report.headline]).toEqual([
      'unknown',
      expect.not.stringContaining('but') as string,
    ]);
  });

  it('is none that ended before', () => {
    const recording = recordingOf([{ ...broken, lastAtMs: beginMs }, flowing({}, {})]);
    expect(judgeCalls([recording], { ...anyCall, sinceMs: beginMs + 1000 }).report.verdict).toBe('healthy');
  });

  it('is none in an empty recording, which proves nothing', () => {
    const { report, findings } = judgeCalls([recordingOf([])], anyCall);
    expect([report.verdict, findings.map(({ code }) => code)]).toEqual(['unknown', ['EVIDENCE_EMPTY']]);
  });

  it('of a real dump stays healthy whatever side is asked for', async () => {
    const { report } = judgeCalls([recordingOf([await healthyCall()])], { ...anyCall, expect: 'recv' });
    expect(report).toMatchObject({
      verdict: 'healthy',
      headline: 'audio flowed in, relay to relay over udp',
    });
  });
});

describe('a path that changed', () => {
  const pair = (id: string, localId: string) => ({
    ...{ id, localId, remoteId: 'r', state: 'succeeded', isNominated: true, series: {} },
  });
  const switched = (
    packetsReceived: StreamFacts['series']['packetsReceived'],
    second = 12,
  ): ConnectionFacts =>
    flowing({}, packetsReceived === undefined ? {} : { packetsReceived }, {
      candidates: [
        candidate('local', { id: 'l' }),
        candidate('local', { id: 'l2', type: 'relay' }),
        candidate('remote', { id: 'r' }),
      ],
      pairs: [pair('p', 'l'), pair('p2', 'l2')],
      transports: [
        {
          ...{ id: 't', dtlsRole: null, series: {} },
          selections: [
            { atMs: beginMs + 1000, pairId: 'p' },
            { atMs: beginMs + second * 1000, pairId: 'p2' },
          ],
        },
      ],
    });

  const paused = everySecond(seconds, (second) => 50 * (second < 7 ? second : Math.max(7, second - 4)));

  it.each([4, 24])('at another time than a pause, %i s, has nothing to do with it', (second) => {
    expect(judgeCalls([recordingOf([switched(paused, second)])], anyCall).findings).toEqual([]);
  });

  it('after a pause is told as an interruption, which no state and no loss shows', () => {
    const { report, findings } = judgeCalls([recordingOf([switched(paused)])], anyCall);
    expect([report.verdict, findings.map(({ code }) => code)]).toEqual(['degraded', ['CONNECTION_LOST']]);
    expect(findings[0]?.evidence).toMatchObject({ afterMs: 6000, forMs: 4000 });
  });

  it('without one is named beside the path', () => {
    const { report, findings } = judgeCalls([recordingOf([switched(undefined)])], anyCall);
    expect(findings).toEqual([]);
    expect(report.calls[0]?.checks.find(({ id }) => id === 'ice-connects')?.detail).toBe(
      'relay to host over udp; before: host to host over udp',
    );
  });
});

it('gives silence no score', () => {
  const quiet = flowing({}, { totalAudioEnergy: grows(1e-9), bytesReceived: grows(500) });
  const { report } = judgeCalls([recordingOf([quiet])], anyCall);
  expect(report.calls[0]?.figures.map(({ direction, mos }) => [direction, mos === null])).toEqual([
    ['sent', false],
    ['received', true],
  ]);
});

it('names what the loss makes of the sound, under the loss', () => {
  const { findings } = judgeCalls([recordingOf([flowing({}, { packetsLost: grows(15) })])], anyCall);
  expect(findings[0]?.code).toBe('HIGH_LOSS');
  expect(findings.find(({ code }) => code === 'LOW_MOS')).toMatchObject({ causedBy: 'HIGH_LOSS' });
});

it('provokes every finding that there is of this kind, here or in a call that was recorded', async () => {
  const dumps = (await readdir(recordingPath(''))).filter((name) => name.endsWith('.internals.gz'));
  for (const name of dumps) judgeCalls([await recorded(name)], anyCall);
  expect(provoked.missing(Object.keys(recordedCallCatalog))).toEqual(joinedWithLog);
});
