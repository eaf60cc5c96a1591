import { describe, expect, it } from 'vitest';
import { inventoryOf, playbookArguments, playbookEnvironment } from '../../src/ansible/inventory.ts';

describe('an inventory', () => {
  it('says how each host is reached, and leaves to ssh what nobody has said', () => {
    const hosts = [
      { name: 'here', connection: { kind: 'local' }, variables: {} },
      {
        name: 'turn.example.com',
        connection: { kind: 'ssh', address: '203.0.113.10', user: 'admin', port: 2222 },
        variables: { coturn_low_ports: true },
      },
      {
        name: 'plain.example.com',
        connection: { kind: 'ssh', address: 'plain.example.com', user: null, port: null },
        variables: {},
      },
      { name: 'theirs', connection: { kind: 'inventory' }, variables: { coturn_low_ports: false } },
    ] as const;
    expect(JSON.parse(inventoryOf(hosts))).toEqual({
      all: {
        hosts: {
          here: { ansible_connection: 'local' },
          'turn.example.com': {
            ansible_host: '203.0.113.10',
            ansible_user: 'admin',
            ansible_port: 2222,
            coturn_low_ports: true,
          },
          'plain.example.com': { ansible_host: 'plain.example.com' },
          theirs: { coturn_low_ports: false },
        },
      },
    });
  });
});

describe('the arguments of ansible-playbook', () => {
  const run = {
    playbook: 'facts',
    inventories: ['theirs.yml', 'ours.json'],
    hosts: ['a', 'b'],
    limit: 'eu:!c*',
    ssh: { privateKey: 'key', commonArguments: '-o ProxyJump=bastion' },
  } as const;

  it('name inventories in order, and never let ssh ask', () => {
    expect(playbookArguments(run, '/role')).toEqual([
      ...[
        '--inventory',
        'theirs.yml',
        '--inventory',
        'ours.json',
        '--limit',
        'eu:!c*',
        '--private-key',
        'key',
      ],
      ...['--ssh-common-args', '-o BatchMode=yes -o ServerAliveInterval=5 -o ProxyJump=bastion'],
      ...['--extra-vars', '{"coturn_hosts":"a,b"}', '/role/facts.yml'],
    ]);
  });

  it('have nothing that was not asked for', () => {
    const plain = { ...run, limit: null, ssh: { privateKey: null, commonArguments: null } };
    expect(playbookArguments({ ...plain, variables: { coturn_facts_key: 'k' } }, '/role').slice(4)).toEqual([
      ...['--ssh-common-args', '-o BatchMode=yes -o ServerAliveInterval=5'],
      ...['--extra-vars', '{"coturn_hosts":"a,b","coturn_facts_key":"k"}', '/role/facts.yml'],
    ]);
  });

  it('go with settings for one connection and for events', () => {
    const places = { directory: '/role', controlDirectory: '/run/ssh', eventsFile: '3' };
    expect(playbookEnvironment(places)).toMatchObject({
      ANSIBLE_PIPELINING: 'True',
      ANSIBLE_SSH_CONTROL_PATH_DIR: '/run/ssh',
      ANSIBLE_CALLBACK_PLUGINS: '/role/plugins/callback',
      ANSIBLE_EVENTS_FILE: '3',
    });
  });
});
