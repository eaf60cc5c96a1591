import { describe, expect, it } from 'vitest';
import { AllocationStatistics } from '../../src/turn/statistics.ts';

describe('AllocationStatistics', () => {
  it('counts packets and bytes both ways', () => {
    const statistics = new AllocationStatistics();
    for (const length of [1, 10, 0]) statistics.countSent(Buffer.alloc(length));
    statistics.countReceived(Buffer.alloc(5));
    expect(statistics).toMatchObject({ sentPackets: 3, sentBytes: 11, receivedPackets: 1, receivedBytes: 5 });
  });

  it('keeps the last hundred requests, oldest first', () => {
    const statistics = new AllocationStatistics();
    for (let code = 0; code < 105; code++) statistics.addRequest({ method: 3, rttMs: 1, code });
    expect(statistics.requests.map(({ code }) => code)).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 5),
    );
  });
});
