import { readRoleFile } from '../model/template.ts';
import type { WantedFile } from './plan.ts';

/** A file that the role puts on a host as it is, for the plan. */
export function roleFile(source: string, path: string, mode: string): WantedFile {
  return { path, owner: 'root', group: 'root', mode, text: readRoleFile(source), isConstant: true };
}
