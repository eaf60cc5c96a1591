import { describe, expect, it } from 'vitest';
import { agentFamilies, resolvesIpv6 } from '../../src/webrtc/agent-families.ts';

describe('agentFamilies', () => {
  it('has a family on every machine, IPv4 first', async () => {
    expect([[4], [6], [4, 6]]).toContainEqual(await agentFamilies());
  });
});

// What glibc 2.36 answered to getaddrinfo(…, AI_ADDRCONFIG) for `::1` in network namespaces with these addresses.
describe('resolvesIpv6', () => {
  it.each([
    ['loopback alone', ['127.0.0.1', '::1'], true],
    ['IPv4 beside loopback', ['127.0.0.1', '::1', '10.9.0.1'], false],
    ['both', ['127.0.0.1', '::1', '192.0.2.2', '2001:db8::2'], true],
    ['IPv6 of the link alone', ['127.0.0.1', '::1', '192.0.2.2', 'fe80::1'], true],
  ])('%s', (_what, addresses, expected) => {
    expect(resolvesIpv6(addresses)).toBe(expected);
  });
});
