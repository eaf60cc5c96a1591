import { describe, expect, it } from 'vitest';
import type { ClientNetworkFacts, NetworkLine } from '../../../src/model/client-network.ts';
import { clientNetworkCatalog } from '../../../src/model/catalog/client-network.ts';
import type { Observations } from '../../../src/model/observations.ts';
import { clientNetworkFindings as rule, networkLines } from '../../../src/rules/doctor/client-network.ts';
import { deadFacts, healthyFacts, observationsOf, silence, targetOf } from '../../support/facts.ts';
import { ProvokedFindings } from '../../support/provoked.ts';

const provoked = new ProvokedFindings();
const clientNetworkFindings = provoked.watch(rule);

const quiet: ClientNetworkFacts = {
  connectivity: { state: 'unknown', because: 'NetworkManager is not installed here' },
  web: { state: 'unknown', because: 'TCP 80 of 203.0.113.10: no answer' },
};
const [udp, tcp] = [targetOf('udp'), targetOf('tcp')];
const healthy = observationsOf([healthyFacts(udp), healthyFacts(tcp)]);
const dead = observationsOf([deadFacts(udp, 'binding', silence), deadFacts(tcp, 'connect', silence)]);

function lineOf(id: NetworkLine['id'], seen: Observations, facts = quiet): NetworkLine | undefined {
  return networkLines(seen, null, facts).find((line) => line.id === id);
}

function answering(status: number, location: string | null = null): ClientNetworkFacts {
  return { ...quiet, web: { state: 'seen', value: { address: '203.0.113.10', status, location } } };
}

describe('a captive portal', () => {
  it('is one where something answers 511 in place of the server, or NetworkManager says so', () => {
    expect(clientNetworkFindings(answering(511, 'http://login.example.net/'))).toMatchObject([
      { code: 'CAPTIVE_PORTAL', evidence: { location: 'http://login.example.net/' } },
    ]);
    const word = { ...quiet, connectivity: { state: 'seen', value: 'portal' } } as const;
    expect(clientNetworkFindings(word)).toHaveLength(1);
    expect(lineOf('captive-portal', dead, word)).toMatchObject({ status: 'known', text: 'there is one' });
  });

  it('is not known of a redirection, which a web server may send as well', () => {
    const redirected = answering(302, 'https://www.example.com/\u001b[31m');
    expect(clientNetworkFindings(redirected)).toEqual([]);
    const line = lineOf('captive-portal', dead, redirected);
    expect(line?.status).toBe('unknown');
    expect(line?.text).toContain('HTTP 302, and sends browsers to https://www.example.com/\ufffd[31m');
  });

  it('is none where the server itself answered, by a secret or a certificate', () => {
    expect(lineOf('captive-portal', healthy)).toMatchObject({
      status: 'known',
      text: 'none: the server itself answered',
    });
    expect(lineOf('captive-portal', dead)).toMatchObject({
      status: 'unknown',
      text: 'TCP 80 of 203.0.113.10: no answer',
    });
  });
});

describe('the lines of a network', () => {
  it('tell what leaves by what came back', () => {
    expect(lineOf('leaves', healthy)?.text).toBe('UDP 3478 and TCP 3478');
    expect(lineOf('leaves', dead)).toMatchObject({
      status: 'unknown',
      text: 'nothing came back from UDP 3478 and TCP 3478',
    });
    const half = observationsOf([deadFacts(udp, 'binding', silence), healthyFacts(tcp)]);
    expect(lineOf('leaves', half)?.text).toBe('TCP 3478; nothing came back from UDP 3478');
  });

  it('take no server on this machine for one beyond it', () => {
    const here = observationsOf([healthyFacts(targetOf('udp', { host: '127.0.0.1', address: '127.0.0.1' }))]);
    expect(lineOf('leaves', here)).toMatchObject({ status: 'unknown' });
  });

  it('tell a NAT by the address that servers see', () => {
    expect(lineOf('nat', healthy)?.text).toContain('an address of a NAT');
    expect(lineOf('nat', dead)).toMatchObject({ status: 'unknown' });
  });

  it('name the addresses, and those that a provider shares out', () => {
    const shared = [{ interface: 'wwan0', address: '100.72.3.9', prefixLength: 10 }];
    expect(lineOf('addresses', { ...healthy, interfaces: shared })?.text).toContain(
      '100.72.3.9 (wwan0); one is of 100.64.0.0/10',
    );
    const vpn = [{ interface: 'tailscale0', address: '100.72.3.9', prefixLength: 32 }];
    expect(lineOf('addresses', { ...healthy, interfaces: vpn })?.text).toBe('100.72.3.9 (tailscale0)');
  });

  it('do not blame one side where IPv6 is silent', () => {
    const six = targetOf('udp', { address: '2001:db8::10' });
    const own = [{ interface: 'eth0', address: '2001:db8:1::5', prefixLength: 64 }];
    const silent = { ...observationsOf([deadFacts(six, 'binding', silence)]), interfaces: own };
    expect(lineOf('ipv6', silent)).toMatchObject({
      status: 'unknown',
      text: expect.stringContaining('here or there') as string,
    });
    expect(lineOf('ipv6', { ...observationsOf([healthyFacts(six)]), interfaces: own })?.text).toBe(
      'works: a server answered over it',
    );
    expect(lineOf('ipv6', { ...silent, interfaces: [] })?.text).toContain('none');
    expect(lineOf('ipv6', { ...healthy, interfaces: own })).toMatchObject({ status: 'unknown' });
  });
});

it('provokes every finding that there is of this kind', () => {
  expect(provoked.missing(Object.keys(clientNetworkCatalog))).toEqual([]);
});
