import type { schemaVersion } from './report.ts';

/** What a TURN service is expected to carry. */
export interface Usage {
  /** People in a call at the same time, at the busiest. */
  readonly users: number;
  /** Minutes in a month that people are in calls, added up over all of them. */
  readonly minutes: number;
  /** The part of them, 0 to 1, whose media goes through the relay. */
  readonly relayedRatio: number;
  /** Media that one person sends, without any headers. */
  readonly bitrateBps: number;
  /** Time between two packets of audio. */
  readonly frameMs: number;
}

/** One stream of media on its way: `client` between a client and the server, `peer` between the server and the other side. */
export interface StreamSize {
  readonly packetsPerSecond: number;
  readonly clientBps: number;
  readonly peerBps: number;
}

export interface Capacity {
  readonly relay: {
    readonly ports: number;
    /** Null where one relay address has not as many ports. */
    readonly range: { readonly min: number; readonly max: number } | null;
    /** Relay addresses, or servers, among which the users are to be shared. */
    readonly addresses: number;
  };
  readonly stream: StreamSize;
  readonly peak: {
    readonly relayedUsers: number;
    /** In each direction: what comes in leaves again. */
    readonly bps: number;
    readonly packetsPerSecond: number;
  };
  readonly month: {
    readonly relayedMinutes: number;
    /** In each direction. */
    readonly bytes: number;
    /** Part of that: between the clients and the server, in each direction. */
    readonly clientBytes: number;
  };
  readonly machine: { readonly cores: number; readonly memoryBytes: number };
}

/** What a hosted relay would charge for the same month. */
export interface HostedCost {
  readonly provider: string;
  /** In US dollars; null where it is not known. */
  readonly usdPerMonth: number | null;
  /** How it comes about, or why it is not known. */
  readonly because: string;
  readonly source: string;
  /** YYYY-MM-DD, the day on which the price was seen there. */
  readonly seen: string;
  readonly note: string | null;
}

/** How a figure comes about, with the numbers put in. */
export interface Formula {
  readonly name: string;
  readonly text: string;
}

/** The result of `plan`; the public JSON form. */
export interface PlanReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: 'rtc-ops'; readonly version: string };
  readonly command: 'plan';
  readonly usage: Usage;
  readonly capacity: Capacity;
  readonly formulas: readonly Formula[];
  readonly hosted: readonly HostedCost[];
}
