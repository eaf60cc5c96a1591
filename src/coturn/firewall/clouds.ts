import type { Family } from '../../model/endpoint.ts';
import { openingPurposes, spanText, type Opening } from '../../model/firewall.ts';
import { spansOf, type FirewallRuleSet } from './rule-set.ts';

/** The firewalls of clouds, as commands of their own tools. What is to be filled in is a variable of the shell. */

const anywhere: Readonly<Record<Family, string>> = { 4: '0.0.0.0/0', 6: '::/0' };

const ofCloud = { files: [], independent: true } as const;

/** A variable that the shell refuses to go on without. */
function variable(name: string, meaning: string): string {
  return `: "\${${name}:?${meaning}}"`;
}

function sourcesOf(openings: readonly Opening[]): string[] {
  const families = new Set(openings.flatMap((opening) => opening.families));
  return ([4, 6] as const).filter((family) => families.has(family)).map((family) => anywhere[family]);
}

/** Permissions of a security group, as JSON; adding one that is there is an error of its own, so each goes alone. */
export function awsRules(openings: readonly Opening[]): FirewallRuleSet {
  const permissions = openings.map(({ protocol, ports, purpose, families }) => {
    const description = openingPurposes[purpose];
    return JSON.stringify([
      {
        IpProtocol: protocol,
        FromPort: ports.first,
        ToPort: ports.last,
        ...(families.includes(4) && { IpRanges: [{ CidrIp: anywhere[4], Description: description }] }),
        ...(families.includes(6) && { Ipv6Ranges: [{ CidrIpv6: anywhere[6], Description: description }] }),
      },
    ]);
  });
  const commands = (action: string): string[] =>
    permissions.map((json) => `aws ec2 ${action} --group-id "$SECURITY_GROUP" --ip-permissions '${json}'`);
  return {
    ...ofCloud,
    backend: 'aws',
    variables: [variable('SECURITY_GROUP', 'the id of the security group, such as sg-0123456789abcdef0')],
    commands: commands('authorize-security-group-ingress'),
    removal: commands('revoke-security-group-ingress'),
    notes: [
      'A rule that the group has already is refused as InvalidPermission.Duplicate: the others go on, and the script ends with 1.',
      'The network ACL of the subnet filters too: the default one lets everything through.',
    ],
  };
}

/** One rule for each address family, because Google Cloud takes no mixture. */
export function googleCloudRules(openings: readonly Opening[]): FirewallRuleSet {
  const allow = openings.map(({ protocol, ports }) => `${protocol}:${spanText(ports)}`).join(',');
  const rules = sourcesOf(openings).map((source) => ({
    name: source === anywhere[4] ? 'rtc-ops-ipv4' : 'rtc-ops-ipv6',
    source,
  }));
  return {
    ...ofCloud,
    backend: 'google-cloud',
    variables: [
      variable('NETWORK', 'the VPC network of the server, such as default'),
      variable('TAG', 'a network tag that the server has'),
    ],
    commands: rules.map(
      ({ name, source }) =>
        `gcloud compute firewall-rules create ${name} --network="$NETWORK" --direction=INGRESS --allow=${allow} --source-ranges=${source} --target-tags="$TAG"`,
    ),
    removal: rules.map(({ name }) => `gcloud compute firewall-rules delete ${name} --quiet`),
    notes: [
      'A rule that is there already is changed by: gcloud compute firewall-rules update NAME --allow=…',
    ],
  };
}

/** A rule for each protocol; the same command changes it when it is there. */
export function azureRules(openings: readonly Opening[]): FirewallRuleSet {
  const rules = (['udp', 'tcp'] as const)
    .map((protocol) => ({ protocol, spans: spansOf(openings, protocol) }))
    .filter(({ spans }) => spans.length > 0);
  const group = '--resource-group "$RESOURCE_GROUP" --nsg-name "$NSG"';
  const variables = [
    variable('RESOURCE_GROUP', 'the resource group of the server'),
    variable('NSG', 'the name of its network security group'),
  ];
  return {
    ...ofCloud,
    backend: 'azure',
    variables,
    commands: rules.map(
      ({ protocol, spans }, index) =>
        `az network nsg rule create ${group} --name rtc-ops-${protocol} --priority ${300 + index} --direction Inbound --access Allow --protocol ${protocol === 'udp' ? 'Udp' : 'Tcp'} --source-address-prefixes '*' --source-port-ranges '*' --destination-address-prefixes '*' --destination-port-ranges ${spans.map((span) => spanText(span)).join(' ')}`,
    ),
    removal: rules.map(({ protocol }) => `az network nsg rule delete ${group} --name rtc-ops-${protocol}`),
    notes: [
      'Priorities 300 and 301 have to be free in the group, and no rule with a lower number may deny these ports.',
    ],
  };
}

export function hetznerRules(openings: readonly Opening[]): FirewallRuleSet {
  const rules = openings.map(({ protocol, ports, purpose, families }) => {
    const sources = families.map((family) => `--source-ips ${anywhere[family]}`).join(' ');
    const selection = `--direction in --protocol ${protocol} --port ${spanText(ports)} ${sources}`;
    return { selection, description: `--description '${openingPurposes[purpose]}'` };
  });
  const named = variable('FIREWALL', 'the name of the firewall that the server has');
  return {
    ...ofCloud,
    backend: 'hetzner',
    variables: [named],
    commands: rules.map(
      ({ selection, description }) => `hcloud firewall add-rule "$FIREWALL" ${selection} ${description}`,
    ),
    removal: rules.map(
      ({ selection, description }) => `hcloud firewall delete-rule "$FIREWALL" ${selection} ${description}`,
    ),
    notes: [
      'A server without a firewall of Hetzner needs none of this. With its first one it loses all that no rule allows, SSH too.',
    ],
  };
}

export function digitalOceanRules(openings: readonly Opening[]): FirewallRuleSet {
  const rules = openings
    .map(({ protocol, ports, families }) =>
      [
        `protocol:${protocol}`,
        `ports:${spanText(ports)}`,
        ...families.map((family) => `address:${anywhere[family]}`),
      ].join(','),
    )
    .join(' ');
  const named = variable('FIREWALL_ID', 'the id of the firewall: doctl compute firewall list');
  return {
    ...ofCloud,
    backend: 'digitalocean',
    variables: [named],
    commands: [`doctl compute firewall add-rules "$FIREWALL_ID" --inbound-rules "${rules}"`],
    removal: [`doctl compute firewall remove-rules "$FIREWALL_ID" --inbound-rules "${rules}"`],
    notes: [
      'A Droplet without a cloud firewall needs none of this. With its first one it loses all that no rule allows, SSH too.',
    ],
  };
}
