import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readRecordings } from '../../../src/evidence/recording.ts';
import { judgeCalls } from '../../../src/rules/analysis/calls.ts';
import { judgeRecordings } from '../../../src/rules/analysis/recordings.ts';
import { anyCall, recorded, recordingPath } from '../../support/recorded-calls.ts';

describe('a dump of chrome://webrtc-internals', () => {
  it.each(['healthy-direct', 'healthy-relay', 'opened-late'])(
    '%s is healthy, and nothing above info is said',
    async (name) => {
      const { report, findings } = judgeCalls([await recorded(`${name}.internals.gz`)], anyCall);
      expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
      expect(report.calls.map(({ verdict }) => verdict)).toEqual(['healthy', 'healthy']);
      expect(report.headline).toMatch(/^audio flowed both ways/);
    },
  );

  it.each([
    ['internals', 0.5],
    ['internals', 0.98],
    ['rtcstats', 0.98],
    ['getstats', 0.98],
    ['firefox-report', 0.99],
  ] as const)('%s, of which %d is there: good as far as it goes, and not healthy', async (kind, part) => {
    const whole = gunzipSync(readFileSync(recordingPath(`healthy-relay.${kind}.gz`)));
    const cut = streamSource(Readable.from([whole.subarray(0, whole.length * part)]), 'x');
    const { calls, unread } = judgeRecordings(await readRecordings(cut, 'x', 0), anyCall);
    expect(unread).toEqual(['x']);
    expect(calls?.verdict).toBe('unknown');
    expect(calls?.headline).toMatch(/^audio flowed both ways, .*, as far as x can be read$/);
  });

  it('says of a page that was opened late that its beginning is missing', async () => {
    const { report, findings } = judgeCalls([await recorded('opened-late.internals.gz')], anyCall);
    expect(findings.map(({ code }) => code)).toEqual(['EVIDENCE_LATE']);
    expect(report.calls[0]?.confidence).toMatchObject({ level: 'medium' });
  });

  it('is judged by what was expected', async () => {
    const recording = await recorded('direction-mismatch.internals.gz');
    const [offering] = recording.connections;
    const question = { ...anyCall, connection: offering?.id ?? '', expect: 'send' } as const;
    expect(judgeCalls([recording], question).report.verdict).toBe('healthy');
  });

  it('of the side that hears nothing tells as much', async () => {
    const recording = await recorded('one-way.internals.gz');
    const verdicts = recording.connections.map(
      ({ id }) => judgeCalls([recording], { ...anyCall, connection: id }).findings[0]?.code ?? null,
    );
    expect(verdicts).toEqual(['INBOUND_ZERO', 'REMOTE_GETS_NOTHING']);
  });
});

describe.each(['rtcstats', 'getstats'])('%s', (kind) => {
  it.each([
    ['healthy-relay', 'healthy', undefined],
    ['one-way', 'broken', 'INBOUND_ZERO'],
    ['high-loss', 'degraded', 'HIGH_LOSS'],
  ] as const)('%s: %s', async (name, verdict, root) => {
    const { report, findings } = judgeCalls([await recorded(`${name}.${kind}.gz`)], anyCall);
    expect([report.verdict, findings[0]?.code]).toEqual([verdict, root]);
  });
});

describe('about:webrtc', () => {
  it.each([
    ['healthy-relay', 'report', 'healthy', undefined],
    ['healthy-relay', 'history', 'healthy', undefined],
    // A page has no levels: that packets came is all that it tells.
    ['healthy-relay', 'page', 'unknown', undefined],
    ['healthy-relay', 'text', 'unknown', undefined],
    ['wrong-password', 'page', 'broken', 'TURN_AUTH_FAILED'],
    ['wrong-password', 'text', 'broken', 'TURN_AUTH_FAILED'],
    ['wrong-password', 'report', 'broken', 'RELAY_NOT_GATHERED'],
    ['turn-unreachable', 'page', 'broken', 'TURN_UNREACHABLE'],
    ['no-turn', 'page', 'broken', 'ICE_FAILED_NO_RELAY'],
    ['no-turn', 'report', 'broken', 'ICE_FAILED_NO_RELAY'],
    ['direction-mismatch', 'page', 'broken', 'DIRECTION_NO_AUDIO'],
    ['one-way', 'report', 'broken', 'INBOUND_ZERO'],
    ['one-way', 'history', 'broken', 'INBOUND_ZERO'],
    ['muted-track', 'report', 'degraded', 'INBOUND_SILENT'],
  ] as const)('%s, a %s: %s', async (name, kind, verdict, root) => {
    const { report, findings } = judgeCalls([await recorded(`${name}.firefox-${kind}.gz`)], anyCall);
    expect([report.verdict, findings[0]?.code]).toEqual([verdict, root]);
    if (root === undefined) expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
  });

  it('of a text that ends early nothing is said to be missing', async () => {
    for (const name of ['direction-mismatch', 'private-relay']) {
      const text = readFileSync(recordingPath(`${name}.sdp`));
      for (let end = 5; end < text.length; end += 29) {
        const cut = streamSource(Readable.from([text.subarray(0, end)]), 'x');
        const { findings } = judgeRecordings(await readRecordings(cut, 'x', 0), anyCall);
        const codes = findings.filter(({ severity }) => severity === 'error').map(({ code }) => code);
        expect(codes.filter((code) => code !== 'DIRECTION_NO_AUDIO')).toEqual([]);
      }
    }
  });

  it('of a page that ends early nothing is said to be missing', async () => {
    const page = gunzipSync(readFileSync(recordingPath('healthy-relay.firefox-page.gz')));
    for (let part = 1; part < 60; part++) {
      const cut = streamSource(Readable.from([page.subarray(0, (page.length * part) / 60)]), 'page');
      const [recording] = await readRecordings(cut, 'page', 0);
      if (recording?.kind !== 'calls') throw new Error('it was not known for a page');
      const { findings } = judgeCalls([recording.facts], anyCall);
      expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(recording.facts.source.missing).toEqual([expect.stringMatching(/^the page ends early/)]);
    }
  });

  it('says what Firefox can give to know more', async () => {
    const { report } = judgeCalls([await recorded('healthy-relay.firefox-page.gz')], anyCall);
    expect(report.calls[0]?.confidence.raise[0]).toMatch(/about:webrtc and “Copy Report”/);
  });
});

describe('descriptions alone', () => {
  it('tell of directions', async () => {
    const { report, findings } = judgeCalls([await recorded('direction-mismatch.sdp')], anyCall);
    expect(report.verdict).toBe('broken');
    expect(findings[0]).toMatchObject({ code: 'DIRECTION_NO_AUDIO', evidence: { negotiated: 'sendonly' } });
  });

  it('tell of a relay that leads nowhere', async () => {
    const { findings } = judgeCalls([await recorded('private-relay.sdp')], anyCall);
    expect(findings[0]).toMatchObject({ code: 'RELAY_ADDR_PRIVATE', evidence: { address: '172.16.0.10' } });
  });
});
