import { execa } from 'execa';
import { expect, it } from 'vitest';
import { nftablesRules } from '../../../src/coturn/firewall/nftables.ts';
import { firewallScript } from '../../../src/coturn/firewall/script.ts';
import { usualOpenings } from '../../support/openings.ts';
import { needs } from '../../support/requirements.ts';

const rules = nftablesRules(usualOpenings);

/** Runs a script as root of a machine of its own: with no rules, and with all that it writes gone afterwards. */
async function onMachine(script: string): Promise<string> {
  const setUp = `mount -t tmpfs tmpfs /mnt
    for folder in etc usr/local; do
      mkdir -p /mnt/$folder/upper /mnt/$folder/work
      mount -t overlay overlay -o lowerdir=/$folder,upperdir=/mnt/$folder/upper,workdir=/mnt/$folder/work /$folder
    done
    rm -rf /etc/ufw /etc/firewalld
    printf '#!/bin/sh\\n' > /usr/local/sbin/systemctl; chmod 755 /usr/local/sbin/systemctl
    PATH=/usr/local/sbin:$PATH; cd /mnt`;
  const { stdout } = await execa('unshare', ['--net', '--mount', 'sh', '-ec', `${setUp}\n${script}`]);
  return stdout;
}

const apply = `sh -e <<'END_OF_SCRIPT'\n${firewallScript(rules)}END_OF_SCRIPT\n`;
const remove = `sh -e <<'END_OF_SCRIPT'\n${firewallScript({ ...rules, files: [], commands: rules.removal })}END_OF_SCRIPT\n`;

/** What the rules add to a ruleset, with the line before; that they are the same twice, and that they go without a trace. */
const compared = `nft -s list ruleset > before
  ${apply} nft -s list ruleset > once
  ${apply} nft -s list ruleset > twice
  cmp once twice
  /usr/local/sbin/rtc-ops-firewall check
  diff -U1 before once | tail -n +3 | sed -n 's/^[ +]\\t*//p' || true
  ${remove} nft -s list ruleset | cmp before -
  test ! -e /etc/coturn/firewall.rules && test ! -e /usr/local/sbin/rtc-ops-firewall`;

const ours = [
  'udp dport 3478 counter accept comment "rtc-ops"',
  'udp dport 49152-65535 counter accept comment "rtc-ops"',
  'tcp dport 3478 counter accept comment "rtc-ops"',
  'tcp dport 5349 counter accept comment "rtc-ops"',
];

const hosts: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'behind the bans of a chain with the policy drop, and not in one that only bans',
    `table inet mine { set bans { type ipv4_addr; }
      chain input { type filter hook input priority 0; policy drop; ct state established accept; ct state invalid drop; ip saddr @bans drop; }
    }
    table inet bans { chain input { type filter hook input priority -1; ip saddr 192.0.2.1 reject; }
    }`,
    ['ip saddr @bans drop', ...ours, '}'],
  ],
  [
    'before the rule that rejects the rest, and behind a limit',
    `table inet mine { chain input { type filter hook input priority 0; ct state vmap { established : accept, invalid : drop }
      udp dport 3478 limit rate over 1000/second burst 50 packets drop
      counter log reject
    }
    }`,
    ['udp dport 3478 limit rate over 1000/second burst 50 packets drop', ...ours, 'counter log reject'],
  ],
  [
    'before the chain that drops the rest',
    `table inet mine { chain udp_in { udp dport 53 accept; drop
      }
      chain other { tcp dport 80 accept
      }
      chain input { type filter hook input priority 0; jump other
      meta l4proto vmap { tcp : jump other, udp : jump udp_in }
    }
    }`,
    ['jump other', ...ours, 'meta l4proto vmap { tcp : jump other, udp : jump udp_in }'],
  ],
  [
    'before a chain that nothing comes back from, where the policy is drop',
    `table inet mine { chain wan { tcp dport 22 accept
      }
      chain input { type filter hook input priority 0; policy drop; iifname "eth0" goto wan
    }
    }`,
    ['type filter hook input priority filter; policy drop;', ...ours, 'iifname "eth0" goto wan'],
  ],
  [
    'nowhere on a machine that drops nothing on its way in',
    `table ip mine { chain input { type filter hook input priority 0; tcp dport 22 accept; }
      chain forward { type filter hook forward priority 0; policy drop; }
    }`,
    [],
  ],
];

needs('lab').describe('the rules for nftables go', () => {
  it.each(hosts)('%s', async (_where, ruleset, added) => {
    const text = await onMachine(`nft -f - <<'END'\n${ruleset}\nEND\n${compared}`);
    expect(text.split('\n').filter((line) => line !== '' && !line.startsWith('@'))).toEqual(added);
  });

  it('into the chains of iptables as iptables itself would write them', async () => {
    const text = await onMachine(`iptables -A INPUT -s 192.0.2.1 -j DROP
      iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
      iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited
      iptables -S > before
      ${apply} iptables -S INPUT
      ${remove} iptables -S | cmp before -`);
    const accept = (match: string, ports: string): string =>
      `-A INPUT -p ${match} -m ${match} --dport ${ports} -m comment --comment rtc-ops -j ACCEPT`;
    expect(text.split('\n').slice(1)).toEqual([
      '-A INPUT -s 192.0.2.1/32 -j DROP',
      '-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT',
      accept('udp', '3478'),
      accept('udp', '49152:65535'),
      accept('tcp', '3478'),
      accept('tcp', '5349'),
      '-A INPUT -j REJECT --reject-with icmp-host-prohibited',
    ]);
  });
});
