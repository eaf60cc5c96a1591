import type { CatalogEntry } from './catalog/entry.ts';
import { printableData } from './printable.ts';

/** What a finding says to a person. */
export interface FindingWords {
  readonly title: string;
  readonly cause: string;
  readonly proof: string;
  readonly fix: readonly string[];
}

/** The words of an entry. What a server sent stands in the evidence as it came, and in the words printable. */
export function wordsFrom(entry: CatalogEntry<unknown>, asSeen: unknown): FindingWords {
  const evidence: unknown = printableData(asSeen);
  return {
    title: entry.title(evidence),
    cause: entry.cause(evidence),
    proof: entry.proof(evidence),
    fix: entry.fix(evidence),
  };
}
