import { describe, expect, it } from 'vitest';
import type { Recording } from '../../src/model/recording-report.ts';
import { redacted } from '../../src/report/redaction.ts';
import { connection, recorded, recordingOf } from '../support/recorded-calls.ts';
import { anyCall } from '../support/recorded-calls.ts';
import { judgeCalls } from '../../src/rules/analysis/calls.ts';

const calls = (urls: string[], usernames: string[]) => [
  {
    kind: 'calls' as const,
    facts: recordingOf([connection({ configuration: { urls, usernames, policy: 'all' } })]),
  },
];

describe('redacted', () => {
  it.each([
    ['relay 192.168.1.7:5000, [2001:db8::7]:80', 'relay ip4-private-1:5000, [ip6-global-1]:80'],
    ['10.0.0.1 10.0.0.2 10.0.0.1', 'ip4-private-1 ip4-private-2 ip4-private-1'],
    [
      'at 13:56:54, 2026-11-21T13:56:54.000Z, version 1.2.3',
      'at 13:56:54, 2026-11-21T13:56:54.000Z, version 1.2.3',
    ],
    ['https://app.example.test/room?token=x of 1795:alice', 'https://name-1/ of name-2'],
    ['turn:turn.x.test:3478 as turn.x.test', 'turn:name-1:3478 as name-1'],
    ['5cf4e5c0-1111.local and mac.local', 'mdns-1 and mdns-2'],
    ['198.51.100.x:7, [2001:db8:0:x:x:x:x:x]:7', 'ip4-part-1:7, [ip6-part-1]:7'],
    ['file:///data/alice/call.html wss://sip.x.test/ws?u=1', 'file:/// wss://name-1/'],
    ['alice@x.test of 1795:alice', 'name-2 of name-1'],
    ['::ffff:10.0.0.1 and fe80::1', 'ip6-private-1 and ip6-link-local-1'],
  ])('%j', (text, expected) => {
    expect(redacted({ deep: [text] }, calls(['turn:turn.x.test:3478'], ['1795:alice']))).toEqual({
      deep: [expected],
    });
  });

  it('hides the names of files and hosts, and short names where they are words', () => {
    const facts = {
      file: '/data/alice/acme.log',
      notices: { 'bind-failed': { details: ['x.acme.com in turn.conf'] } },
    };
    const log = {
      kind: 'server-log' as const,
      facts: { ...facts, sessions: { last: [{ user: '1795266352:bo' }] } },
    };
    expect(
      redacted(
        ['/data/alice/acme.log, part 2', 'x.acme.com of bo (1795266352:bo), both', 'turnserver.conf'],
        [log as unknown as Recording],
      ),
    ).toEqual(['file-1, part 2', 'name-2 of name-3 (name-1), both', 'turnserver.conf']);
  });

  it('leaves no address and no page in the report of a recording', async () => {
    const facts = await recorded('wrong-password.internals.gz');
    const { report, findings } = judgeCalls([facts], anyCall);
    const text = JSON.stringify(redacted({ report, findings }, [{ kind: 'calls', facts }]));
    expect(text).not.toMatch(/203\.0\.113|198\.51\.100|app\.rtc-ops/);
    expect(text).toContain('turn:ip4-global-1:3478');
  });
});
