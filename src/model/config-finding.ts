import { configCatalog } from './catalog/config.ts';
import type { CatalogEntry, Severity } from './catalog/entry.ts';
import { wordsFrom, type FindingWords } from './finding-words.ts';
import type { Subject } from './subject.ts';

// Beside finding.ts, and without it: what judges a file has no use for the words of two hundred other findings, which
// take longer to load than the file takes to judge.

export type ConfigFindingCode = keyof typeof configCatalog;

export type ConfigEvidence<C extends ConfigFindingCode> = Parameters<(typeof configCatalog)[C]['title']>[0];

/** A `Finding` about a configuration file. */
export type ConfigFinding = { [C in ConfigFindingCode]: ConfigFindingOf<C> }[ConfigFindingCode];

interface ConfigFindingOf<C extends ConfigFindingCode> {
  readonly code: C;
  readonly severity: Severity;
  readonly evidence: ConfigEvidence<C>;
  readonly subject: Subject;
  readonly targets: readonly string[];
  readonly causedBy: null;
}

/** A finding of `code`, as severe as its entry says where `severity` does not. */
export function configFinding<C extends ConfigFindingCode>(
  code: C,
  evidence: ConfigEvidence<C>,
  severity: Severity = configCatalog[code].severity,
): ConfigFinding {
  const subject = entryOf(code).subject(evidence);
  // The union over all codes cannot be inferred from one code that is still a type parameter.
  return { code, severity, evidence, subject, targets: [], causedBy: null } as unknown as ConfigFinding;
}

/** What it says to a person, as `wordsOf` does of any finding. */
export function configWordsOf({ code, evidence }: ConfigFinding): FindingWords {
  return wordsFrom(entryOf(code), evidence);
}

/** The entry of a code, for evidence that belongs to it by construction of `ConfigFinding`. */
function entryOf(code: ConfigFindingCode): CatalogEntry<unknown> {
  return configCatalog[code] as CatalogEntry<unknown>;
}
