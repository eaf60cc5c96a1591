import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../src/evidence/byte-source.ts';
import { readRecordings } from '../../src/evidence/recording.ts';
import type { Recording } from '../../src/model/recording-report.ts';
import { recordingPath } from '../support/recorded-calls.ts';

function stored(name: string): Buffer {
  return gunzipSync(readFileSync(recordingPath(`${name}.gz`)));
}

const dump = stored('joined/wrong-password.internals');
const log = stored('joined/wrong-password.log');
const capture = stored('joined/wrong-password.pcap');
const page = Buffer.concat([
  Buffer.from('<html>'),
  stored('wrong-password.firefox-page'),
  Buffer.from('</html>'),
]);
const stats = stored('wrong-password.getstats');
const trace = stored('wrong-password.rtcstats');
const sdp = readFileSync(recordingPath('direction-mismatch.sdp'));

/** Behind one another, as `cat` and a mail put them, in chunks of this length. */
async function read(parts: readonly (Buffer | string)[], chunkBytes = 64 * 1024): Promise<Recording[]> {
  const all = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const chunks = Array.from({ length: Math.ceil(all.length / chunkBytes) }, (_, index) =>
    all.subarray(index * chunkBytes, (index + 1) * chunkBytes),
  );
  return readRecordings(streamSource(Readable.from(chunks), 'stdin'), 'stdin', Date.UTC(2026, 10, 21));
}

function kindOf(recording: Recording): string {
  return recording.kind === 'calls' ? recording.facts.source.kind : recording.kind;
}

describe('what stands behind one another in a file', () => {
  it.each([
    ['dump, dump', [dump, '\n', dump], ['webrtc-internals', 'webrtc-internals']],
    ['dump, log', [dump, '\n', log], ['webrtc-internals', 'server-log']],
    ['log, dump', [log, dump], ['server-log', 'webrtc-internals']],
    ['page, log', [page, '\n', log], ['about-webrtc', 'server-log']],
    ['page, page', [page, page], ['about-webrtc', 'about-webrtc']],
    ['getStats, dump', [stats, '\n', dump], ['getstats', 'webrtc-internals']],
    ['trace, log', [trace, '\n', log, dump], ['rtcstats', 'server-log', 'webrtc-internals']],
    ['SDP, log', [sdp, '\n', log], ['signaling', 'server-log']],
    ['words, dump', ['Hi,\nwe heard nothing:\n\n', dump], ['webrtc-internals']],
    ['a fence around a dump', ['```json\n', dump, '\n```\n'], ['webrtc-internals']],
    ['words, log', ['Hi,\n\n', log], ['server-log']],
    ['log, page', [log, page], ['server-log', 'about-webrtc']],
  ] as const)('%s: each is read', async (_, parts, kinds) => {
    for (const chunkBytes of [64 * 1024, 1021]) {
      const found = await read(parts, chunkBytes);
      expect(found.map(kindOf)).toEqual(kinds);
      expect(found.some((each) => each.kind === 'calls' && each.facts.source.isDamaged)).toBe(false);
      const files = found.map((each) => (each.kind === 'calls' ? each.facts.source.file : each.facts.file));
      expect(files).toEqual(['stdin', 'stdin, part 2', 'stdin, part 3'].slice(0, kinds.length));
    }
  });

  it('is told apart where two traces have connections of one name', async () => {
    const good = stored('healthy-relay.rtcstats');
    for (const between of ['', '\n']) {
      const [recording, ...others] = await read([good, between, trace]);
      expect(others).toEqual([]);
      if (recording?.kind !== 'calls') throw new Error('it is no recording of calls');
      const { connections, source } = recording.facts;
      expect(connections.map(({ id }) => id)).toEqual(['9-1', '9-2', '9-1 (trace 2)', '9-2 (trace 2)']);
      expect(source.isDamaged).toBe(false);
    }
  });

  it('is told of where it cannot be read', async () => {
    const [first, ...others] = await read([dump, '\n', Buffer.alloc(5000, 'x')]);
    expect(others).toEqual([]);
    expect(first?.kind === 'calls' && first.facts.source).toMatchObject({
      isDamaged: true,
      missing: ['what stands behind it is nothing that can be read'],
    });
  });

  it('is read up to a hundred of them, and that is said', async () => {
    const small = '{"PeerConnections":{}}\n';
    const found = await read([small.repeat(99), dump, small.repeat(200)]);
    expect(found).toHaveLength(100);
    const last = found.at(-1);
    expect(last?.kind === 'calls' && last.facts.source.missing).toEqual([
      'only the first 100 recordings in it are read',
    ]);
  });

  it('loses no line of a log to one that a client sent', async () => {
    const time = '2026-11-21T12:00:00+0000';
    const lines = [
      `${time}: session 1: realm <a> user <bob>: incoming packet ALLOCATE processed, error 486: Quota`,
      `${time}: check_stun_auth: wrong username: x`,
      'RTCStatsDump',
      `${time}: session 2: realm <a> user <>: incoming packet ALLOCATE processed, error 400: Wrong`,
      `${time}: session 2: realm <a> user <bob>: incoming packet ALLOCATE processed, error 486: Quota`,
    ];
    const found = await read([lines.join('\n')]);
    expect(found.map(kindOf)).toEqual(['server-log']);
  });
});

describe('a file that is nothing of the kind', () => {
  it.each([
    ['504b0304', 'stdin is a zip archive'],
    ['425a6839', 'stdin is packed with bzip2'],
    ['89504e470d0a1a0a', 'stdin is a picture'],
    ['736e6f6f70000000', 'stdin is a capture in the format of snoop'],
    ['', 'stdin is empty'],
    ['000102', 'stdin is nothing that rtc-ops analyze can read'],
  ])('%s: says what it is', async (hex, message) => {
    await expect(read([Buffer.from(hex, 'hex')])).rejects.toMatchObject({ code: 'configuration', message });
  });

  it('is no capture by its beginning alone', async () => {
    expect((await read([capture])).map(kindOf)).toEqual(['capture']);
  });
});
