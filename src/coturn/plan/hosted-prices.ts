/**
 * What hosted relays charge. Prices change: each row says when it was looked up and where it stands. US dollars, list
 * prices without tax.
 */
export interface HostedPrice {
  readonly provider: string;
  readonly price: PriceModel;
  readonly source: string;
  /** YYYY-MM-DD, the day on which the price was seen there. */
  readonly seen: string;
  readonly note: string | null;
}

/**
 * Which bytes are counted: `to-clients` what the server sends to its clients; `both-ways` what it gets from them as well.
 */
export type Metered = 'to-clients' | 'both-ways';

export type PriceModel =
  | { readonly kind: 'per-gb'; readonly metered: Metered; readonly usdPerGb: number; readonly freeGb: number }
  | {
      readonly kind: 'plans';
      readonly metered: Metered;
      /** The smallest first; beyond the largest, the price is a matter of negotiation. */
      readonly plans: readonly { readonly usd: number; readonly gb: number }[];
    }
  | { readonly kind: 'per-minute'; readonly usdPerThousand: number }
  | { readonly kind: 'unknown'; readonly because: string };

export const hostedPrices: readonly HostedPrice[] = [
  {
    provider: 'Cloudflare Realtime TURN',
    price: { kind: 'per-gb', metered: 'to-clients', usdPerGb: 0.05, freeGb: 1000 },
    source: 'https://developers.cloudflare.com/realtime/turn/faq/',
    seen: '2026-09-08',
    note: 'the free 1,000 GB are shared with its SFU',
  },
  {
    provider: 'ExpressTURN Premium',
    price: { kind: 'plans', metered: 'both-ways', plans: [{ usd: 9, gb: 5000 }] },
    source: 'https://www.expressturn.com/',
    seen: '2026-08-25',
    note: 'what it counts is not said; taken as both ways',
  },
  {
    provider: 'Amazon Kinesis Video Streams TURN',
    price: { kind: 'per-minute', usdPerThousand: 0.12 },
    source: 'https://aws.amazon.com/kinesis/video-streams/pricing/',
    seen: '2026-10-07',
    note: 'US East; signaling channels and messages are charged beside it',
  },
  {
    provider: 'Metered',
    price: {
      kind: 'plans',
      metered: 'both-ways',
      plans: [
        { usd: 99, gb: 150 },
        { usd: 199, gb: 500 },
        { usd: 499, gb: 2000 },
      ],
    },
    source: 'https://www.metered.ca/stun-turn',
    seen: '2026-09-08',
    note: null,
  },
  {
    provider: 'Twilio Network Traversal',
    price: { kind: 'per-gb', metered: 'both-ways', usdPerGb: 0.4, freeGb: 0 },
    source: 'https://www.twilio.com/en-us/stun-turn/pricing',
    seen: '2026-09-08',
    note: 'US and Germany; 0.60 to 0.80 elsewhere',
  },
  {
    provider: 'Xirsys',
    price: { kind: 'unknown', because: 'its page shows prices to a browser alone' },
    source: 'https://xirsys.com/pricing/',
    seen: '2026-08-25',
    note: 'plans from 39 a month, as others report',
  },
];
