import { openingPurposes, spanText, type Opening } from '../../model/firewall.ts';
import type { FirewallRuleSet } from './rule-set.ts';

/** The rules as a script that can be pasted into a shell, or piped into one. What is to be known stands in comments. */
export function firewallScript({ files, commands, notes }: FirewallRuleSet): string {
  const lines = [
    ...notes.map((note) => `# ${note}`),
    ...files.flatMap(({ path, text }) => [
      `sudo install -D -m 0644 /dev/stdin ${path} <<'END_OF_FILE'`,
      ...text.trimEnd().split('\n'),
      'END_OF_FILE',
    ]),
    ...commands,
  ];
  return `${lines.join('\n')}\n`;
}

/** The openings as the lines of a table. */
export function openingLines(openings: readonly Opening[]): string[] {
  const wide = Math.max(...openings.map(({ ports }) => spanText(ports).length));
  return openings.map(({ protocol, ports, purpose, families }) => {
    const only = families.length === 1 ? `, IPv${families.join('')} alone` : '';
    return `${protocol}  ${spanText(ports).padEnd(wide)}  ${openingPurposes[purpose]}${only}`;
  });
}
