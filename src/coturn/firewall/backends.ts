import type { FirewallBackend, Opening } from '../../model/firewall.ts';
import { awsRules, azureRules, digitalOceanRules, googleCloudRules, hetznerRules } from './clouds.ts';
import { firewalldRules } from './firewalld.ts';
import { nftablesRules } from './nftables.ts';
import type { FirewallRuleSet } from './rule-set.ts';
import { ufwRules } from './ufw.ts';

const renderers: Readonly<Record<FirewallBackend, (openings: readonly Opening[]) => FirewallRuleSet>> = {
  ufw: ufwRules,
  firewalld: firewalldRules,
  nftables: nftablesRules,
  aws: awsRules,
  'google-cloud': googleCloudRules,
  azure: azureRules,
  hetzner: hetznerRules,
  digitalocean: digitalOceanRules,
};

/** The files and commands that open these ports in one kind of firewall. */
export function firewallRules(backend: FirewallBackend, openings: readonly Opening[]): FirewallRuleSet {
  return renderers[backend](openings);
}
