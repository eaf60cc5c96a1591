import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect } from 'vitest';
import { parseHostFacts } from '../../src/ansible/host-facts.ts';
import { withoutSecrets } from '../../src/ansible/redaction.ts';
import { secretOptions } from '../../src/coturn/redaction.ts';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const script = fileURLToPath(new URL('../../ansible/roles/coturn/files/facts.py', import.meta.url));

needs('python3').it('a host gives the same digests of its secrets as this side, and no secret', async () => {
  const text =
    'listening-port=3478\nstatic-auth-secret=opensesame\nuser = alice:wonder\n# user=bob:x\npsql-userdb="host=h password=p"\n';
  const directory = await directoryWith({ 'turnserver.conf': text });
  const file = join(directory, 'turnserver.conf');
  const { stdout } = await execa('python3', [script, directory, 'key', '[]', file, join(directory, 'none')]);
  const facts = parseHostFacts(stdout);
  expect(facts.files[file]).toMatchObject({ mode: '0600', text: withoutSecrets(text, 'key') });
  expect(facts.files[join(directory, 'none')]).toBeNull();
  expect(stdout).not.toMatch(/opensesame|wonder|bob:x|password=p/);
  expect(facts).toMatchObject({ state: null, hostname: expect.any(String) as string });
});

needs('python3').it('a host knows the same options for secrets as this side', async () => {
  const [, list = ''] = /^SECRET_OPTIONS = \(([^)]*)\)/m.exec(await readFile(script, 'utf8')) ?? [];
  expect(list.match(/[\w-]+/g)).toEqual([...secretOptions]);
});
