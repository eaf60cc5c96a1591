import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fatesOf, ImpairedPath, type Fate, type Impairment } from '../../src/webrtc/impairment.ts';

function fates(impairment: Impairment, count: number, stream = 0): Fate[] {
  const source = fatesOf(impairment, stream);
  return Array.from({ length: count }, () => source.next().value);
}

function passed(impairment: Impairment, count: number): number[] {
  const out: number[] = [];
  const path = new ImpairedPath(impairment, 0, (packet) => out.push(Buffer.from(packet).readUInt16BE(0)));
  for (let index = 0; index < count; index++) {
    const packet = Buffer.alloc(2);
    packet.writeUInt16BE(index, 0);
    path.push(packet);
  }
  path.close();
  return out;
}

describe('fatesOf', () => {
  it('is the same for the same seed, and another for another seed or stream', () => {
    const impairment = { seed: 7, lossRatio: 0.5 };
    expect(fates(impairment, 50)).toEqual(fates(impairment, 50));
    expect(fates(impairment, 50)).not.toEqual(fates({ ...impairment, seed: 8 }, 50));
    expect(fates(impairment, 50)).not.toEqual(fates(impairment, 50, 1));
  });

  it('comes to the ratios that were asked for', () => {
    const all = fates({ seed: 1, lossRatio: 0.1, duplicateRatio: 0.2, reorderRatio: 0.05 }, 50_000);
    const share = (is: (fate: Fate) => boolean): number => all.filter(is).length / all.length;
    // A packet that is dropped or changes places is not duplicated, and the partner in a swap is spared.
    expect(share(({ dropped }) => dropped)).toBeCloseTo(0.1 * 0.957, 2);
    expect(share(({ swapped }) => swapped)).toBeCloseTo(0.043, 2);
    expect(share(({ duplicated }) => duplicated)).toBeCloseTo(0.2 * 0.815, 2);
  });

  it('draws delays evenly from the range', () => {
    const delays = fates({ seed: 3, delayMs: { min: 20, max: 60 } }, 10_000).map(({ delayMs }) => delayMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(20);
    expect(Math.max(...delays)).toBeLessThan(60);
    expect(delays.reduce((sum, delay) => sum + delay, 0) / delays.length).toBeCloseTo(40, 0);
  });
});

describe('ImpairedPath', () => {
  it('passes everything in order without faults', () => {
    expect(passed({ seed: 1 }, 100)).toEqual(Array.from({ length: 100 }, (_, index) => index));
  });

  it('does to each packet what its fate says', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 200 }), (seed, count) => {
        const impairment = { seed, lossRatio: 0.1, duplicateRatio: 0.1, reorderRatio: 0.1 };
        const expected: number[] = [];
        let held: number | null = null;
        for (const [index, fate] of fates(impairment, count).entries()) {
          if (fate.swapped) {
            held = index;
            continue;
          }
          if (!fate.dropped) expected.push(index, ...(fate.duplicated ? [index] : []));
          if (held !== null) expected.push(held);
          held = null;
        }
        expect(passed(impairment, count)).toEqual(expected);
      }),
    );
  });

  it('holds packets back', async () => {
    const sentAt = performance.now();
    const delay = await new Promise<number>((resolve) => {
      const path = new ImpairedPath({ seed: 1, delayMs: { min: 30, max: 30 } }, 0, () =>
        resolve(performance.now() - sentAt),
      );
      path.push(Uint8Array.of(1));
    });
    expect(delay).toBeGreaterThan(28);
  });
});
