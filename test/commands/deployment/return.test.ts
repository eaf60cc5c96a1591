import { describe, expect, it } from 'vitest';
import type { HostFacts } from '../../../src/ansible/host-facts.ts';
import { lackOf } from '../../../src/commands/deployment/return.ts';

const config = `# turnserver.conf for coturn 4.6.1, written by rtc-ops from rtc-ops.yaml:
listening-ip=203.0.113.10
listening-port=3478
tls-listening-port=443
cert=/etc/coturn/tls/fullchain.pem
pkey=/etc/coturn/tls/privkey.pem
`;

function hostWith(
  sockets: readonly string[],
  { text = config, active = 'active', enabled = 'enabled', process = 'turnserver' } = {},
): Pick<HostFacts, 'service' | 'files' | 'listeners'> {
  return {
    service: { load: 'loaded', active, enabled, pid: 1, restarts: 0 },
    files: { '/etc/turnserver.conf': { owner: 'root', group: 'turnserver', mode: '0640', text } },
    listeners: sockets.map((socket) => {
      const [protocol, port] = socket.split(' ');
      const kind = protocol === 'udp' ? 'udp' : 'tcp';
      return { protocol: kind, address: '203.0.113.10', port: Number(port), process, pid: 1 };
    }),
  };
}

const all = ['udp 3478', 'tcp 3478', 'tcp 443'];

describe('a host that went back', () => {
  it('serves where coturn listens as its configuration says', () => {
    expect(lackOf(hostWith(all))).toBeNull();
  });

  it('does not where a listener is missing, or another program has it', () => {
    expect(lackOf(hostWith(all.slice(0, 2)))).toBe('coturn does not listen on tcp 443');
    expect(lackOf(hostWith(all, { process: 'nginx' }))).toContain('udp 3478, tcp 3478, tcp 443');
    expect(lackOf(hostWith(all, { active: 'failed' }))).toBe('coturn does not run');
  });

  it('is not held to a service that is switched off, nor to a configuration of somebody else', () => {
    expect(lackOf(hostWith([], { active: 'inactive', enabled: 'disabled' }))).toBeNull();
    expect(lackOf(hostWith([], { text: 'listening-port=3999\n' }))).toBeNull();
  });
});
