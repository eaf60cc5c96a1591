import { describe, expect, it } from 'vitest';
import { hostedCosts } from '../../../src/coturn/plan/hosted-cost.ts';
import { hostedPrices } from '../../../src/coturn/plan/hosted-prices.ts';
import { capacityFor } from '../../../src/coturn/plan/capacity.ts';
import type { Capacity } from '../../../src/model/plan-report.ts';

/** A month in which so many gigabytes go to the clients, and as many come from them. */
function monthOf(clientGb: number, relayedMinutes = 0): Capacity {
  const usage = { users: 1, minutes: 1, relayedRatio: 1, bitrateBps: 32_000, frameMs: 20 };
  const month = { relayedMinutes, bytes: 2 * clientGb * 1e9, clientBytes: clientGb * 1e9 };
  return { ...capacityFor(usage), month };
}

function costAt(provider: string, capacity: Capacity): number | null | undefined {
  return hostedCosts(capacity).find((each) => each.provider.startsWith(provider))?.usdPerMonth;
}

describe('hostedCosts', () => {
  it('charges what goes to clients, beyond what is free', () => {
    expect(costAt('Cloudflare', monthOf(1000))).toBe(0);
    expect(costAt('Cloudflare', monthOf(1100))).toBeCloseTo(5, 9);
  });

  it('charges both ways where the provider counts both', () => {
    expect(costAt('Twilio', monthOf(100))).toBeCloseTo(80, 9);
  });

  it('takes the smallest plan that is enough, and names no price beyond the largest', () => {
    expect(costAt('Metered', monthOf(75))).toBe(99);
    expect(costAt('Metered', monthOf(76))).toBe(199);
    expect(costAt('Metered', monthOf(1001))).toBeNull();
  });

  it('charges by the minute where the provider does', () => {
    expect(costAt('Amazon', monthOf(1, 10_000))).toBeCloseTo(1.2, 9);
  });

  it('says why a price is not known', () => {
    const xirsys = hostedCosts(monthOf(1)).find(({ provider }) => provider === 'Xirsys');
    expect(xirsys).toMatchObject({ usdPerMonth: null, because: expect.stringContaining('browser') });
  });
});

describe('hostedPrices', () => {
  it('has a source and a day for each row', () => {
    for (const { source, seen } of hostedPrices) {
      expect(source).toMatch(/^https:\/\//);
      expect(seen).toMatch(/^20\d\d-[01]\d-[0-3]\d$/);
    }
  });
});
