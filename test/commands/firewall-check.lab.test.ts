import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { FirewallReport } from '../../src/model/firewall-report.ts';
import { spanText } from '../../src/model/firewall.ts';
import { checkedFirewall } from '../lab/firewall-host.ts';
import { needs } from '../support/requirements.ts';

const yaml = `realm: example.org
auth: { secret: { file: secret } }
tls: { cert: /cert.pem, key: /key.pem }
hosts: [{ name: turn.example.org, addresses: [198.51.100.10] }]
`;

/** What the check says of the rules, for `udp 3478`, `tcp 3478`, `tcp 5349` and the relay ports. */
function rulesOf({ openings }: FirewallReport): Record<string, string> {
  return Object.fromEntries(
    openings.map(({ protocol, ports, checks }) => {
      const check = checks.find(({ id }) => id === 'firewall-rules');
      return [`${protocol} ${spanText(ports)}`, check?.status ?? 'none'];
    }),
  );
}

const relay = 'udp 49152-65535';
const allIn = ['tcp 3478', 'tcp 5349', 'udp 3478', 'udp 49152', 'udp 50000', 'udp 65535'];
const passed = { 'udp 3478': 'passed', 'tcp 3478': 'passed', 'tcp 5349': 'passed', [relay]: 'passed' };

/** A chain `input` that drops what it does not know, with these rules. */
function dropping(rules: string, more = ''): string {
  return `nft -f - <<'END'
table inet filter {
  chain input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    ct state invalid drop
    iifname "lo" accept
    ${rules}
  }
  ${more}
}
END`;
}

interface Case {
  readonly title: string;
  readonly rules: string;
  /** What differs from all passed. */
  readonly said: Readonly<Record<string, 'failed' | 'unknown'>>;
  readonly arrived: readonly string[];
  readonly codes?: readonly string[];
  readonly manager?: FirewallReport['manager'];
  /** In the reasons or the findings. */
  readonly words?: RegExp;
}

const rulesets = fileURLToPath(new URL('../lab/rulesets', import.meta.url));

/** ufw, with a copy of its files, and what these commands allow. */
function ufw(...commands: readonly string[]): string {
  return `unshare --mount bash -e <<'END'
mount --make-rprivate /
d=$(mktemp -d); cp -a /etc/ufw "$d/etc"; cp /etc/default/ufw "$d/default"
mount --bind "$d/etc" /etc/ufw; mount --bind "$d/default" /etc/default/ufw
${commands.join('\n')}
ufw --force enable
umount /etc/ufw /etc/default/ufw; rm -r "$d"
END`;
}

const listenersOpen = 'udp dport 3478 accept; tcp dport { 3478, 5349 } accept';

const cases: readonly Case[] = [
  { title: 'no firewall', rules: 'true', said: {}, arrived: allIn, manager: 'none' },
  {
    title: 'a set of ports and a range',
    rules: dropping('udp dport { 3478, 49152-65535 } accept; tcp dport { 3478, 5349 } accept'),
    said: {},
    arrived: allIn,
    manager: 'nftables',
  },
  {
    title: 'a relay range that takes replies alone',
    rules: dropping(listenersOpen),
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478'],
    codes: ['FIREWALL_RELAY_STATEFUL_ONLY'],
    words: /nft insert rule inet filter input udp dport 49152-65535 accept/,
  },
  {
    title: 'a part of the relay range',
    rules: dropping(`${listenersOpen}; udp dport 49152-50999 accept`),
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478', 'udp 49152', 'udp 50000'],
    codes: ['FIREWALL_RELAY_STATEFUL_ONLY'],
    words: /udp dport 51000-65535 accept/,
  },
  {
    title: 'a listener that is blocked',
    rules: dropping('udp dport { 3478, 49152-65535 } accept; tcp dport 3478 accept'),
    said: { 'tcp 5349': 'failed' },
    arrived: allIn.filter((each) => each !== 'tcp 5349'),
    codes: ['FIREWALL_BLOCKS_LISTENER'],
  },
  {
    title: 'a relay range that nothing gets through to, replies neither',
    rules: `nft 'add table ip early { chain pre { type filter hook prerouting priority raw; udp dport 40000-65535 drop; }; }'`,
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478'],
    codes: ['FIREWALL_BLOCKS_RELAY'],
    words: /chain pre of ip early/,
  },
  {
    title: 'our own table, before which another one drops',
    rules: `nft 'add table inet rtc-ops { chain input { type filter hook input priority filter; udp dport 3478 accept; udp dport 49152-65535 accept; tcp dport { 3478, 5349 } accept; }; }'
${dropping('tcp dport 22 accept')}`,
    said: { 'udp 3478': 'failed', 'tcp 3478': 'failed', 'tcp 5349': 'failed', [relay]: 'failed' },
    arrived: [''],
  },
  {
    title: 'a drop before the accept',
    rules: dropping(`udp dport 50000-50100 drop; ${listenersOpen}; udp dport 49152-65535 accept`),
    said: { [relay]: 'failed' },
    arrived: allIn.filter((each) => each !== 'udp 50000'),
    codes: ['FIREWALL_RELAY_STATEFUL_ONLY'],
    words: /this rule decides: udp dport 50000-50100 drop/,
  },
  {
    title: 'senders of one network, and all others',
    rules: dropping(`${listenersOpen}; ip saddr 10.0.0.0/8 udp dport 49152-65535 accept`),
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478'],
  },
  {
    title: 'a list of senders that are refused',
    rules: dropping(
      `ip saddr @bad drop; ${listenersOpen}; udp dport 49152-65535 accept`,
      'set bad { type ipv4_addr; flags interval; elements = { 192.0.2.0/24 }; }',
    ),
    said: {},
    arrived: allIn,
  },
  {
    title: 'a rate, of which nobody knows when it is used up',
    rules: dropping(`${listenersOpen}; udp dport 49152-65535 limit rate 1000/second accept`),
    said: { [relay]: 'unknown' },
    arrived: allIn,
    words: /limit rate 1000\/second.* applies cannot be decided here \(limit\)/,
  },
  {
    title: 'verdicts in a map',
    rules: dropping(
      'ct state vmap { established : accept, new : jump fresh }',
      'chain fresh { udp dport vmap { 3478 : accept, 49152-65535 : accept }; tcp dport vmap { 3478 : accept, 5349 : drop }; }',
    ),
    said: { 'tcp 5349': 'failed' },
    arrived: allIn.filter((each) => each !== 'tcp 5349'),
  },
  {
    title: 'another interface',
    rules: dropping(`iifname "eth1" accept; iifname "eth0" goto world`, `chain world { ${listenersOpen}; }`),
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478'],
  },
  {
    title: 'a chain of an interface, and one of another',
    rules: `ip link add eth1 type veth peer name eth2
nft 'table netdev early { chain one { type filter hook ingress device eth1 priority filter; policy drop; }; chain two { type filter hook ingress device eth0 priority filter; udp dport 65535 drop; }; }'`,
    said: { [relay]: 'failed' },
    arrived: allIn.filter((each) => each !== 'udp 65535'),
    words: /chain two of netdev early/,
  },
  {
    title: 'connections that are not tracked',
    rules: `${dropping('ct state new udp dport 49152-65535 accept; udp dport 3478 accept; tcp dport { 3478, 5349 } accept')}
nft 'add table inet raw { chain pre { type filter hook prerouting priority raw; udp dport 60000-65535 notrack; }; }'`,
    said: { [relay]: 'failed' },
    arrived: allIn.filter((each) => each !== 'udp 65535'),
  },
  {
    title: 'a first packet of TCP that is none',
    rules: dropping(
      `tcp flags & (fin|syn|rst|ack) != syn ct state new drop; ${listenersOpen}; udp dport 49152-65535 accept`,
    ),
    said: {},
    arrived: allIn,
  },
  {
    title: 'iptables, with several ports in one rule',
    rules: `iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
iptables -A INPUT -p udp -m multiport --dports 3478,49152:65535 -j ACCEPT
iptables -A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP
iptables -A INPUT -p tcp -m tcp --dport 3478 -j ACCEPT`,
    said: { 'tcp 5349': 'failed' },
    arrived: allIn.filter((each) => each !== 'tcp 5349'),
    codes: ['FIREWALL_BLOCKS_LISTENER'],
    manager: 'iptables',
    words: /iptables -t filter -I INPUT -p tcp --dport 5349 -j ACCEPT/,
  },
  {
    title: 'a rule of nftables among those of iptables, which iptables-save tells wrong',
    rules: `iptables -P INPUT DROP; iptables -A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT
nft 'add rule ip filter INPUT udp dport { 3478, 50000 } accept; add rule ip filter INPUT tcp dport { 3478, 5349 } accept'`,
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478', 'udp 50000'],
  },
  {
    title: 'a table that is called as that of iptables, and is none',
    rules: `nft 'table ip filter { chain input { type filter hook input priority 0; policy drop; udp dport 3478 accept; tcp dport { 3478, 5349 } accept; }; }'`,
    said: { [relay]: 'failed' },
    arrived: ['tcp 3478', 'tcp 5349', 'udp 3478'],
    manager: 'nftables',
  },
  {
    title: 'firewalld, with the service that rtc-ops writes',
    rules: `nft -f ${rulesets}/firewalld.nft`,
    said: {},
    arrived: allIn,
    manager: 'firewalld',
  },
  {
    title: 'firewalld, without one of the ports',
    rules: `sed '/tcp dport 5349 accept/d' ${rulesets}/firewalld.nft | nft -f -`,
    said: { 'tcp 5349': 'failed' },
    arrived: allIn.filter((each) => each !== 'tcp 5349'),
    manager: 'firewalld',
    words: /sudo firewall-cmd --permanent --add-port=5349\/tcp/,
  },
  {
    title: 'a container that Docker sends UDP 3478 to',
    rules: `iptables -t nat -N DOCKER; iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
iptables -t nat -A DOCKER -i docker0 -j RETURN
iptables -t nat -A DOCKER ! -i docker0 -p udp -m udp --dport 3478 -j DNAT --to-destination 172.17.0.2:3478`,
    said: { 'udp 3478': 'unknown' },
    arrived: allIn.filter((each) => each !== 'udp 3478'),
    words: /sends it on to 172\.17\.0\.2:3478/,
  },
];

needs('lab', 'ufw').describe('firewall check', () => {
  it.each(cases)('tells what comes through: $title', async (each) => {
    const { report, arrived } = await checkedFirewall(each.rules, yaml);
    // What really came through first: an expectation that the kernel does not share would be worth nothing.
    expect(arrived).toEqual(each.arrived);
    expect(rulesOf(report)).toEqual({ ...passed, ...each.said });
    const firewallCodes = report.findings
      .map(({ code }) => code)
      .filter((code) => code.startsWith('FIREWALL'));
    if (each.codes) expect(firewallCodes).toEqual(each.codes);
    if (each.manager) expect(report.manager).toBe(each.manager);
    if (each.words) expect(JSON.stringify(report)).toMatch(each.words);
  });
});

needs('lab', 'ufw').describe('firewall check, with ufw', () => {
  it('tells what comes through', async () => {
    const rules = ufw('ufw allow 3478', 'ufw allow 5349/tcp', 'ufw allow 49152:65535/udp');
    const { report, arrived } = await checkedFirewall(rules, yaml);
    expect(arrived).toEqual(allIn);
    expect(rulesOf(report)).toEqual(passed);
    expect(report.manager).toBe('ufw');
  });

  it('gives the command that opens what is blocked, and that opens it', async () => {
    const denied = ['ufw deny 5349/tcp', 'ufw deny 50000:50100/udp'];
    const before = await checkedFirewall(ufw('ufw allow 3478', ...denied), yaml);
    expect(before.arrived).toEqual(['tcp 3478', 'udp 3478']);
    expect(rulesOf(before.report)).toEqual({ ...passed, 'tcp 5349': 'failed', [relay]: 'failed' });
    const fixes = before.report.findings
      .filter(({ code }) => code.startsWith('FIREWALL'))
      .flatMap(({ fix }) => fix.split('\n').map((line) => line.replace(/^on the server: {2}sudo /, '')));
    expect(fixes[0]).toBe('ufw allow 5349/tcp');
    const after = await checkedFirewall(ufw('ufw allow 3478', ...denied, ...fixes), yaml);
    expect(after.arrived).toEqual(allIn);
    expect(rulesOf(after.report)).toEqual(passed);
  });
});

needs('lab', 'coturn', 'openssl').describe('firewall check, of a server that runs', () => {
  it('is healthy where all is open, and coturn listens', async () => {
    const rules = dropping(`${listenersOpen}; udp dport 49152-65535 accept`);
    const { report } = await checkedFirewall(rules, yaml, { coturn: true });
    expect(report).toMatchObject({ verdict: 'healthy', exitCode: 0, findings: [] });
  });

  it('proves with an outside peer what a firewall in front lets in', async () => {
    const open = await checkedFirewall('true', yaml, { coturn: true, front: ':' });
    expect(open.report).toMatchObject({ verdict: 'healthy', exitCode: 0 });
    const outside = open.report.openings.map(({ checks }) =>
      checks.find(({ id }) => id === 'firewall-outside'),
    );
    expect(outside.map((check) => check?.status)).toEqual(['skipped', 'skipped', 'skipped', 'passed']);
  });

  it('finds a firewall in front that drops a part of the relay ports', async () => {
    const front = `nft 'table netdev front { chain out { type filter hook egress device client priority filter; udp dport 55000-65535 drop; }; }'`;
    const { report } = await checkedFirewall('true', yaml, { coturn: true, front });
    expect(report).toMatchObject({ verdict: 'broken', exitCode: 1 });
    expect(report.findings.map(({ code }) => code)).toEqual(['FIREWALL_BLOCKS_OUTSIDE']);
    const [found] = report.findings;
    const { silent, arrived } =
      found?.code === 'FIREWALL_BLOCKS_OUTSIDE' ? found.evidence : { silent: [], arrived: [] };
    expect(Math.min(...silent)).toBeGreaterThanOrEqual(55_000);
    expect(Math.max(...arrived)).toBeLessThan(55_000);
  });

  it('does not blame it for what the firewall of the peer keeps in', async () => {
    const front = `nft 'table inet peer { chain out { type filter hook output priority filter; udp sport != 3479 drop; }; }'`;
    const { report } = await checkedFirewall('true', yaml, { coturn: true, front });
    expect(report).toMatchObject({ verdict: 'unknown', findings: [] });
    expect(report.openings.at(-1)?.checks.at(-1)?.because).toContain('is not known to have sent anything');
  });
});
