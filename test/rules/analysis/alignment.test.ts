import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readCapture } from '../../../src/evidence/pcap/capture.ts';
import { readServerLog } from '../../../src/evidence/server-log.ts';
import { recordingJoinCatalog } from '../../../src/model/catalog/recording-join.ts';
import { wordsOf, type Finding } from '../../../src/model/finding.ts';
import { judgeAlignment as rules } from '../../../src/rules/analysis/alignment.ts';
import { put } from '../../../src/stun/attribute.ts';
import { username } from '../../../src/stun/authentication-attributes.ts';
import { encodeMessage, method } from '../../../src/stun/message.ts';
import { ipBytes, pcapOf } from '../../support/capture-writer.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const judgeAlignment = provoked.watch(rules);

const start = Date.UTC(2026, 10, 21, 12, 50, 15) / 1000;
const server = { address: '203.0.113.10', port: 3478 };

interface Session {
  readonly user: string;
  /** Seconds after the start, in the capture and in the log. */
  readonly captured: number;
  readonly logged: number;
  readonly port?: number;
}

/** Both show the sessions; the log begins its lines with what `time` makes of the seconds. */
async function together(sessions: readonly Session[], time: (seconds: number) => string): Promise<Finding[]> {
  const packets = sessions.flatMap(({ user, captured, port = 51000 }, index) => {
    const transactionId = Buffer.alloc(12, index);
    const from = { address: '192.0.2.7', port };
    const request = encodeMessage({
      class: 'request',
      method: method.allocate,
      transactionId,
      attributes: [put(username, user)],
    });
    const answer = encodeMessage({ class: 'success', method: method.allocate, transactionId });
    return [
      { at: start + captured, from, to: server, payload: request },
      { at: start + captured, from: server, to: from, payload: answer },
    ];
  });
  const lines = sessions.flatMap(({ user, logged, port = 51000 }, index) => {
    const prefix = `${time(logged)}: session ${String(index).padStart(18, '0')}:`;
    return [
      `${prefix} new, realm=<r>, username=<${user}>, lifetime=600`,
      `${prefix} closed (2nd stage), user <${user}> realm <r> origin <>, local 203.0.113.10:3478, remote 192.0.2.7:${port}, reason: x`,
    ];
  });
  const pcap = pcapOf(packets.map((packet) => ({ at: packet.at, bytes: ipBytes(packet) })));
  const [log, capture] = [
    await readServerLog(
      streamSource(Readable.from([Buffer.from(lines.join('\n'))]), 'x.log'),
      'x.log',
      start * 1000,
    ),
    await readCapture(streamSource(Readable.from([pcap]), 'x.pcap'), 'x.pcap'),
  ];
  return judgeAlignment(log, capture);
}

const iso = (seconds: number): string =>
  new Date((start + seconds) * 1000).toISOString().slice(0, 19) + '+0000';

describe('a log and a capture', () => {
  it.each<[string, number, RegExp]>([
    ['with one clock', 0, /within 2 s/],
    ['where the log is behind', -60, /x\.log is 60 s behind the clock of x\.pcap/],
    ['where the log is ahead', 60, /x\.log is 60 s ahead of the clock/],
  ])('%s', async (_what, shift, words) => {
    const sessions = [
      { user: 'a', captured: 1, logged: 1 + shift, port: 1 },
      { user: 'a', captured: 9, logged: 9 + shift, port: 2 },
      { user: 'b', captured: 20, logged: 20 + shift, port: 3 },
    ];
    const [found] = await together(sessions, iso);
    expect(found).toMatchObject({
      code: 'RECORDINGS_ALIGNED',
      severity: 'info',
      evidence: { sessions: 3, offsetS: -shift || 0 },
    });
    expect(found && wordsOf(found).cause).toMatch(words);
  });

  it('by the seconds of coturn tell when it started', async () => {
    const [found] = await together([{ user: 'a', captured: 100, logged: 40 }], (seconds) => `${seconds}: `);
    expect(found?.evidence).toMatchObject({ startedAt: '2026-11-21T12:51:15Z' });
  });

  it('that contradict each other, or have no user in common, are of different times', async () => {
    const twice = [
      { user: 'a', captured: 1, logged: 1, port: 1 },
      { user: 'b', captured: 1, logged: 500, port: 2 },
    ];
    expect(await together(twice, iso)).toEqual([]);
    expect(await together([], iso)).toEqual([]);
  });
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys(recordingJoinCatalog))).toEqual([]);
});
