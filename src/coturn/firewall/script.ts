import { openingPurposes, spanText, type Opening } from '../../model/firewall.ts';
import type { FirewallFile, FirewallRuleSet } from './rule-set.ts';

/**
 * The rules as a script that can be pasted into a shell, or piped into one. What is to be known stands in comments. All of
 * it is one subshell: what fails ends it and not the shell of whoever pastes it, and of one that arrives in part nothing
 * runs.
 */
export function firewallScript(rules: FirewallRuleSet): string {
  const { files, variables, commands, notes, independent } = rules;
  const lines = [
    ...notes.map((note) => `# ${note}`),
    '(',
    ...variables,
    ...(independent
      ? ['failed=0', ...commands.map((command) => `${command} || failed=1`), 'exit "$failed"']
      : ['set -eu', ...asRoot, ...files.flatMap(fileLines), ...commands]),
    ')',
  ];
  return `${lines.join('\n')}\n`;
}

const asRoot = [
  '# Root needs no sudo, and may not have it.',
  'if [ "$(id -u)" -eq 0 ]; then sudo() { "$@"; }; fi',
];

function fileLines({ path, text, isProgram }: FirewallFile): string[] {
  return [
    `sudo install -D -m ${isProgram === true ? '0755' : '0644'} /dev/stdin ${path} <<'END_OF_FILE'`,
    ...text.trimEnd().split('\n'),
    'END_OF_FILE',
  ];
}

/** The openings as the lines of a table. */
export function openingLines(openings: readonly Opening[]): string[] {
  const wide = Math.max(...openings.map(({ ports }) => spanText(ports).length));
  return openings.map(({ protocol, ports, purpose, families }) => {
    const only = families.length === 1 ? `, IPv${families.join('')} alone` : '';
    return `${protocol}  ${spanText(ports).padEnd(wide)}  ${openingPurposes[purpose]}${only}`;
  });
}
