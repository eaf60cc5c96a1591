import type { Opening } from '../../model/firewall.ts';
import { spanText } from '../../model/firewall.ts';
import { readRoleFile } from '../../model/template.ts';
import { spansOf, type FirewallRuleSet } from './rule-set.ts';

const file = '/etc/coturn/firewall.rules';
const program = '/usr/local/sbin/rtc-ops-firewall';
const unit = 'rtc-ops-firewall.service';
const unitFile = `/etc/systemd/system/${unit}`;

/**
 * Rules for the chains that are there, and what puts them in, at each start too: the same that a deployment has. A table of our
 * own would open nothing, because in nftables an accept ends one chain, and a drop in any of them is a drop.
 */
export function nftablesRules(openings: readonly Opening[]): FirewallRuleSet {
  const lines = [
    '# Written by rtc-ops: rules for each chain that drops what it does not know.',
    ...insertionRules(openings),
  ];
  return {
    backend: 'nftables',
    files: [
      { path: file, text: `${lines.join('\n')}\n` },
      { path: program, text: readRoleFile('firewall.py'), isProgram: true },
      { path: unitFile, text: readRoleFile('firewall.service') },
    ],
    variables: [],
    independent: false,
    commands: [
      `sudo ${program} apply`,
      'sudo systemctl daemon-reload',
      `sudo systemctl enable --quiet --now ${unit}`,
    ],
    removal: [
      `sudo systemctl disable --quiet --now ${unit}`,
      `sudo ${program} remove`,
      `sudo rm -f ${unitFile} ${program} ${file}`,
      'sudo systemctl daemon-reload',
    ],
    notes: [
      'An accept ends one chain of nftables, a drop ends them all: a table of its own would open nothing. So these rules go, now and at each start, into every chain for input that drops what it does not know, behind what is banned or limited there:',
      ...insertionRules(openings),
      'It takes python3. Where you write the ruleset yourself, put them into it, and leave the rest of this.',
    ],
  };
}

/**
 * One rule for each range, with a counter: in this form iptables reads them too, where the chains are its own. It takes a list
 * of ports for all ports there are, and iptables-save would keep that.
 */
export function insertionRules(openings: readonly Opening[]): string[] {
  return (['udp', 'tcp'] as const).flatMap((protocol) =>
    spansOf(openings, protocol).map(
      (span) => `${protocol} dport ${spanText(span)} counter accept comment "rtc-ops"`,
    ),
  );
}
