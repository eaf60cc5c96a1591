import { execa } from 'execa';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { firewallRules } from '../../../src/coturn/firewall/backends.ts';
import { firewallScript } from '../../../src/coturn/firewall/script.ts';
import type { FirewallBackend, Opening } from '../../../src/model/firewall.ts';
import { usualOpenings } from '../../support/openings.ts';
import { directoryWith } from '../../support/temporary.ts';

const values = {
  SECURITY_GROUP: 'sg-1',
  NETWORK: 'default',
  TAG: 'turn',
  RESOURCE_GROUP: 'group',
  NSG: 'nsg',
  FIREWALL: 'fw',
  FIREWALL_ID: 'id-1',
};

/** The arguments with which a script calls the tool of a cloud, one call a line. */
async function callsOf(
  backend: FirewallBackend,
  tool: string,
  {
    openings = usualOpenings,
    env = values,
    exit = 0,
  }: { openings?: readonly Opening[]; env?: object; exit?: number } = {},
): Promise<{ calls: string[][]; exitCode: number | undefined; stderr: string }> {
  const directory = await directoryWith({
    [tool]: `#!/bin/sh\nfor each in "$@"; do printf "%s\\\\t" "$each"; done; echo; exit ${exit}\n`,
  });
  await chmod(join(directory, tool), 0o700);
  const { stdout, stderr, exitCode } = await execa('sh', ['-s'], {
    input: firewallScript(firewallRules(backend, openings)),
    env: { ...env, PATH: `${directory}:/usr/bin:/bin` },
    extendEnv: false,
    reject: false,
  });
  const calls = stdout === '' ? [] : stdout.split('\n').map((line) => line.split('\t').slice(0, -1));
  return { calls, exitCode, stderr };
}

describe('the commands of clouds', () => {
  it('give AWS permissions that are JSON, one opening each, both families', async () => {
    const { calls } = await callsOf('aws', 'aws');
    expect(calls).toHaveLength(4);
    const [call = []] = calls.slice(-1);
    expect(call.slice(0, -1)).toEqual([
      ...['ec2', 'authorize-security-group-ingress', '--group-id', 'sg-1', '--ip-permissions'],
    ]);
    expect(JSON.parse(call.at(-1) ?? '')).toEqual([
      {
        IpProtocol: 'udp',
        FromPort: 49_152,
        ToPort: 65_535,
        IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'relayed media' }],
        Ipv6Ranges: [{ CidrIpv6: '::/0', Description: 'relayed media' }],
      },
    ]);
  });

  it('leave out the family that the server does not have', async () => {
    const openings = usualOpenings.map((opening) => ({ ...opening, families: [4] as const }));
    const aws = await callsOf('aws', 'aws', { openings });
    expect(aws.calls.flat().join(' ')).not.toContain('::/0');
    const { calls } = await callsOf('google-cloud', 'gcloud', { openings });
    expect(calls).toHaveLength(1);
  });

  it('give Google Cloud a rule for each family', async () => {
    const { calls } = await callsOf('google-cloud', 'gcloud');
    expect(calls.map((call) => call.join(' '))).toEqual(
      [
        ['ipv4', '0.0.0.0/0'],
        ['ipv6', '::/0'],
      ].map(
        ([family, source]) =>
          `compute firewall-rules create rtc-ops-${family} --network=default --direction=INGRESS --allow=udp:3478,tcp:3478,tcp:5349,udp:49152-65535 --source-ranges=${source} --target-tags=turn`,
      ),
    );
  });

  it('give Azure a rule for each protocol, with priorities of their own', async () => {
    const { calls } = await callsOf('azure', 'az');
    expect(calls.map((call) => call[call.indexOf('--priority') + 1])).toEqual(['300', '301']);
    expect(calls.map((call) => call.slice(call.indexOf('--destination-port-ranges') + 1))).toEqual([
      ['3478', '49152-65535'],
      ['3478', '5349'],
    ]);
    expect(calls[0]?.[calls[0].indexOf('--source-address-prefixes') + 1]).toBe('*');
  });

  it('give Hetzner a rule for each opening', async () => {
    const { calls } = await callsOf('hetzner', 'hcloud');
    expect(calls[3]).toEqual([
      ...['firewall', 'add-rule', 'fw', '--direction', 'in', '--protocol', 'udp', '--port', '49152-65535'],
      ...['--source-ips', '0.0.0.0/0', '--source-ips', '::/0', '--description', 'relayed media'],
    ]);
  });

  it('give DigitalOcean all rules in one argument', async () => {
    const { calls } = await callsOf('digitalocean', 'doctl');
    expect(calls).toHaveLength(1);
    expect(calls[0]?.slice(0, 5)).toEqual(['compute', 'firewall', 'add-rules', 'id-1', '--inbound-rules']);
    expect(calls[0]?.[5]?.split(' ')).toContain(
      'protocol:udp,ports:49152-65535,address:0.0.0.0/0,address:::/0',
    );
  });

  it('run on where one fails, and tell of it at the end', async () => {
    const { calls, exitCode } = await callsOf('aws', 'aws', { exit: 254 });
    expect(calls).toHaveLength(4);
    expect(exitCode).toBe(1);
  });

  it('stop before the first call where a value is not given', async () => {
    const { calls, exitCode, stderr } = await callsOf('hetzner', 'hcloud', { env: {} });
    expect(calls).toEqual([]);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('the name of the firewall that the server has');
  });
});
