import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { namespaceOf, type ServerLabId } from './place.ts';

/**
 * Servers stand in one network, the operator in another, with a router between them: what is tested from there is tested
 * from outside. Documentation addresses (RFC 5737, RFC 3849).
 */
export const addresses = {
  router: '203.0.113.1',
  operator: '198.51.100.10',
} as const;

export const domain = 'lab.test';

/** Where servers stand in their network: the first at 203.0.113.11. */
export function addressesOfServer(index: number): { readonly ipv4: string; readonly ipv6: string } {
  return { ipv4: `203.0.113.${11 + index}`, ipv6: `2001:db8:113::${11 + index}` };
}

/** The command that runs another one on the router, on the operator's machine, or in the network of a server. */
export function onHost(lab: ServerLabId, host: string, command: readonly string[]): [string, string[]] {
  return ['ip', ['netns', 'exec', namespaceOf(lab, host), ...command]];
}

/** Makes the router and the operator's machine. */
export async function createNetwork(lab: ServerLabId): Promise<void> {
  const [router, operator] = [namespaceOf(lab, 'router'), namespaceOf(lab, 'operator')];
  await resolveBy(operator);
  await batch([], [`netns add ${router}`, `netns add ${operator}`]);
  await batch(
    ['-n', router],
    [
      'link set lo up',
      'link add servers type bridge',
      `addr add ${addresses.router}/24 dev servers`,
      'addr add 2001:db8:113::1/64 dev servers nodad',
      'link set servers up',
      `link add operator type veth peer name eth0 netns ${operator}`,
      'addr add 198.51.100.1/24 dev operator',
      'addr add 2001:db8:198::1/64 dev operator nodad',
      'link set operator up',
    ],
  );
  await batch(
    ['-n', operator],
    [
      'link set lo up',
      `addr add ${addresses.operator}/24 dev eth0`,
      'addr add 2001:db8:198::10/64 dev eth0 nodad',
      'link set eth0 up',
      'route add default via 198.51.100.1',
      'route add default via 2001:db8:198::1',
    ],
  );
  const forwarding = ['net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1'];
  await execa(...onHost(lab, 'router', ['sysctl', '-qw', ...forwarding]));
}

/** Plugs a server in. */
export async function plugIn(lab: ServerLabId, server: string, index: number): Promise<void> {
  const [router, namespace] = [namespaceOf(lab, 'router'), namespaceOf(lab, server)];
  const { ipv4, ipv6 } = addressesOfServer(index);
  await batch([], [`netns add ${namespace}`]);
  const port = `server${index}`;
  await batch(
    ['-n', router],
    [
      `link add ${port} type veth peer name eth0 netns ${namespace}`,
      `link set ${port} master servers`,
      `link set ${port} up`,
    ],
  );
  await batch(
    ['-n', namespace],
    [
      'link set lo up',
      `addr add ${ipv4}/24 dev eth0`,
      `addr add ${ipv6}/64 dev eth0 nodad`,
      'link set eth0 up',
      `route add default via ${addresses.router}`,
      'route add default via 2001:db8:113::1',
    ],
  );
}

/** `ip netns exec` puts these files in the place of those of the machine. */
async function resolveBy(namespace: string): Promise<void> {
  const directory = join('/etc/netns', namespace);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, 'resolv.conf'), resolverSettings);
}

export const resolverSettings = `nameserver ${addresses.router}\noptions timeout:2 attempts:1\n`;

async function batch(options: readonly string[], lines: readonly string[]): Promise<void> {
  await execa('ip', [...options, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}
