import { describe, expect, it } from 'vitest';
import { machineNetwork } from '../../../src/evidence/server/machine-network.ts';
import type { FirewallFacts } from '../../../src/model/firewall-facts.ts';
import { serverEvidence } from '../../support/server-evidence.ts';

function network(
  texts: Readonly<Record<string, string>>,
  ended: Readonly<Record<string, string>> = {},
): Omit<FirewallFacts, 'outside'> {
  return machineNetwork(serverEvidence(texts, ended));
}

const head =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const tail = '00000000:00000000 00:00000000 00000000   102        0';

describe('machineNetwork', () => {
  it('reads the tables of sockets, in the byte order of the machine', () => {
    const tables = {
      'sockets tcp': `${head}   0: 0A7100CB:0D96 00000000:0000 0A ${tail} 77 1\n   1: 0A7100CB:0D96 0100007F:9999 01 ${tail} 78 1\n`,
      'sockets tcp6': `${head}   0: B80D0120000000000000000011000000:14E5 00000000000000000000000000000000:0000 0A ${tail} 79 1\n`,
      'sockets udp': `${head}  10: 00000000:0D96 00000000:0000 07 ${tail} 80 2\n`,
      owners: '812 77 turnserver\n9 77 nginx\n812 80 turn server\n',
    };
    expect(network(tables).sockets).toEqual({
      state: 'seen',
      value: [
        { protocol: 'tcp', address: '203.0.113.10', port: 3478, program: 'turnserver', pid: 812 },
        { protocol: 'tcp', address: '2001:db8::11', port: 5349, program: null, pid: null },
        { protocol: 'udp', address: '0.0.0.0', port: 3478, program: 'turn server', pid: 812 },
      ],
    });
    const big = { ...tables, uname: 'Linux 6.1.0 s390x\n' };
    const { sockets } = network(big);
    expect(sockets.state === 'seen' && sockets.value[0]?.address).toBe('10.113.0.203');
    expect(network({}, { 'sockets tcp': 'denied' }).sockets).toMatchObject({ state: 'unknown' });
  });

  it('reads addresses and default routes', () => {
    const facts = network({
      addresses: `1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever
2: eth0@if7    inet 203.0.113.10/24 brd 203.0.113.255 scope global eth0
2: eth0    inet6 fe80::1/64 scope link
3: tun0    inet 10.8.0.1 peer 10.8.0.2/32 scope global tun0
4: bad    inet 999.0.0.1/24 scope global bad
`,
      route:
        'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\nens3\t00000000\t0100000A\t3\t0\t0\t0\t00000000\n',
    });
    expect(facts.addresses).toEqual(['203.0.113.10', '10.8.0.1']);
    expect(facts.devices).toEqual({ 4: 'ens3', 6: null });
  });

  it.each([
    [{ 'nft-json': '127' }, /nft is not installed/],
    [{ 'nft-json': '1' }, /lets nobody read/],
    [{ 'nft-json': '124' }, /too long/],
    [{ 'iptables-legacy': '1' }, /iptables-legacy has rules/],
  ])('says why no rules are known: %j', (ended, because) => {
    const { rules } = network({}, ended);
    expect(rules).toEqual({ state: 'unknown', because: expect.stringMatching(because) as unknown });
  });

  it('reads no rules as another user than root, nor what is no output of nft', () => {
    expect(network({ id: '1000\n' }, { 'nft-json': '1' }).rules).toMatchObject({
      because: 'reading the rules needs root: run it with sudo',
    });
    expect(network({ 'nft-json': '{"nftables": [null' }).rules).toMatchObject({ state: 'unknown' });
    expect(network({ 'nft-json': '{"nftables": [null]}' }).rules).toMatchObject({ state: 'unknown' });
    expect(network({ uname: 'FreeBSD 14.0 amd64' }).rules).toMatchObject({
      because: 'the rules are read on Linux alone',
    });
  });
});
