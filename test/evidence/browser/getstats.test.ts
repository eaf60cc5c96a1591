import { describe, expect, it } from 'vitest';
import { readGetStats } from '../../../src/evidence/browser/getstats.ts';

async function* once(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

const at = (second: number, packetsReceived: number) => [
  {
    id: 'IT01',
    type: 'inbound-rtp',
    kind: 'audio',
    ssrc: 5,
    timestamp: 1_700_000_000_000 + second * 1000,
    packetsReceived,
  },
  { id: 'T01', type: 'transport', dtlsState: 'connected', timestamp: 1_700_000_000_000 + second * 1000 },
];
const [first, second] = [at(0, 10), at(1, 60)];
const byId = (stats: readonly { id: string }[]) => Object.fromEntries(stats.map((each) => [each.id, each]));
const pairs = (stats: readonly { id: string }[]) => stats.map((each) => [each.id, each]);

describe('getStats() as JSON', () => {
  it.each([
    ['a series of arrays', [first, second]],
    ['a series of objects by id', [byId(first), byId(second)]],
    ['a series of pairs', [pairs(first), pairs(second)]],
    ['a series with times', [{ stats: first }, { report: byId(second) }]],
    ['one array after the other', [...first, ...second]],
  ])('is read: %s', async (_, document) => {
    const { connections, source } = await readGetStats(once(JSON.stringify(document)));
    expect(source.missing).toEqual([]);
    expect(connections[0]?.streams[0]?.series.packetsReceived?.values).toEqual([10, 60]);
    expect(connections[0]?.states).toEqual([
      { atMs: 1_700_000_000_000, machine: 'dtls', state: 'connected' },
    ]);
  });

  it.each([
    ['an object by id', byId(first)],
    ['an array', first],
    ['pairs', pairs(first)],
  ])('is read once: %s', async (_, document) => {
    const { connections } = await readGetStats(once(JSON.stringify(document)));
    expect(connections[0]?.streams[0]?.series.packetsReceived?.values).toEqual([10]);
  });

  it('is read by the line', async () => {
    const { connections } = await readGetStats(once(`${JSON.stringify(first)}\n${JSON.stringify(second)}\n`));
    expect(connections[0]?.streams[0]?.series.packetsReceived?.values).toEqual([10, 60]);
  });

  it('of two calls are two connections, by turns or one after the other', async () => {
    const other = (report: ReturnType<typeof at>) =>
      report.map((each) => (each.id === 'IT01' ? { ...each, id: 'IT77', packetsReceived: 0 } : each));
    const orders = [
      [first, second, other(at(0, 0)), other(at(1, 0))],
      [first, other(at(0, 0)), second, other(at(1, 0))],
    ];
    for (const reports of orders) {
      const text = reports.map((report) => JSON.stringify(report)).join('\n');
      const { connections } = await readGetStats(once(text));
      expect(connections.map(({ id, streams }) => [id, streams[0]?.series.packetsReceived?.values])).toEqual([
        ['getStats', [10, 60]],
        ['getStats 2', [0, 0]],
      ]);
    }
  });

  it('says what is damaged, and that there is no call', async () => {
    const { connections, source } = await readGetStats(once('[{"type": "codec", "timestamp"'));
    expect(connections).toEqual([]);
    expect(source.missing.join()).toMatch(/damaged/);
  });
});
