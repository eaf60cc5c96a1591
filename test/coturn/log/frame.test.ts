import { describe, expect, it } from 'vitest';
import { FrameReader } from '../../../src/coturn/log/frame.ts';

const nowMs = Date.UTC(2026, 10, 21, 13);
const message = 'session 000000000000000001: delete: realm=<r>, username=<u>';
const atMs = Date.UTC(2026, 10, 21, 12, 50, 15);

describe('a line of the log', () => {
  it.each([
    ['4.5.1', `123: ${message}`],
    ['4.5.1, an error', `123: ERROR: ${message}`],
    ['4.6.1', `123: : ${message}`],
    ['4.6.1, an error', `123: : ERROR: ${message}`],
    ['4.6.2', `123: (4711): INFO: ${message}`],
    ['4.6.2 with file and line', `123: (4711): ns_turn_server.c(4711): INFO: ${message}`],
    ['docker compose', `coturn-1  | 123: : ${message}`],
  ])('by %s has coturn’s own time', (_version, line) => {
    expect(new FrameReader(nowMs).read(line)).toEqual({
      atMs: null,
      isVague: false,
      uptimeS: 123,
      program: null,
      message,
    });
  });

  it.each([
    ['4.6.1 with new-log-timestamp', `2026-11-21T12:50:15+0000: ${message}`, null],
    ['the same in another zone', `2026-11-21T14:50:15+0200: ${message}`, null],
    ['4.6.2 with new-log-timestamp', `2026-11-21T12:50:15+0000(4711): INFO: ${message}`, null],
    ['4.17', `2026-11-21T12:50:15.000+0000 INFO ${message}`, null],
    [
      'journalctl -o short-iso',
      `2026-11-21T12:50:15+0000 host turnserver[7]: 123: : ${message}`,
      'turnserver',
    ],
    ['rsyslog', `2026-11-21T12:50:15.000000+00:00 host turnserver[7]: 123: : ${message}`, 'turnserver'],
    ['syslog of coturn itself', `2026-11-21T12:50:15+00:00 host turnserver: 123: : ${message}`, 'turnserver'],
    ['docker logs -t', `2026-11-21T12:50:15.000000000Z 123: : ${message}`, null],
    ['kubernetes', `2026-11-21T12:50:15.000000000Z stdout F 123: : ${message}`, null],
    [
      'docker json-file',
      JSON.stringify({ log: `123: : ${message}\n`, stream: 'stdout', time: '2026-11-21T12:50:15Z' }),
      null,
    ],
    [
      'journalctl -o json',
      JSON.stringify({
        MESSAGE: `123: : ${message}`,
        SYSLOG_IDENTIFIER: 'turnserver',
        __REALTIME_TIMESTAMP: `${atMs}000`,
      }),
      'turnserver',
    ],
    [
      'journalctl -o json with control characters',
      JSON.stringify({
        MESSAGE: [...Buffer.from(`123: : ${message}`)],
        SYSLOG_IDENTIFIER: 'turnserver',
        __REALTIME_TIMESTAMP: `${atMs}000`,
      }),
      'turnserver',
    ],
  ])('by %s has the time of day', (_source, line, program) => {
    expect(new FrameReader(nowMs).read(line)).toMatchObject({ atMs, isVague: false, program, message });
  });

  it('of syslog has no year and no zone', () => {
    const frames = new FrameReader(nowMs);
    const line = (date: string): string => `${date} 12:50:15 host turnserver[7]: 123: : ${message}`;
    expect(frames.read(line('Nov 21'))).toMatchObject({ atMs, isVague: true, message });
    expect(frames.read(line('Nov  2'))?.atMs).toBe(Date.UTC(2026, 10, 2, 12, 50, 15));
    expect(frames.read(line('Dec 24'))?.atMs).toBe(Date.UTC(2025, 11, 24, 12, 50, 15));
  });

  it('of another program keeps its text', () => {
    const text = 'coturn.service: Main process exited, code=killed, status=11/SEGV';
    expect(new FrameReader(nowMs).read(`Nov 21 12:50:15 host systemd[1]: ${text}`)).toMatchObject({
      program: 'systemd',
      message: text,
    });
  });

  it.each([
    '',
    'x',
    '{',
    '{"a":1}',
    'GET / HTTP/1.1',
    '2026-13-99T99:99:99Z x',
    ':'.repeat(100_000),
    `a ${'|'.repeat(100_000)}`,
  ])('is not %j', (line) => {
    expect(new FrameReader(nowMs).read(line.slice(0, 100_000))).toBeNull();
  });
});
