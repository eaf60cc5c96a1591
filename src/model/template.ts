import { readFileSync } from 'node:fs';
import { RtcOpsError } from './error.ts';

const placeholder = /\{\{(.*?)\}\}/g;

/**
 * Puts `values` into the `{{name}}` places of a template. Each place needs a value and each value a place: what is
 * forgotten on either side would land on a host unseen.
 * @throws RtcOpsError `bug`, naming what is missing or left over
 */
export function fillTemplate(template: string, values: Readonly<Record<string, string>>): string {
  const used = new Set<string>();
  const filled = template.replaceAll(placeholder, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) throw new RtcOpsError('bug', `the template has {{${name}}} and no value for it`);
    used.add(name);
    return value;
  });
  const unused = Object.keys(values).filter((name) => !used.has(name));
  if (unused.length > 0) throw new RtcOpsError('bug', `the template has no place for ${unused.join(', ')}`);
  return filled;
}

/** The text of a file that the role of ansible/ puts on a host as it is. */
export function readRoleFile(name: string): string {
  return readFileSync(new URL(`../../ansible/roles/coturn/files/${name}`, import.meta.url), 'utf8');
}

/** The text of a file of templates/, which lies beside src/ and beside dist/ alike. */
export function readTemplate(name: string): string {
  return readFileSync(new URL(`../../templates/${name}`, import.meta.url), 'utf8');
}
