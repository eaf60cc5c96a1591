import { spanText, type Opening } from '../../model/firewall.ts';
import { fillTemplate, readTemplate } from '../../model/template.ts';
import { spansOf, type FirewallRuleSet } from './rule-set.ts';

/** An application profile of ufw, and the commands that allow it. */
export function ufwRules(openings: readonly Opening[]): FirewallRuleSet {
  // ufw-application(8): ranges with a colon, protocols apart with a bar.
  const ports = (['udp', 'tcp'] as const)
    .map((protocol) => ({
      protocol,
      list: spansOf(openings, protocol).map((span) => spanText(span, ':')),
    }))
    .filter(({ list }) => list.length > 0)
    .map(({ protocol, list }) => `${list.join(',')}/${protocol}`);
  return {
    backend: 'ufw',
    files: [
      {
        path: '/etc/ufw/applications.d/rtc-ops',
        text: fillTemplate(readTemplate('firewall/ufw-application'), { ports: ports.join('|') }),
      },
    ],
    variables: [],
    independent: false,
    // update: a profile that is allowed already gets its new ports.
    commands: ['sudo ufw app update rtc-ops', 'sudo ufw allow rtc-ops'],
    removal: ['sudo ufw delete allow rtc-ops', 'sudo rm -f /etc/ufw/applications.d/rtc-ops'],
    notes: [
      'ufw filters only once it is enabled; allow SSH before you do that: sudo ufw allow OpenSSH && sudo ufw enable',
    ],
  };
}
