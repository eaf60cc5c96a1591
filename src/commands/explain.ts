import { Argument, type Command } from 'commander';
import wrapAnsi from 'wrap-ansi';
import { RtcOpsError } from '../model/error.ts';
import {
  catalog,
  finding,
  findingCodes,
  wordsOf,
  type Evidence,
  type Finding,
  type FindingCode,
} from '../model/finding.ts';
import type { CommandContext } from './context.ts';

export function define(command: Command, context: CommandContext): void {
  command
    .addArgument(new Argument('[code]', 'a finding code, as a report shows it'))
    .action((code: string | undefined) => {
      context.stdout(code === undefined ? listing() : page(knownCode(code)));
    });
}

function knownCode(text: string): FindingCode {
  const wanted = text.toUpperCase().replaceAll('-', '_');
  const code = findingCodes.find((each) => each === wanted);
  if (code !== undefined) return code;
  const near = findingCodes.filter((each) =>
    wanted.split('_').some((part) => part.length > 2 && each.includes(part)),
  );
  throw new RtcOpsError('usage', `${JSON.stringify(text)} is no finding code`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.slice(0, 5).join(', ')}?`
        : 'rtc-ops explain   lists all of them.',
  });
}

function listing(): string {
  const width = Math.max(...findingCodes.map((code) => code.length));
  return findingCodes
    .map(
      (code) =>
        `${code.padEnd(width)}  ${catalog[code].severity.padEnd(7)}  ${wordsOf(exampleOf(code)).title}\n`,
    )
    .join('');
}

function page(code: FindingCode): string {
  const { severity, explanation, confusedWith, references } = catalog[code];
  const example = wordsOf(exampleOf(code));
  const lines = [
    `${code}   ${severity}`,
    '',
    explanation,
    ...section('Confused with', confusedWith),
    ...section('For example', [example.title, '', example.cause, '', `Proof: ${example.proof}`]),
    ...section('Fix', example.fix),
    ...section('References', references),
  ];
  return `${lines.flatMap(wrapped).join('\n')}\n`;
}

function exampleOf<C extends FindingCode>(code: C): Finding {
  return finding(code, catalog[code].example as Evidence<C>);
}

function section(title: string, items: readonly string[]): string[] {
  return items.length === 0 ? [] : ['', title, ...items.map((item) => `  ${item}`)];
}

/** At most 80 columns, but for what is to be pasted: that stands behind two blanks and is never broken. */
function wrapped(line: string): string[] {
  const indent = /^ */.exec(line)?.[0] ?? '';
  if (line.slice(indent.length).includes('  ')) return [line];
  return wrapAnsi(line.trim(), 80 - indent.length)
    .split('\n')
    .map((part) => (indent + part).trimEnd());
}
