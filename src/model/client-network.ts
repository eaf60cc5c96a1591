import type { Seen } from './firewall-facts.ts';

/** What was found out about the network that a doctor run starts from, beside what the probe of the servers saw. */
export interface ClientNetworkFacts {
  /** What NetworkManager says of the way to the internet, by its own word. */
  readonly connectivity: Seen<string>;
  /** The answer to a plain HTTP request to a server's own address. */
  readonly web: Seen<WebAnswer>;
}

export interface WebAnswer {
  /** Where it was sent. */
  readonly address: string;
  readonly status: number;
  /** Where it sends browsers to; null where it sends them nowhere. */
  readonly location: string | null;
}

/** One thing about the network of the client, known or not. */
export interface NetworkLine {
  readonly id: 'addresses' | 'nat' | 'ipv6' | 'leaves' | 'captive-portal';
  readonly status: 'known' | 'unknown';
  /** What it is, or why it is not known. */
  readonly text: string;
}
