import { Secret } from '../../model/secret.ts';
import type { LineEvidence, PlaceEvidence } from '../../model/catalog/config-place.ts';
import type { Severity } from '../../model/catalog/entry.ts';
import {
  configFinding,
  type ConfigEvidence,
  type ConfigFinding,
  type ConfigFindingCode,
} from '../../model/config-finding.ts';
import { isOn, lastValueOf } from '../directive.ts';
import { hasOption, optionOf } from '../options.ts';
import { parseDirectives, type ParsedDirective } from '../parse.ts';
import { isSecretName, redacted } from '../redaction.ts';
import type { LintFacts } from './facts.ts';

/** A change that does what the line was meant to do, and no more: safe to make without asking. */
export interface Edit {
  /** 1-based. */
  readonly line: number;
  /** What takes its place, with its secrets. Null turns the line into a comment. */
  readonly text: Secret | null;
}

export interface LintFinding {
  readonly finding: ConfigFinding;
  /** Null where a person has to decide. */
  readonly edit: Edit | null;
}

/** The file as the rules see it. */
export interface Source {
  readonly facts: LintFacts;
  /** The lines as they stand there, without their line feeds. */
  readonly lines: readonly string[];
  /** Every directive, known to this coturn or not. */
  readonly directives: readonly ParsedDirective[];
  /** Those that this coturn knows. */
  readonly known: readonly ParsedDirective[];
  readonly byName: ReadonlyMap<string, readonly ParsedDirective[]>;
}

export type LintRule = (source: Source) => LintFinding[];

export function sourceOf(facts: LintFacts): Source {
  const lines = facts.text.split('\n');
  // fgets() reads on behind a zero byte, and everything after it takes the byte for the end.
  const read = facts.text.includes('\0')
    ? lines.map((line) => line.replace(/\0.*$/s, '')).join('\n')
    : facts.text;
  // Of what stands behind a cut only an option counts; anything else may be a part of a secret, and is told of by the cut.
  const directives = parseDirectives(read).filter(({ name, isRest }) => !isRest || optionOf(name));
  const known = directives.filter(({ name }) => hasOption(facts.coturn.version, name));
  const byName = new Map<string, ParsedDirective[]>();
  for (const directive of known)
    byName.set(directive.name, [...(byName.get(directive.name) ?? []), directive]);
  return { facts, lines, directives, known, byName };
}

export function allOf(source: Source, ...names: readonly string[]): ParsedDirective[] {
  return names.flatMap((name) => source.byName.get(name) ?? []).toSorted((a, b) => a.line - b.line);
}

/** The line of an option that counts: the last one. */
export function lastOf(source: Source, name: string): ParsedDirective | undefined {
  return source.byName.get(name)?.at(-1);
}

export function textOf({ value }: Pick<ParsedDirective, 'value'>): string {
  return value === true ? '' : value;
}

/** The value that counts; the default of coturn where no line gives one. */
export function valueOf(source: Source, name: string): string | undefined {
  return lastValueOf(source.byName.get(name) ?? [], name) ?? optionOf(name)?.default;
}

/** Options that are on by being there: set_option() of mainrelay.c does not look at their values. */
export const alwaysOn: ReadonlySet<string> = new Set([
  'multiplex-peer',
  'new-log-timestamp',
  'no-auth-pings',
  'no-dynamic-ip-list',
  'no-dynamic-realms',
  'no-rfc5780',
  'prometheus',
  'prometheus-username-labels',
  'rfc5780',
  'use-auth-secret',
]);

/** Whether a flag is on, as the lines of the file leave it; `byDefault` where there is none. */
export function isSet(source: Source, name: string, byDefault = false): boolean {
  const directives = source.byName.get(name);
  if (directives === undefined) return byDefault;
  return alwaysOn.has(name) || isOn(directives, name);
}

/** A port as this coturn reads it: its lower 16 bits. */
export function portOf(source: Source, name: string): number {
  return leadingNumber(valueOf(source, name) ?? '') & 0xffff;
}

/** atoi(): blanks, a sign, digits, and whatever follows is left. */
export function leadingNumber(text: string): number {
  return Number.parseInt(/^\s*[+-]?\d+/.exec(text)?.[0] ?? '0', 10);
}

/** What a message may show of a value. */
export function shown({ name, value }: ParsedDirective, text = value === true ? '' : value): string {
  return isSecretName(name) ? '[redacted]' : redacted(text);
}

type Part = 'name' | 'value' | 'line';

/** Where a directive stands, or a part of it. */
export function at({ facts, lines }: Source, directive: ParsedDirective, part: Part = 'line'): PlaceEvidence {
  const { line, column, valueColumn, name } = directive;
  const text = redacted((lines[line - 1] ?? '').trimEnd());
  const end = text.length + 1;
  const from = Math.min(part === 'value' ? valueColumn : column, Math.max(1, end - 1));
  const to = part === 'name' ? Math.min(column + name.length, end) : end;
  return { file: facts.file, line, column: from, endColumn: Math.max(to, from), text };
}

/** The place of what is missing. */
export function wholeFile({ facts }: Source): PlaceEvidence {
  return { file: facts.file, line: null, column: 1, endColumn: 1, text: '' };
}

/** Evidence about one line; `replacement` is what should stand there. */
export function lineOf(
  source: Source,
  directive: ParsedDirective,
  part: Part = 'line',
  replacement: string | null = null,
): LineEvidence {
  const shownReplacement = replacement === null ? null : replacement.split('\n').map(redacted).join('\n');
  return { ...at(source, directive, part), option: redacted(directive.name), replacement: shownReplacement };
}

export interface NoteOptions {
  readonly severity?: Severity;
  /** Make this change with --fix. */
  readonly edit?: { readonly line: number; readonly text: string | null };
}

export function note<C extends ConfigFindingCode>(
  code: C,
  evidence: ConfigEvidence<C>,
  { severity, edit }: NoteOptions = {},
): LintFinding {
  const text = edit === undefined || edit.text === null ? null : new Secret(edit.text);
  return {
    finding: configFinding(code, evidence, severity),
    edit: edit === undefined ? null : { line: edit.line, text },
  };
}

/** The edit that turns a line into a comment: nothing is lost. */
export function commentedOut({ line }: ParsedDirective): NonNullable<NoteOptions['edit']> {
  return { line, text: null };
}

/** `cert (line 20)`. */
export function named({ name, line }: ParsedDirective): string {
  return `${name} (line ${line})`;
}
