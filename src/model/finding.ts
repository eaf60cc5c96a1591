import { callCatalog } from './catalog/call.ts';
import { credentialCatalog } from './catalog/credential.ts';
import { configAccessCatalog } from './catalog/config-access.ts';
import { configAddressCatalog } from './catalog/config-address.ts';
import { configExposureCatalog } from './catalog/config-exposure.ts';
import { configSyntaxCatalog } from './catalog/config-syntax.ts';
import { configTlsCatalog } from './catalog/config-tls.ts';
import type { CatalogEntry, Severity } from './catalog/entry.ts';
import { networkCatalog } from './catalog/network.ts';
import { peerCatalog } from './catalog/peer.ts';
import { reachCatalog } from './catalog/reach.ts';
import { relayCatalog } from './catalog/relay.ts';
import { tlsCatalog } from './catalog/tls.ts';
import { printableData } from './printable.ts';
import { subjectKey, type Subject } from './subject.ts';

export type { Severity } from './catalog/entry.ts';

/** What is found in a configuration file, not on a server. */
export const configCatalog = {
  ...configAccessCatalog,
  ...configAddressCatalog,
  ...configTlsCatalog,
  ...configExposureCatalog,
  ...configSyntaxCatalog,
} as const;

export type ConfigFindingCode = keyof typeof configCatalog;

/** Every finding code with its words, in the order in which a report shows findings of equal weight. */
export const catalog = {
  ...reachCatalog,
  ...tlsCatalog,
  ...credentialCatalog,
  ...relayCatalog,
  ...peerCatalog,
  ...callCatalog,
  ...networkCatalog,
  ...configCatalog,
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
  readonly subject: Subject;
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
  const subject = entryOf(code).subject(evidence);
  const causedBy = options.causedBy ?? null;
  // The union over all codes cannot be inferred from one code that is still a type parameter.
  return { code, severity, evidence, subject, targets, causedBy } as unknown as Finding;
}

/** The entry of a code, for evidence that belongs to it by construction of `Finding`. */
function entryOf(code: FindingCode): CatalogEntry<unknown> {
  return catalog[code] as CatalogEntry<unknown>;
}

export function sameSubject(a: Finding, b: Finding): boolean {
  return subjectKey(a.subject) === subjectKey(b.subject);
}

/** A text that is the same for findings of one fault, whichever listeners show it. */
export function faultKey({ code, subject, evidence }: Finding): string {
  const values = new Map<string, unknown>(Object.entries(evidence));
  const told = entryOf(code).distinctBy ?? [];
  return JSON.stringify([code, subjectKey(subject), ...told.map((key) => values.get(key) ?? null)]);
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
  const words = entryOf(code);
  return {
    title: words.title(evidence),
    cause: words.cause(evidence),
    proof: words.proof(evidence),
    fix: words.fix(evidence),
  };
}
