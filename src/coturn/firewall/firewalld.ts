import { spanText, type Opening } from '../../model/firewall.ts';
import { fillTemplate, readTemplate } from '../../model/template.ts';
import { spansOf, type FirewallRuleSet } from './rule-set.ts';

/** A service of firewalld, and the commands that add it to the default zone. */
export function firewalldRules(openings: readonly Opening[]): FirewallRuleSet {
  const ports = (['udp', 'tcp'] as const).flatMap((protocol) =>
    spansOf(openings, protocol).map((span) => `  <port protocol="${protocol}" port="${spanText(span)}"/>`),
  );
  return {
    backend: 'firewalld',
    files: [
      {
        path: '/etc/firewalld/services/rtc-ops.xml',
        text: fillTemplate(readTemplate('firewall/firewalld-service.xml'), { ports: ports.join('\n') }),
      },
    ],
    variables: [],
    independent: false,
    commands: [
      // A service file counts once it is loaded.
      'sudo firewall-cmd --reload',
      'sudo firewall-cmd --permanent --add-service=rtc-ops',
      'sudo firewall-cmd --reload',
    ],
    removal: [
      'sudo firewall-cmd --permanent --remove-service=rtc-ops',
      'sudo rm -f /etc/firewalld/services/rtc-ops.xml',
      'sudo firewall-cmd --reload',
    ],
    notes: [
      'firewall-cmd --reload forgets rules that were added without --permanent; see whether one of them is needed, such as for ssh: firewall-cmd --list-all, and the same with --permanent',
      'The service is added to the default zone; where the interface to the internet is in another one, add --zone=NAME: firewall-cmd --get-active-zones',
    ],
  };
}
