import { closest } from '../../config/suggestion.ts';
import { coturnOptions, hasOption, isEffective, optionOf } from '../options.ts';
import type { ParsedDirective } from '../parse.ts';
import { compareVersions } from '../../model/release.ts';
import { redacted } from '../redaction.ts';
import { commentedOut, lineOf, note } from './source.ts';
import type { LintFinding, Source } from './source.ts';

/** Options that this coturn does not know, or no more, or not yet. */
export function optionNameFindings(source: Source): LintFinding[] {
  return source.directives.flatMap((directive) => nameFindings(source, directive));
}

function nameFindings(source: Source, directive: ParsedDirective): LintFinding[] {
  const { version } = source.facts.coturn;
  const option = optionOf(directive.name);
  if (option === undefined) return unknown(source, directive);
  const { since, until } = option;
  if (since !== undefined && compareVersions(version, since) < 0)
    return [note('CONFIG_OPTION_TOO_NEW', { ...lineOf(source, directive, 'name', ''), version, since })];
  const edit = commentedOut(directive);
  if (until !== undefined && !hasOption(version, directive.name))
    return [
      note('CONFIG_OPTION_REMOVED', { ...lineOf(source, directive, 'name', ''), version, until }, { edit }),
    ];
  if (isEffective(version, directive.name)) return [];
  return [note('CONFIG_OPTION_IDLE', { ...lineOf(source, directive, 'name', ''), version }, { edit })];
}

function unknown(source: Source, directive: ParsedDirective): LintFinding[] {
  const { version } = source.facts.coturn;
  const { line, column, name } = directive;
  // The byte order mark and the carriage return are told as such.
  if (/^(?:\ufeff|\u00ef\u00bb\u00bf)/.test(name) || /\r/.test(name)) return [];
  const names = coturnOptions.map((each) => each.name).filter((each) => hasOption(version, each));
  const meant = closest(name.replace(/[:;].*$/s, ''), names);
  const rest = (source.lines[line - 1] ?? '').slice(column - 1 + name.length).trimEnd();
  const replacement = meant === null || /[:;]/.test(name) ? null : redacted(`${meant}${rest}`);
  const evidence = { ...lineOf(source, directive, 'name'), replacement, version, meant };
  // A slip takes away what the line was meant to do; a line of something else never did anything.
  return [note('CONFIG_OPTION_UNKNOWN', evidence, { severity: meant === null ? 'warning' : 'error' })];
}
