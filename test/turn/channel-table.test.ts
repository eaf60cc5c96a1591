import { describe, expect, it } from 'vitest';
import { ChannelTable } from '../../src/turn/channel-table.ts';

const peer = (port: number) => ({ address: '192.0.2.1', port });

describe('ChannelTable', () => {
  it('gives each peer one number, which is known before it can be used', () => {
    const table = new ChannelTable();
    expect([table.numberOf(peer(1)), table.numberOf(peer(2)), table.numberOf(peer(1))]).toEqual([
      0x4000, 0x4001, 0x4000,
    ]);
    expect(table.peerOf(0x4001)).toEqual(peer(2));
    expect(table.boundTo(peer(2))).toBeUndefined();
    table.markBound(0x4001);
    expect(table.boundTo(peer(2))).toBe(0x4001);
    expect(table.boundTo(peer(1))).toBeUndefined();
    expect(table.peerOf(0x4002)).toBeUndefined();
  });

  it('has the 4096 numbers of RFC 8656 §12', () => {
    const table = new ChannelTable();
    for (let port = 1; port <= 4096; port++) table.numberOf(peer(port));
    expect(table.numberOf(peer(4096))).toBe(0x4fff);
    expect(() => table.numberOf(peer(4097))).toThrow(RangeError);
  });
});
