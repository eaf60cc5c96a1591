import { describe, expect, it } from 'vitest';
import { witnessTrace } from '../../../src/evidence/server/witness-trace.ts';
import type { WitnessTrace } from '../../../src/model/witness-facts.ts';

const readAtMs = Date.parse('2026-11-21T19:00:00Z');

function traced(texts: Readonly<Record<string, string>>, status = '0'): WitnessTrace {
  const sections = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, { status, text }]));
  return witnessTrace(sections, {
    lacks: 'root',
    clients: ['198.51.100.10', '2001:db8:198::10'],
    users: ['1795374248:rtc-ops-probe'],
    readAtMs,
  });
}

const line = (text: string): string => `2026-11-21T18:56:11.000000+0000 one turnserver[800]: 30: : ${text}`;

/** As coturn 4.6.1 writes them into the journal. */
const log = [
  'IPv4. tcp or tls connected to: 198.51.100.10:54344',
  'session 000000000000000130: realm <lab.test> user <>: incoming packet message processed, error 401: Unauthorized',
  'session 001000000000000120: realm <lab.test> user <>: incoming packet message processed, error 401: Unauthorized',
  'IPv4. Local relay addr: 203.0.113.11:49385',
  'session 001000000000000120: new, realm=<lab.test>, username=<1795374248:rtc-ops-probe>, lifetime=600',
  'session 001000000000000120: realm <lab.test> user <1795374248:rtc-ops-probe>: incoming packet ALLOCATE processed, success',
  'session 001000000000000120: peer usage: realm=<lab.test>, username=<1795374248:rtc-ops-probe>, rp=0, rb=0, sp=4, sb=64',
  'session 001000000000000120: closed (2nd stage), user <1795374248:rtc-ops-probe> realm <lab.test> origin <>, local 203.0.113.11:3478, remote 198.51.100.10:54344, reason: TCP connection closed by client (callback)',
  'session 001000000000000120: delete: realm=<lab.test>, username=<1795374248:rtc-ops-probe>',
  'session 000000000000000131: realm <lab.test> user <somebody>: incoming packet ALLOCATE processed, success',
  'session 000000000000000127: closed (2nd stage), user <> realm <lab.test> origin <>, local 203.0.113.11:3478, remote 198.51.100.10:43792, reason: allocation watchdog determined stale session state',
].map(line);

describe('the log', () => {
  it('has the sessions of this client, without those that began before, and how many it does not name', () => {
    const session = { listener: { port: 3478, isUdp: false }, relayPort: 49_385, fromPeers: 0 };
    expect(traced({ log: log.join('\n') }).log).toEqual({
      state: 'seen',
      value: { sessions: [session], unnamed: 1 },
    });
  });

  it.each([
    ['is empty', { log: '' }, 'may not be read'],
    ['has no session', { log: line('Listener address to use: 203.0.113.11') }, 'tells of no session'],
    [
      'lost lines',
      {
        log: [
          ...log,
          line('x').replace(
            /turnserver.*/,
            'systemd-journald[40]: Suppressed 9 messages from coturn.service',
          ),
        ].join('\n'),
      },
      'were left out',
    ],
  ])('is not taken for a word where it %s', (_, texts, because) => {
    expect(traced(texts).log).toMatchObject({
      state: 'unknown',
      because: expect.stringContaining(because) as unknown,
    });
  });
});

it('has the flows of this client from the connection table, in both its forms', () => {
  const tracked = [
    'ipv4     2 udp      17 25 src=198.51.100.10 dst=203.0.113.11 sport=41000 dport=3478 [UNREPLIED] src=203.0.113.11 dst=198.51.100.10 sport=3478 dport=41000 mark=0 zone=0 use=2',
    'tcp      6 431999 ESTABLISHED src=198.51.100.10 dst=203.0.113.11 sport=41001 dport=22 src=203.0.113.11 dst=198.51.100.10 sport=22 dport=41001 [ASSURED] mark=0 use=1',
    'udp      17 25 src=203.0.113.11 dst=198.51.100.10 sport=49200 dport=5000 [UNREPLIED] src=198.51.100.10 dst=203.0.113.11 sport=5000 dport=49200 use=1',
    'icmp     1 29 src=198.51.100.10 dst=203.0.113.11 type=8 code=0 id=1',
  ].join('\n');
  expect(traced({ tracked }).tracked).toEqual({
    state: 'seen',
    value: [
      { transport: 'udp', hostPort: 3478, isAnswered: false },
      { transport: 'tcp', hostPort: 22, isAnswered: true },
    ],
  });
  expect(traced({ tracked: '' }, '1').tracked.state).toBe('unknown');
});

it('has what a socket dropped meanwhile, and what waits in it', () => {
  const socket = (inode: number, port: string, waiting: string, drops: number): string =>
    `  81: 0B7100CB:${port} 00000000:0000 07 00000000:${waiting} 00:00000000 00000000   109        0 ${inode} 2 000000008c1e ${drops}`;
  const head =
    '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops';
  const before = [head, socket(11, '0D96', '00000000', 5), socket(12, '0035', '00000000', 7)];
  const after = [
    head,
    socket(11, '0D96', '00000900', 8),
    socket(12, '0035', '00000000', 7),
    socket(13, '0D97', '00000000', 4),
  ];
  expect(traced({ 'udp before': before.join('\n'), 'udp after': after.join('\n') }).untaken).toEqual({
    state: 'seen',
    value: [{ port: 3478, dropped: 3, waiting: 0x900 }],
  });
  expect(traced({ 'udp after': after.join('\n') }).untaken.state).toBe('unknown');
});
