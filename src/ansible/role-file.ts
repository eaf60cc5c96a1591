import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WantedFile } from './plan.ts';
import { ansibleDirectory } from './playbook.ts';

/** A file that the role puts on a host as it is, for the plan. */
export async function roleFile(source: string, path: string, mode: string): Promise<WantedFile> {
  const text = await readFile(join(ansibleDirectory, 'roles/coturn/files', source), 'utf8');
  return { path, owner: 'root', group: 'root', mode, text, isConstant: true };
}
