import { setName } from '../server/acme-server.ts';
import type { Box } from './box.ts';
import {
  beforeServer,
  configured,
  edited,
  onServer,
  openBeforeServer,
  roamed,
  type Breakage,
} from './breakage.ts';

/** The name leads to `ipv4`. */
function named(address: (box: Box) => { ipv4: string; ipv6?: string }) {
  return async (box: Box): Promise<void> => {
    await setName(box.lab.id, box.server.host, {});
    await setName(box.lab.id, box.server.host, address(box));
  };
}

const control = ['--control', 'stun:203.0.113.1,stun:203.0.113.1?transport=tcp'];

/** The router of the operator drops this; and a server stands beside it that is known to work. */
function leaving(rule: string) {
  return async ({ onRouter, directory }: Box): Promise<unknown> =>
    onRouter(`setsid turnserver -n -L 203.0.113.1 --stun-only --no-tls --no-dtls --no-cli --log-file=/dev/null --pidfile= >/dev/null 2>&1 &
      echo $! >${directory}/control.pid
      nft 'add table ip edge; add chain ip edge in { type filter hook prerouting priority 0; }
        add rule ip edge in iifname operator ${rule} drop'
      until ss -Hltn 'sport = :3478' | grep -q .; do sleep 0.05; done`);
}

// What the log has of it stays true until coturn is started again.
const clientsAnew = { words: 'the client takes a new relay', apply: onServer('systemctl restart coturn') };

export const networkBreakages: readonly Breakage[] = [
  {
    cause: 'relay-ports-blocked',
    broken: 'ufw is switched on, and lets in the listeners and not the relay ports',
    breakIt: onServer(`ufw allow 22/tcp; ufw allow 3478; ufw allow 5349/tcp; ufw --force enable`),
    headline: 'FIREWALL_RELAY_STATEFUL_ONLY',
    fix: 'printed',
  },
  {
    cause: 'relay-ports-blocked',
    broken: 'a rule of nftables on the server drops UDP to the relay ports',
    breakIt: onServer(
      `nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy accept; }
        add rule inet filter input udp dport 49152-49500 drop'`,
    ),
    headline: 'FIREWALL_BLOCKS_RELAY',
    fix: 'printed',
  },
  {
    cause: 'relay-ports-blocked',
    broken: 'the firewall of the provider drops UDP to the relay ports',
    breakIt: beforeServer('udp dport 49152-49500 drop'),
    headline: 'LOST_BEFORE_HOST',
    fix: { words: 'UDP to the relay ports is allowed at the provider', apply: openBeforeServer },
  },
  {
    cause: 'listener-port-blocked',
    broken: 'nftables on the server drops all but what it lets in, and TCP 5349 is not among that',
    breakIt: onServer(
      `nft 'add table inet filter; add chain inet filter input { type filter hook input priority 0; policy drop; }
        add rule inet filter input ct state established,related accept
        add rule inet filter input iif lo accept; add rule inet filter input meta l4proto { icmp, icmpv6 } accept
        add rule inet filter input tcp dport { 22, 3478 } accept; add rule inet filter input udp dport { 3478, 49152-49500 } accept'`,
    ),
    headline: 'FIREWALL_BLOCKS_LISTENER',
    fix: 'printed',
  },
  {
    cause: 'listener-port-blocked',
    broken: 'the firewall of the provider drops UDP to port 3478',
    breakIt: beforeServer('udp dport 3478 drop'),
    headline: 'LOST_BEFORE_HOST',
    fix: { words: 'UDP 3478 is allowed at the provider', apply: openBeforeServer },
  },
  {
    cause: 'version-4.17.0-4.17.1-ttl1',
    broken: 'answers over UDP leave with an IP TTL of 1, by a rule in the place of the version that does so',
    breakIt: onServer(
      `nft 'add table ip short; add chain ip short out { type filter hook output priority 0; }
        add rule ip short out udp sport 3478 ip ttl set 1'`,
    ),
    headline: 'ANSWER_TTL_ONE',
    fix: { words: 'what makes the TTL so is taken away', apply: onServer('nft delete table ip short') },
  },
  {
    cause: 'external-ip-missing-or-wrong',
    broken: 'external-ip has an address that the server had before',
    breakIt: configured('external-ip=203.0.113.200'),
    headline: 'RELAY_ADDRESS_MISMATCH',
    fix: 'printed',
  },
  {
    cause: 'external-ip-missing-or-wrong',
    broken: 'relay-ip has the address of an inner bridge, and there is no external-ip',
    breakIt: async (box) => {
      await box.onServer(
        'ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up',
      );
      await edited('s/^relay-ip=203.*/relay-ip=172.17.0.1/')(box);
    },
    headline: 'EXTERNAL_IP_MISSING',
    fix: {
      words: 'the relay gets the address of the host',
      apply: edited('s/^relay-ip=172.*/relay-ip=203.0.113.11/'),
    },
  },
  {
    cause: 'dns-points-elsewhere-or-cdn',
    broken: 'the name leads to an address at which there is no TURN server',
    breakIt: named(() => ({ ipv4: '203.0.113.99' })),
    headline: 'NAME_LEADS_ELSEWHERE',
    fix: {
      words: 'the name is given the address of the server',
      apply: named(({ server: { ipv4 } }) => ({ ipv4 })),
    },
  },
  {
    cause: 'ipv6-half-configured',
    broken: 'the name has an IPv6 address, and coturn listens on IPv4 alone',
    breakIt: async (box) => {
      await edited('/^\\(listening\\|relay\\)-ip=2001/d')(box);
      await named(({ server: { ipv4, ipv6 } }) => ({ ipv4, ipv6 }))(box);
    },
    headline: 'ADDRESS_NOT_SERVED',
    fix: { words: 'the AAAA record is taken away', apply: named(({ server: { ipv4 } }) => ({ ipv4 })) },
  },
  {
    cause: 'ttl-path-too-long',
    broken: 'what clients send to UDP 3478 arrives there with a TTL of 2, as after a way of many routers',
    breakIt: async ({ onRouter }) =>
      onRouter(`nft 'add table ip far; add chain ip far in { type filter hook prerouting priority 0; }
        add rule ip far in iifname operator udp dport 3478 ip ttl set 3'`),
    headline: 'RELAY_TTL_LOW',
    fix: { words: 'the way is made short again', apply: openBeforeServer },
  },
  {
    cause: 'nat-rebind-437',
    broken: 'the NAT of a client forgets it after a second, and gives it another port',
    breakIt: async (box) => {
      await box.onRouter(`sysctl -qw net.netfilter.nf_conntrack_udp_timeout=1
        nft 'add table ip home; add chain ip home out { type nat hook postrouting priority 100; }
          add rule ip home out oifname servers udp dport 3478 masquerade random'`);
      await roamed(box, 'waits');
      await box.onRouter('nft flush ruleset; sysctl -qw net.netfilter.nf_conntrack_udp_timeout=30');
    },
    headline: 'LOG_CLIENT_MOVED',
    fix: clientsAnew,
  },
  {
    cause: 'nat-rebind-437',
    broken: 'a client ends without freeing its relay, and comes back from the same port',
    breakIt: async (box) => roamed(box, 'same-port'),
    headline: 'LOG_PORT_REUSED',
    fix: clientsAnew,
  },
  {
    cause: 'only-udp-3478-offered',
    broken: 'no UDP leaves the network of the client',
    breakIt: leaving('udp dport != 53'),
    ask: { options: control },
    headline: 'UDP_BLOCKED_HERE',
    fix: {
      words: 'the network is left; for users who cannot, TLS on 443 is offered',
      apply: openBeforeServer,
    },
  },
];
