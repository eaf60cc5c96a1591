import { callCatalog } from './catalog/call.ts';
import { credentialCatalog } from './catalog/credential.ts';
import type { CatalogEntry, Severity } from './catalog/entry.ts';
import { reachCatalog } from './catalog/reach.ts';
import { relayCatalog } from './catalog/relay.ts';
import { tlsCatalog } from './catalog/tls.ts';
import { printableData } from './printable.ts';

export type { Severity } from './catalog/entry.ts';

/** Every finding code with its words, in the order in which a report shows findings of equal weight. */
export const catalog = {
  ...reachCatalog,
  ...tlsCatalog,
  ...credentialCatalog,
  ...relayCatalog,
  ...callCatalog,
} as const;

export type FindingCode = keyof typeof catalog;

export const findingCodes = Object.keys(catalog) as FindingCode[];

/** The evidence that a finding of code `C` carries. */
export type Evidence<C extends FindingCode> = Parameters<(typeof catalog)[C]['title']>[0];

/** Something that is wrong, as data; its words are in the catalog. */
export type Finding = { [C in FindingCode]: FindingOf<C> }[FindingCode];

interface FindingOf<C extends FindingCode> {
  readonly code: C;
  readonly severity: Severity;
  readonly evidence: Evidence<C>;
  /** URLs of the targets that it concerns; empty for all. */
  readonly targets: readonly string[];
  /** The finding that explains this one, when that is known. */
  readonly causedBy: FindingCode | null;
}

export interface FindingOptions {
  readonly targets?: readonly string[];
  readonly severity?: Severity;
  readonly causedBy?: FindingCode;
}

export function finding<C extends FindingCode>(
  code: C,
  evidence: Evidence<C>,
  options: FindingOptions = {},
): Finding {
  const severity = options.severity ?? catalog[code].severity;
  const targets = options.targets ?? [];
  // The union over all codes cannot be inferred from one code that is still a type parameter.
  return { code, severity, evidence, targets, causedBy: options.causedBy ?? null } as unknown as Finding;
}

/** Whether two findings are about one server: the same host at the same address. */
export function sameServer(a: Finding, b: Finding): boolean {
  const server = ({ evidence }: Finding): string =>
    JSON.stringify(['host', 'address'].map((key) => new Map(Object.entries(evidence)).get(key) ?? null));
  return server(a) === server(b);
}

export interface FindingWords {
  readonly title: string;
  readonly cause: string;
  readonly proof: string;
  readonly fix: readonly string[];
}

/** What a finding says to a person. What a server sent stands in the evidence as it came, and in the words printable. */
export function wordsOf({ code, evidence: asSeen }: Finding): FindingWords {
  const evidence: unknown = printableData(asSeen);
  // Code and evidence belong together by construction of `Finding`.
  const words = catalog[code] as CatalogEntry<unknown>;
  return {
    title: words.title(evidence),
    cause: words.cause(evidence),
    proof: words.proof(evidence),
    fix: words.fix(evidence),
  };
}
