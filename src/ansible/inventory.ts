import type { Environment } from '../model/environment.ts';

/** How Ansible gets onto a host. Null is left to ssh and its configuration. */
export type Connection =
  | { readonly kind: 'local' }
  | {
      readonly kind: 'ssh';
      readonly address: string;
      readonly user: string | null;
      readonly port: number | null;
    }
  /** The host stands in an inventory of the user, which says how. */
  | { readonly kind: 'inventory' };

/** The variables of the role `coturn` that a host gets. Paths are on this machine; no secret is among them. */
export type RoleVariables = Readonly<Record<string, unknown>>;

export interface InventoryHost {
  readonly name: string;
  readonly connection: Connection;
  readonly variables: RoleVariables;
}

/** An inventory for Ansible: JSON, which its YAML plugin reads. */
export function inventoryOf(hosts: readonly InventoryHost[]): string {
  const entries = hosts.map(({ name, connection, variables }) => [
    name,
    { ...connectionVariables(connection), ...variables },
  ]);
  return `${JSON.stringify({ all: { hosts: Object.fromEntries(entries) as unknown } }, null, 2)}\n`;
}

function connectionVariables(connection: Connection): RoleVariables {
  switch (connection.kind) {
    case 'local':
      return { ansible_connection: 'local' };
    case 'inventory':
      return {};
    case 'ssh': {
      const { address, user, port } = connection;
      return {
        ansible_host: address,
        ...(user === null ? {} : { ansible_user: user }),
        ...(port === null ? {} : { ansible_port: port }),
      };
    }
    default:
      return connection satisfies never;
  }
}

/** What a playbook is run with. */
export interface PlaybookRun {
  readonly playbook: 'facts' | 'deploy' | 'rollback' | 'remove' | 'rotate-secret';
  /** Files; what a later one says of a host wins. */
  readonly inventories: readonly string[];
  /** Of the hosts in them, these. */
  readonly hosts: readonly string[];
  /** Of these, those of a pattern of the user; null for all. It can say more than one that is put together with ours. */
  readonly limit: string | null;
  readonly ssh: SshOptions;
  /** Variables for all hosts; nothing secret, as every user of this machine sees them in the process list. */
  readonly variables?: RoleVariables;
}

export interface SshOptions {
  readonly privateKey: string | null;
  /** As for `ssh`, quoted as for a shell. */
  readonly commonArguments: string | null;
}

/**
 * The arguments of `ansible-playbook`.
 * @param directory that of the playbooks
 */
export function playbookArguments(run: PlaybookRun, directory: string): string[] {
  const { playbook, inventories, hosts, limit, ssh, variables } = run;
  // Nobody is there to be asked: an unknown host key or a missing password is an error, and told as one.
  // A connection that is cut is noticed after 15 s; TCP alone would wait for a quarter of an hour.
  const common = [
    '-o BatchMode=yes',
    '-o ServerAliveInterval=5',
    ...(ssh.commonArguments === null ? [] : [ssh.commonArguments]),
  ];
  return [
    ...inventories.flatMap((file) => ['--inventory', file]),
    ...(limit === null ? [] : ['--limit', limit]),
    ...(ssh.privateKey === null ? [] : ['--private-key', ssh.privateKey]),
    ...['--ssh-common-args', common.join(' ')],
    ...['--extra-vars', JSON.stringify({ coturn_hosts: hosts.join(','), ...variables })],
    `${directory}/${playbook}.yml`,
  ];
}

/** The settings of Ansible for a run; others are the user's, by ansible.cfg or environment. */
export function playbookEnvironment(places: {
  /** Of the playbooks. */
  readonly directory: string;
  readonly controlDirectory: string;
  /** A path, or the number of an open file descriptor. */
  readonly eventsFile: string;
}): Environment {
  return {
    ANSIBLE_CALLBACK_PLUGINS: `${places.directory}/plugins/callback`,
    ANSIBLE_CALLBACKS_ENABLED: 'events',
    ANSIBLE_EVENTS_FILE: places.eventsFile,
    // One connection for all, and modules over its standard input, make 16 s into 3 s.
    ANSIBLE_PIPELINING: 'True',
    ANSIBLE_SSH_CONTROL_PATH_DIR: places.controlDirectory,
    ANSIBLE_PYTHON_INTERPRETER: '/usr/bin/python3',
    ANSIBLE_RETRY_FILES_ENABLED: 'False',
    ANSIBLE_NOCOWS: 'True',
    ANSIBLE_NOCOLOR: 'True',
    // Ansible refuses to start in another one.
    LC_ALL: 'C.UTF-8',
  };
}
