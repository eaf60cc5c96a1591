import type { Capacity, HostedCost } from '../../model/plan-report.ts';
import { hostedPrices, type HostedPrice, type Metered } from './hosted-prices.ts';

// Providers count decimal gigabytes.
const gigabyte = 1e9;

/** What each hosted relay of the table would charge for the same month. */
export function hostedCosts({ month }: Capacity): HostedCost[] {
  return hostedPrices.map(({ price, ...row }) => ({ ...row, ...costOf(price, month) }));
}

function costOf(
  price: HostedPrice['price'],
  { clientBytes, relayedMinutes }: Capacity['month'],
): Pick<HostedCost, 'usdPerMonth' | 'because'> {
  switch (price.kind) {
    case 'per-gb': {
      const gb = gigabytes(clientBytes, price.metered);
      const charged = Math.max(0, gb - price.freeGb);
      const free = price.freeGb === 0 ? '' : ` after the first ${rounded(price.freeGb)} GB`;
      return {
        usdPerMonth: charged * price.usdPerGb,
        because: `${rounded(gb)} GB ${wayOf(price.metered)}, ${price.usdPerGb} a GB${free}`,
      };
    }
    case 'plans': {
      const gb = gigabytes(clientBytes, price.metered);
      const plan = price.plans.find((each) => each.gb >= gb);
      if (plan === undefined)
        return {
          usdPerMonth: null,
          because: `${rounded(gb)} GB ${wayOf(price.metered)} is more than its largest plan of known price holds`,
        };
      return {
        usdPerMonth: plan.usd,
        because: `${rounded(gb)} GB ${wayOf(price.metered)}, the plan of ${rounded(plan.gb)} GB`,
      };
    }
    case 'per-minute':
      return {
        usdPerMonth: (relayedMinutes / 1000) * price.usdPerThousand,
        because: `${rounded(relayedMinutes)} relayed minutes, ${price.usdPerThousand} a thousand`,
      };
    case 'unknown':
      return { usdPerMonth: null, because: price.because };
    default:
      return price satisfies never;
  }
}

function gigabytes(clientBytes: number, metered: Metered): number {
  return (clientBytes * (metered === 'both-ways' ? 2 : 1)) / gigabyte;
}

function wayOf(metered: Metered): string {
  return metered === 'both-ways' ? 'from and to clients' : 'to clients';
}

function rounded(value: number): string {
  return (value < 10 ? Math.round(value * 10) / 10 : Math.round(value)).toLocaleString('en-US');
}
