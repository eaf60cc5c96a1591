import { Argument, Option, type Command } from 'commander';
import { wrapAnsi } from 'fast-wrap-ansi';
import { nearest } from '../config/suggestion.ts';
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
    .addOption(
      new Option('--format <format>', 'form of the result').choices(['human', 'json']).default('human'),
    )
    .action((text: string | undefined, { format }: Options) => {
      const code = text === undefined ? null : knownCode(text);
      if (format === 'json')
        context.stdout(`${JSON.stringify(code === null ? list() : entryOf(code), null, 2)}\n`);
      else context.stdout(code === null ? listing() : page(code));
    });
}

interface Options {
  readonly format: 'human' | 'json';
}

function list() {
  const findings = findingCodes.map((code) => ({
    code,
    severity: catalog[code].severity,
    title: wordsOf(exampleOf(code)).title,
  }));
  return { schemaVersion: 1, findings };
}

function entryOf(code: FindingCode) {
  const { severity, explanation, confusedWith, references } = catalog[code];
  const [example, otherExample = null] = examplesOf(code).map(wordsOf);
  return { schemaVersion: 1, code, severity, explanation, confusedWith, example, otherExample, references };
}

function knownCode(text: string): FindingCode {
  const wanted = text.toUpperCase().replaceAll(/[-\s]+/g, '_');
  const code = findingCodes.find((each) => each === wanted);
  if (code !== undefined) return code;
  const near = nearest(wanted, findingCodes, 5);
  throw new RtcOpsError('usage', `${JSON.stringify(text)} is no finding code`, {
    hint: near.length > 0 ? `Did you mean ${near.join(', ')}?` : 'rtc-ops explain   lists all of them.',
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
  const examples = examplesOf(code);
  const lines = [
    `${code}   ${severity}`,
    '',
    explanation,
    ...section('Confused with', confusedWith),
    ...examples.flatMap((each) => exampleLines(each, examples.length > 1)),
    ...section('References', references),
  ];
  return `${lines.flatMap(wrapped).join('\n')}\n`;
}

function exampleLines(example: Finding, isOneOfTwo: boolean): string[] {
  const { title, cause, proof, fix } = wordsOf(example);
  const where = example.subject.kind === 'file' ? 'in a file' : 'on a server that runs';
  return [
    ...section(isOneOfTwo ? `For example, ${where}` : 'For example', [
      ...[title, '', cause, '', `Proof: ${proof}`],
    ]),
    ...section('Fix', fix),
  ];
}

function examplesOf<C extends FindingCode>(code: C): [Finding, ...Finding[]] {
  const entry: { readonly otherExample?: unknown } = catalog[code];
  const other = entry.otherExample;
  return [exampleOf(code), ...(other === undefined ? [] : [finding(code, other as Evidence<C>)])];
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
