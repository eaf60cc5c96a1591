import { gunzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readAboutWebrtc } from '../../../src/evidence/browser/about-webrtc.ts';
import { callRecordingKind } from '../../../src/evidence/browser/source-kind.ts';
import { recordingPath } from '../../support/recorded-calls.ts';

async function read(bytes: Buffer) {
  return readAboutWebrtc(
    (async function* pieces() {
      for (let at = 0; at < bytes.length; at += 1000) yield bytes.subarray(at, at + 1000);
    })(),
  );
}

function stored(name: string): Buffer {
  return gunzipSync(readFileSync(recordingPath(name)));
}

const begin = 1_795_276_406_123;
const pcid = `{510ff833-fd51-4990-8f0a-53c88ff1b966} ${begin}000 (id=10737418241 url=https://app.rtc-ops.test/)`;

/** A page of Firefox 68, in German: candidates stand before the state, and nothing has a name. */
const olderPage = `<div id="content"><div class="stats"><div class="peer-connection">
<h3>[ 93 ] https://app.rtc-ops.test/b\u00fcro (geschlossen) Sat Nov 21 2026 16:54:06 GMT+0100 (Mitteleurop\u00e4ische Zeit)</h3>
<div><div><span>PeerConnection-ID: </span><span>${begin}000 (id=93 url=https://app.rtc-ops.test/b\u00fcro)</span></div>
<div><h4>ICE-Statistiken</h4><table><tr><th>Lokaler Kandidat</th><th>Anderer</th></tr>
<tr><td>192.0.2.7:50000/udp(host)</td><td>198.51.100.9:50001/udp(serverreflexive)</td><td>1</td><td>succeeded</td><td>77</td><td>true</td><td>true</td><td>5000</td><td>6000</td></tr>
<tr><td>[2001:db8::7]:50000/udp(host)</td><td>*</td><td>1</td><td>failed</td><td>7</td><td></td><td></td><td></td><td></td></tr>
</table><table class="raw-candidate"><tr><th>a</th><th>b</th></tr>
<tr><td>host(IP4:192.0.2.7:50000/UDP)</td><td>candidate:0 1 UDP 1686052607 198.51.100.9 50001 typ srflx</td></tr></table></div>
<div><h4>SDP</h4><h5>Lokale SDP (Angebot)</h5><pre>v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=setup:actpass\r\na=sendrecv\r\n</pre>
<h5>Andere SDP (Antwort)</h5><pre>v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=setup:active\r\na=recvonly\r\n</pre></div>
<div><h4>RTP</h4><div><h5>inbound_rtp_audio_1</h5><p>Decoder:</p>
<p>Local: 16:54:05 GMT+0100 (x) inboundrtp SSRC: 1234 Received: 1500 packets (66.82 Kb) Lost: 7 Jitter: 0.006</p></div></div>
</div></div></div></div>`;

describe('a saved page of about:webrtc', () => {
  it('tells of every connection: servers, candidates, the chosen pair, descriptions, streams', async () => {
    const { source, connections } = await read(stored('healthy-relay.firefox-page.gz'));
    expect(source).toMatchObject({ writer: 'Firefox', engine: 'firefox', missing: [] });
    expect(connections).toHaveLength(2);
    const [first] = connections;
    expect(first).toMatchObject({
      url: 'http://localhost:8899/',
      history: 'none',
      configuration: { urls: ['turn:203.0.113.10:3478'], policy: 'relay' },
      descriptions: [
        { side: 'local', type: 'offer', sections: [{ kind: 'audio' }] },
        { side: 'remote', type: 'answer' },
      ],
    });
    expect(first?.descriptions[0]?.atMs).toBeGreaterThan(1.79e12);
    expect(first?.candidates).toMatchObject([
      { side: 'local', type: 'relay', address: '203.0.113.10', port: 62_018, relayProtocol: 'udp' },
      { side: 'remote', type: 'relay', address: '203.0.113.10', port: 58_593 },
    ]);
    expect(first?.pairs).toMatchObject([{ state: 'succeeded', isNominated: true }]);
    const inbound = first?.streams.find(({ direction }) => direction === 'inbound');
    expect(inbound).toMatchObject({ kind: 'audio', codec: 'opus' });
    // From nothing, when the connection was made, to what it has.
    expect(inbound?.series.packetsReceived?.values).toEqual([0, expect.any(Number)]);
    expect(inbound?.series.remotePacketsSent?.values.at(-1)).toBeGreaterThan(100);
  });

  it('says the same as the page that was copied', async () => {
    const [page, text] = await Promise.all(
      ['page', 'text'].map(async (kind) => read(stored(`healthy-relay.firefox-${kind}.gz`))),
    );
    expect(text?.connections.map(({ id, candidates, pairs }) => ({ id, candidates, pairs }))).toEqual(
      page?.connections.map(({ id, candidates, pairs }) => ({ id, candidates, pairs })),
    );
  });

  it.each([
    ['wrong-password', { url: 'turn:203.0.113.10:3478', code: 401 }],
    ['turn-unreachable', { url: 'turn:203.0.113.10:3999', code: 701, text: 'allocate request timed out' }],
  ])('tells of %s by its log', async (name, error) => {
    const { connections } = await read(stored(`${name}.firefox-page.gz`));
    expect(connections.map(({ candidateErrors }) => candidateErrors[0])).toMatchObject([error, error]);
  });

  it('of Firefox 68, in another language and a byte a character, is read too', async () => {
    const bytes = Buffer.from(olderPage, 'latin1');
    expect(callRecordingKind(bytes)).toBe('about-webrtc');
    const { connections } = await read(bytes);
    expect(connections).toHaveLength(1);
    const [only] = connections;
    expect(only).toMatchObject({
      url: 'https://app.rtc-ops.test/b\u00fcro',
      firstAtMs: begin,
      closedAtMs: Date.UTC(2026, 10, 21, 15, 54, 6),
      descriptions: [
        { side: 'local', type: 'offer' },
        { side: 'remote', type: 'answer', sections: [{ direction: 'recvonly' }] },
      ],
      streams: [{ direction: 'inbound', kind: 'audio', ssrc: 1234 }],
    });
    // Nothing is known of its servers, which is not that there are none.
    expect(only?.configuration).toBeNull();
    expect(only?.pairs).toMatchObject([
      { state: 'succeeded', isNominated: true },
      { state: 'failed', isNominated: false },
    ]);
    expect(only?.candidates).toMatchObject([
      { side: 'local', type: 'host', address: '192.0.2.7' },
      { side: 'remote', type: 'srflx', address: '198.51.100.9' },
      { side: 'local', type: 'host', address: '2001:db8::7', port: 50_000 },
    ]);
    expect(only?.streams[0]?.series).toMatchObject({
      packetsReceived: { values: [0, 1500], atMs: [begin, Date.UTC(2026, 10, 21, 15, 54, 5)] },
      packetsLost: { values: [0, 7] },
    });
  });
});

describe('a copied report', () => {
  it('of several connections in one file is read one by one', async () => {
    const { connections, source } = await read(stored('healthy-relay.firefox-report.gz'));
    expect(source.savedAtMs).toBeGreaterThan(1.79e12);
    expect(connections.map(({ states }) => states.at(-1))).toMatchObject([
      { machine: 'ice', state: 'connected' },
      { machine: 'ice', state: 'connected' },
    ]);
    expect(connections[0]?.transports[0]?.selections).toHaveLength(1);
  });

  it('with its history has a figure for each report', async () => {
    const { connections } = await read(stored('healthy-relay.firefox-history.gz'));
    const inbound = connections[0]?.streams.find(({ direction }) => direction === 'inbound');
    expect(inbound?.series.packetsReceived?.values.length).toBeGreaterThan(5);
    expect(connections[0]?.descriptions).toHaveLength(2);
  });

  it('of Firefox 72 has the last descriptions, and old names', async () => {
    const report = {
      closed: true,
      inboundRTPStreamStats: [
        {
          id: 'i',
          timestamp: begin + 9000,
          type: 'inboundrtp',
          mediaType: 'audio',
          ssrc: 5,
          packetsReceived: 400,
        },
      ],
      iceCandidateStats: [
        {
          id: 'l',
          type: 'localcandidate',
          candidateType: 'relayed',
          transport: 'udp',
          ipAddress: '192.0.2.1',
          portNumber: 9,
        },
      ],
      localSdp:
        'v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVPF 0\r\na=setup:active\r\n',
      remoteSdp: 'v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\nm=audio 9 RTP/SAVPF 0\r\n',
      offerer: false,
      pcid,
      timestamp: begin + 10_000,
    };
    const bytes = Buffer.from(JSON.stringify(report, null, 2));
    expect(callRecordingKind(bytes)).toBe('about-webrtc');
    const { connections } = await read(bytes);
    expect(connections[0]).toMatchObject({
      id: '510ff833-fd51-4990-8f0a-53c88ff1b966',
      firstAtMs: begin,
      closedAtMs: begin + 10_000,
      candidates: [{ side: 'local', type: 'relay', address: '192.0.2.1' }],
      descriptions: [
        { side: 'remote', type: 'offer' },
        { side: 'local', type: 'answer' },
      ],
      streams: [{ direction: 'inbound', series: { packetsReceived: { values: [0, 400] } } }],
    });
  });

  it('that ends early says so, and tells what it has', async () => {
    const whole = stored('healthy-relay.firefox-report.gz');
    const { connections, source } = await read(whole.subarray(0, whole.length - 3000));
    expect(connections.length).toBeGreaterThan(0);
    expect(source.missing).toEqual([expect.stringMatching(/^the file is damaged/)]);
  });
});

describe('hostile texts', () => {
  it.each([
    ['deep nesting', `<div data-l10n-id="about-webrtc-x">${'<div><b>'.repeat(200_000)}`],
    ['members of prototypes', `{"pcid":"1","__proto__":[{"id":"__proto__","type":"x"}],"constructor":{}}`],
    [
      'members of prototypes as names',
      `<b data-l10n-id="constructor" data-l10n-args='{"__proto__":1}'>x</b>`,
    ],
    [
      'huge numbers',
      `{"pcid":"${'9'.repeat(400)} (id=1 url=x)","timestamp":1e308,"sdpHistory":[{"timestamp":-1e999}]}`,
    ],
    ['a name without an end', `${pcid}\n${'candidate:'.repeat(100_000)}`],
    ['rows without an end', `${pcid}\n${'\t192.0.2.1:1/udp(host)'.repeat(50_000)}\tsucceeded`],
  ])('%s: read without harm', async (_, text) => {
    const { connections } = await read(Buffer.from(text));
    expect(connections.length).toBeLessThan(2);
    expect(Object.hasOwn(Object.prototype, 'id')).toBe(false);
  });
});
