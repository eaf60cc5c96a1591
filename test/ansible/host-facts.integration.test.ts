import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { parseHostFacts } from '../../src/ansible/host-facts.ts';
import { discoveryServer } from '../support/discovery-server.ts';
import { needs } from '../support/requirements.ts';

const script = fileURLToPath(new URL('../../ansible/roles/coturn/files/facts.py', import.meta.url));

needs('python3').it('a host asks STUN servers in turn how it looks from outside', async () => {
  const { main } = await discoveryServer({ seenAs: ({ port }) => ({ address: '203.0.113.10', port }) });
  const servers = [
    { host: 'nowhere.invalid', port: 3478 },
    { host: '127.0.0.1', port: main.port },
    { host: '127.0.0.1', port: 9 },
  ];
  const { stdout } = await execa('python3', [script, tmpdir(), 'key', JSON.stringify(servers)]);
  const told = `127.0.0.1:${main.port}`;
  const nothing = { local: null, mapped: null };
  expect(parseHostFacts(stdout).sightings).toEqual([
    { family: 4, server: 'nowhere.invalid:3478', ...nothing },
    { family: 4, server: told, local: '127.0.0.1', mapped: '203.0.113.10' },
    { family: 6, server: 'nowhere.invalid:3478', ...nothing },
    { family: 6, server: told, ...nothing },
    { family: 6, server: '127.0.0.1:9', ...nothing },
  ]);
});
