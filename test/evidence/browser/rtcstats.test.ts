import { describe, expect, it } from 'vitest';
import { callRecordingKind } from '../../../src/evidence/browser/source-kind.ts';
import { readRtcStats } from '../../../src/evidence/browser/rtcstats.ts';

async function read(lines: readonly unknown[]) {
  const text = lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n');
  return readRtcStats(
    (async function* pieces() {
      for (let at = 0; at < text.length; at += 100) yield Buffer.from(text.slice(at, at + 100));
    })(),
  );
}

const begin = 1_758_602_115_670;

describe('rtcstats', () => {
  it('of format 3 is unpacked: numbers for names, differences for times and figures', async () => {
    const { connections, source, mediaRequests } = await read([
      'RTCStatsDump',
      { fileFormat: 3, startTime: begin, userAgent: 'Mozilla/5.0 Chrome/140.0.0.0 Safari/537.36' },
      [39, null, { hardwareConcurrency: 8 }, begin],
      [60, null, { audio: true }, '60-0', 10],
      [65, null, 'NotReadableError', '60-0', 20],
      [39, 'PC_0', { iceServers: [{ urls: 'turn:x.test', username: 'u' }] }, 30],
      [24, 'PC_0', 'checking', 40],
      [
        'g',
        'PC_0',
        { 0: { type: 2, 11: 'audio', 79: 10, 10: 7 }, 1: { type: 5, 123: 'connected' }, t: begin + 200 },
        100,
      ],
      ['g', 'PC_0', { 0: { 79: 60 }, t: begin + 1200 }, 1000],
      ['g', 'PC_0', { 1: null, t: begin + 2200 }, 1000],
    ]);
    expect(source).toMatchObject({ writer: 'Chrome 140', missing: [] });
    expect(mediaRequests).toMatchObject([
      { wantsAudio: true, wantsVideo: false, result: { state: 'refused', error: 'NotReadableError' } },
    ]);
    expect(connections[0]).toMatchObject({
      id: 'PC_0',
      configuration: { urls: ['turn:x.test'], usernames: ['u'] },
    });
    expect(connections[0]?.states[0]).toEqual({ atMs: begin + 100, machine: 'ice', state: 'checking' });
    const series = connections[0]?.streams[0]?.series.packetsSent;
    expect(series?.values).toEqual([10, 60, 60]);
    expect(series?.atMs).toEqual([begin + 200, begin + 1200, begin + 2200]);
  });

  it('of older servers has whole times and names', async () => {
    const { connections } = await read([
      ['create', 'PC_1', { iceTransportPolicy: 'relay', iceServers: [] }, begin],
      ['onconnectionstatechange', 'PC_1', 'failed', begin + 5],
      [
        'getstats',
        'PC_1',
        { a: { type: 'inbound-rtp', kind: 'audio', packetsReceived: 3 }, timestamp: begin + 6 },
        begin + 6,
      ],
    ]);
    expect(connections[0]).toMatchObject({
      configuration: { policy: 'relay' },
      states: [{ atMs: begin + 5, machine: 'connection', state: 'failed' }],
      streams: [{ direction: 'inbound', series: { packetsReceived: { values: [3] } } }],
    });
  });

  it('has zero for the time of a whole report, and the tracks of a stream in it', async () => {
    const report = (packetsReceived: number, at: number) =>
      ['getstats', 'PC_1', { a: { timestamp: 0, packetsReceived }, timestamp: at }, at] as const;
    const { connections, mediaRequests } = await read([
      ['navigator.mediaDevices.getUserMedia', null, { audio: true }, begin],
      ['navigator.mediaDevices.getUserMediaOnSuccess', null, { id: 's', tracks: [{ kind: 'audio' }] }, begin],
      ['create', 'PC_1', {}, begin],
      ['getstats', 'PC_1', { a: { type: 'inbound-rtp', kind: 'audio' }, timestamp: begin }, begin],
      report(10, begin + 1000),
      report(60, begin + 2000),
    ]);
    expect(connections[0]?.streams[0]?.series.packetsReceived).toMatchObject({
      atMs: [begin + 1000, begin + 2000],
      values: [10, 60],
    });
    expect(mediaRequests[0]?.result).toEqual({ state: 'granted', hasAudio: true });
  });

  it('of Jitsi has the number of each line behind its time', async () => {
    const { connections } = await read([
      ['identity', null, { confName: 'x' }, begin, 1],
      ['create', 'PC_1', {}, begin + 1, 2],
      ['onconnectionstatechange', 'PC_1', 'failed', begin + 5, 3],
    ]);
    expect(connections[0]).toMatchObject({
      firstAtMs: begin + 1,
      states: [{ atMs: begin + 5, machine: 'connection', state: 'failed' }],
    });
  });

  it('of a server without a number of its format is known by its lines', () => {
    const lines = '{"path":"/","url":"https://x.test/","time":1}\n["create","PC_0",{},1795290182333]\n';
    expect(callRecordingKind(Buffer.from(lines))).toBe('rtcstats');
  });

  it('with damaged lines says how many', async () => {
    const { source } = await read([
      'RTCStatsDump',
      '{"fileFormat":3}',
      '["create","a",{',
      '[]',
      'null',
      '[null,{},{}]',
      '["__proto__","__proto__",{"__proto__":{}},1]',
    ]);
    expect(source.missing).toEqual(['1 lines are damaged and were left out']);
  });
});
