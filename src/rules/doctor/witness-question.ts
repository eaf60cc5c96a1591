import type { FirewallFacts } from '../../model/firewall-facts.ts';
import type { Observations } from '../../model/observations.ts';
import type { WitnessFacts } from '../../model/witness-facts.ts';

/** What is joined: both ends of the same packets. */
export interface WitnessQuestion {
  readonly observations: Observations;
  readonly witness: WitnessFacts;
  /** Of the server; null where it was not looked at. */
  readonly firewall: Omit<FirewallFacts, 'outside'> | null;
  /** Every address that is known to be one of the server, public ones before a NAT included. */
  readonly addresses: readonly string[];
}
