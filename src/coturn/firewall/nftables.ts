import type { Opening } from '../../model/firewall.ts';
import { openingPurposes, spanText } from '../../model/firewall.ts';
import { fillTemplate, readTemplate } from '../../model/template.ts';
import { spansOf, type FirewallRuleSet } from './rule-set.ts';

const directory = '/etc/nftables.d';
const file = `${directory}/rtc-ops.nft`;
const mainFile = '/etc/nftables.conf';
const include = `include "${directory}/*.nft"`;

/**
 * A table of our own in a file of its own. Where another table drops, its chain needs the rules too: in nftables an
 * accept ends one chain, and a drop ends all.
 */
export function nftablesRules(openings: readonly Opening[]): FirewallRuleSet {
  const rules = openings.map(
    (opening) =>
      `    ${familyMatch(opening)}${opening.protocol} dport ${spanText(opening.ports)} counter accept comment "${openingPurposes[opening.purpose]}"`,
  );
  return {
    backend: 'nftables',
    files: [
      {
        path: file,
        text: fillTemplate(readTemplate('firewall/rtc-ops.nft'), { rules: rules.join('\n') }),
      },
    ],
    variables: [],
    independent: false,
    commands: [
      `sudo nft -c -f ${file}`,
      `sudo nft -f ${file}`,
      `grep -qsF '${include}' ${mainFile} || echo '${include}' | sudo tee -a ${mainFile} >/dev/null`,
    ],
    removal: ['sudo nft delete table inet rtc-ops', `sudo rm -f ${file}`],
    notes: [
      'An accept ends one chain of nftables, a drop ends them all. Where a chain of yours drops what it does not know, put these lines into it, in the file that it comes from:',
      ...insertionRules(openings),
    ],
  };
}

/** One line of a chain for each protocol: what lets all of the openings in. */
export function insertionRules(openings: readonly Opening[]): string[] {
  return (['udp', 'tcp'] as const).flatMap((protocol) => {
    const spans = spansOf(openings, protocol);
    if (spans.length === 0) return [];
    const list = spans.map((span) => spanText(span)).join(', ');
    return [`${protocol} dport { ${list} } accept comment "rtc-ops"`];
  });
}

function familyMatch({ families: [first, ...more] }: Opening): string {
  return more.length > 0 || first === undefined ? '' : `meta nfproto ipv${first} `;
}
