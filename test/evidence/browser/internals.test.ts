import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { readInternals } from '../../../src/evidence/browser/internals.ts';
import { recordingPath } from '../../support/recorded-calls.ts';

async function* inPieces(bytes: Buffer, size = 4096): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(dump: unknown) {
  return readInternals(inPieces(Buffer.from(typeof dump === 'string' ? dump : JSON.stringify(dump))));
}

const sdp = (direction: string): string =>
  [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    `a=${direction}`,
    'a=mid:0',
    'a=rtpmap:111 opus/48000/2',
    '',
  ].join('\r\n');

describe('a dump of Chrome 86', () => {
  const series = (values: unknown[], statsType: string) => ({
    startTime: '2021-01-17T10:04:06.000Z',
    endTime: '2021-01-17T10:04:08.000Z',
    statsType,
    values: JSON.stringify(values),
  });
  const dump = {
    getUserMedia: [{ pid: 1, rid: 2, origin: 'https://x.test', audio: '' }],
    PeerConnections: {
      '1-1': {
        url: 'https://x.test/',
        rtcConfiguration:
          '{ iceServers: [stun:stun.x.test, turn:turn.x.test?transport=udp], iceTransportPolicy: relay, bundlePolicy: balanced }',
        updateLog: [
          { time: '1/17/2021, 12:04:05 PM', type: 'createOffer', value: '' },
          {
            time: '1/17/2021, 12:04:05 PM',
            type: 'setLocalDescription',
            value: `type: offer, sdp: ${sdp('sendrecv')}`,
          },
          { time: '1/17/2021, 12:04:05 PM', type: 'setLocalDescriptionOnSuccess', value: '' },
          {
            time: '1/17/2021, 12:04:05 PM',
            type: 'signalingStateChange',
            value: 'SignalingStateHaveLocalOffer',
          },
          {
            time: '1/17/2021, 12:04:06 PM',
            type: 'icecandidate',
            value:
              'sdpMid: 0, sdpMLineIndex: 0, candidate: candidate:1 1 udp 41885439 203.0.113.10 50000 typ relay raddr 0.0.0.0 rport 0, relayProtocol: tcp',
          },
          { time: '1/17/2021, 12:04:06 PM', type: 'iceConnectionStateChange', value: 'checking' },
          {
            time: '1/17/2021, 12:04:06 PM',
            type: 'icecandidateerror',
            value:
              'url: turn:turn.x.test?transport=udp\nhost_candidate: 192.168.0.2:5000\nerror_text: Unauthorized\nerror_code: 401',
          },
          {
            time: '1/17/2021, 12:04:07 PM',
            type: 'transceiverModified',
            value:
              "Caused by: setRemoteDescription\n\ngetTransceivers()[0]:{\n  mid:'0',\n  kind:'audio',\n  sender:{\n    track:'abc',\n  },\n  direction:'sendrecv',\n  currentDirection:'recvonly',\n}",
          },
        ],
        stats: {
          'RTCInboundRTPAudioStream_5-packetsReceived': series([0, 50, 100], 'inbound-rtp'),
          'RTCInboundRTPAudioStream_5-kind': series(['audio', 'audio', 'audio'], 'inbound-rtp'),
          'RTCInboundRTPAudioStream_5-audioLevel': series([-1, 16_383.5, 0.5], 'inbound-rtp'),
          'ssrc_7_send-packetsSent': series(['1', '2', '3'], 'ssrc'),
          'ssrc_7_send-audioInputLevel': series(['0', '32767', '0'], 'ssrc'),
          'ssrc_7_send-googRtt': series(['20', '40', '20'], 'ssrc'),
        },
      },
    },
    UserAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/86.0.4240.75 Safari/537.36',
  };

  it('is read with its events, in UTC', async () => {
    const { connections, source } = await read(dump);
    const [call] = connections;
    expect(source).toMatchObject({ writer: 'Chrome 86', engine: 'chromium', missing: [] });
    expect(call).toMatchObject({
      history: 'whole',
      configuration: { urls: ['stun:stun.x.test', 'turn:turn.x.test?transport=udp'], policy: 'relay' },
      transceivers: [
        {
          mid: '0',
          kind: 'audio',
          direction: 'sendrecv',
          currentDirection: 'recvonly',
          hasSenderTrack: true,
        },
      ],
      candidates: [{ type: 'relay', address: '203.0.113.10', port: 50_000, relayProtocol: 'tcp' }],
      candidateErrors: [
        {
          url: 'turn:turn.x.test?transport=udp',
          code: 401,
          text: 'Unauthorized',
          local: { address: '192.168.0.2', port: 5000 },
        },
      ],
    });
    expect(
      call?.descriptions.map(({ type, side, sections }) => [type, side, sections?.[0]?.direction]),
    ).toEqual([['offer', 'local', 'sendrecv']]);
    expect(call?.states.map(({ machine, state }) => `${machine} ${state}`)).toEqual([
      'signaling have-local-offer',
      'ice checking',
    ]);
    // The local time of whoever saved it is two hours ahead, in the time zone of this machine or of any other.
    expect(new Date(call?.states[0]?.atMs ?? 0).toISOString()).toMatch(/^2021-01-17T10:04:05/);
  });

  it('is read with its figures, in the units of today', async () => {
    const { connections } = await read(dump);
    const streams = connections[0]?.streams ?? [];
    expect(streams.map(({ direction, kind }) => `${direction} ${kind}`)).toEqual([
      'inbound audio',
      'outbound audio',
    ]);
    const [inbound, outbound] = streams;
    expect(inbound?.series.packetsReceived?.values).toEqual([0, 50, 100]);
    expect(inbound?.series.packetsReceived?.atMs.map((ms) => new Date(ms).getUTCSeconds())).toEqual([
      6, 7, 8,
    ]);
    expect(inbound?.series.audioLevel?.values).toEqual([0.5, 0.5]);
    expect(outbound?.series.remoteRoundTripTime?.values).toEqual([0.02, 0.04, 0.02]);
    expect(connections[0]?.sources[0]?.series.audioLevel?.values).toEqual([0, 1, 0]);
  });
});

describe('a dump that is damaged or hostile', () => {
  const whole = gunzipSync(readFileSync(recordingPath('wrong-password.internals.gz')));

  it('cut anywhere is read as far as it goes, and says so', async () => {
    const last = whole.lastIndexOf('}');
    for (let length = 2; length < last; length += 211) {
      const { source } = await readInternals(inPieces(whole.subarray(0, length)));
      expect(source.missing.join()).toMatch(/damaged/);
    }
  });

  it.each([
    ['an empty object', '{}'],
    ['another shape', '{"PeerConnections": [1, "x", null], "getUserMedia": {"a": 1}, "UserAgent": 7}'],
    [
      'keys of the prototype',
      '{"PeerConnections": {"__proto__": {"stats": {"__proto__-packetsSent": {"values": [1], "statsType": "constructor"}, "toString-type": {"values": ["__proto__"]}}, "updateLog": [{"type": "constructor", "value": "{}"}, {"type": "toString"}]}}}',
    ],
    [
      'numbers without end',
      '{"PeerConnections": {"1": {"stats": {"a-packetsSent": {"values": [1e999, -1e999, 1e308], "startTime": "x", "statsType": "outbound-rtp"}}, "updateLog": [{"type": "close", "timestamp": 1e308}]}}}',
    ],
    [
      'lists that are none',
      '{"PeerConnections": {"1": {"stats": {"a-packetsSent": {"values": {"length": 9}}}, "updateLog": 5, "rtcConfiguration": [[[]]]}}}',
    ],
  ])('%s does no harm', async (_, text) => {
    await expect(read(text)).resolves.toBeDefined();
    expect(({} as Record<string, unknown>)['stats']).toBeUndefined();
  });

  it('tells no password that someone wrote into a URL', async () => {
    const rtcConfiguration = JSON.stringify({ iceServers: [{ urls: 'turn:alice:s3cr3t@turn.x.test:3478' }] });
    const message = "'turns:alice:s3cr3t@turn.x.test' is not a valid TURN server URL";
    const updateLog = [
      { timestamp: 1, type: 'setLocalDescriptionOnFailure', value: JSON.stringify({ message }) },
    ];
    const { connections } = await read({ PeerConnections: { 1: { rtcConfiguration, updateLog } } });
    expect(connections[0]?.configuration?.urls).toEqual(['turn:[redacted]@turn.x.test:3478']);
    expect(connections[0]?.failures).toHaveLength(1);
    expect(JSON.stringify(connections)).not.toContain('s3cr3t');
  });

  it('nested without end is left alone', async () => {
    const { source } = await read(`{"PeerConnections": {"1": {"updateLog": [${'['.repeat(50_000)}`);
    expect(source.missing.join()).toMatch(/nested/);
  });
});
