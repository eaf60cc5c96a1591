import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { WantedFile } from '../../ansible/plan.ts';
import { roleFile } from '../../ansible/role-file.ts';
import type { Config, Host } from '../../config/config.ts';
import { firewallRules } from '../../coturn/firewall/backends.ts';
import { openingsOf } from '../../coturn/firewall/openings.ts';
import { RtcOpsError } from '../../model/error.ts';

/** What opens the ports of a host in its firewall; nothing where it has none. */
export interface FirewallState {
  readonly files: readonly WantedFile[];
  readonly variables: RoleVariables;
}

/**
 * @param shared as it is written, for all hosts; `config` as it is for this one
 * @throws RtcOpsError `configuration` for a firewall that is not in use on the host
 */
export function firewallState(
  host: Host,
  { shared, config }: { readonly shared: Config; readonly config: Config },
  { firewall }: HostFacts,
): FirewallState {
  const backend = config.firewall === 'auto' ? firewall.backend : config.firewall;
  if (backend === 'none') return { files: [], variables: {} };
  if (backend !== firewall.backend) {
    const found = firewall.backend === 'none' ? 'none is' : `${firewall.backend} is`;
    throw new RtcOpsError(
      'configuration',
      `${host.name}: firewall is ${backend}, and ${found} in use there`,
      {
        hint: 'Say firewall: auto, or switch it on yourself (allow ssh first).',
      },
    );
  }
  // Port 80 is open only while certbot answers there.
  const openings = openingsOf(shared, host.name).filter(({ purpose }) => purpose !== 'certificate');
  const [ports] = firewallRules(backend, openings).files;
  if (ports === undefined) throw new RtcOpsError('bug', `${backend} has no file of its own`);
  return {
    files: [
      roleFile('firewall.py', '/usr/local/sbin/rtc-ops-firewall', '0755'),
      { path: ports.path, text: ports.text, owner: 'root', group: 'root', mode: '0644', isConstant: false },
      ...(backend === 'nftables'
        ? [roleFile('firewall.service', '/etc/systemd/system/rtc-ops-firewall.service', '0644')]
        : []),
    ],
    variables: {
      coturn_firewall: backend,
      coturn_firewall_files: [{ path: ports.path, content: ports.text }],
    },
  };
}
