import { analysisConnectivityCatalog } from './catalog/analysis-connectivity.ts';
import { analysisMediaCatalog } from './catalog/analysis-media.ts';
import { analysisNegotiationCatalog } from './catalog/analysis-negotiation.ts';
import { answerCatalog } from './catalog/answer.ts';
import { seenCatalog } from './catalog/audit.ts';
import { auditCatalog } from './catalog/audit-listener.ts';
import { callCatalog } from './catalog/call.ts';
import { clientNetworkCatalog } from './catalog/client-network.ts';
import { captureMediaCatalog } from './catalog/capture-media.ts';
import { captureTurnCatalog } from './catalog/capture-turn.ts';
import { credentialCatalog } from './catalog/credential.ts';
import { configCatalog } from './catalog/config.ts';
import type { CatalogEntry, FaultEntry, Severity } from './catalog/entry.ts';
import { firewallCatalog } from './catalog/firewall.ts';
import { iceServersCatalog } from './catalog/ice-servers.ts';
import { networkCatalog } from './catalog/network.ts';
import { peerCatalog } from './catalog/peer.ts';
import { reachCatalog } from './catalog/reach.ts';
import { recordingJoinCatalog } from './catalog/recording-join.ts';
import { relayCatalog } from './catalog/relay.ts';
import { serverMachineCatalog } from './catalog/server-machine.ts';
import { serverProcessCatalog } from './catalog/server-process.ts';
import { serverLogServiceCatalog } from './catalog/server-log-service.ts';
import { serverLogSessionCatalog } from './catalog/server-log-session.ts';
import { witnessCatalog } from './catalog/server-witness.ts';
import { serviceCatalog } from './catalog/service.ts';
import { tlsCatalog } from './catalog/tls.ts';
import { wordsFrom, type FindingWords } from './finding-words.ts';
import { subjectKey, type Subject } from './subject.ts';

export type { Severity } from './catalog/entry.ts';

/** What is found in recordings of calls, in the order in which one thing leads to the next. */
export const recordedCallCatalog = {
  ...analysisNegotiationCatalog,
  ...analysisConnectivityCatalog,
  ...analysisMediaCatalog,
} as const;

export type RecordedCallFindingCode = keyof typeof recordedCallCatalog;

/** What is found in dumps, logs and captures, not by asking a server. */
export const recordingCatalog = {
  ...recordedCallCatalog,
  ...captureTurnCatalog,
  ...captureMediaCatalog,
  ...recordingJoinCatalog,
  ...serverLogServiceCatalog,
  ...serverLogSessionCatalog,
} as const;

export type RecordingFindingCode = keyof typeof recordingCatalog;

/** What is found on the machine of the server itself, by `firewall check`. */
export type FirewallFindingCode = keyof typeof firewallCatalog;

/** What only a doctor finds out about the network in which it stands. */
export type ClientNetworkFindingCode = keyof typeof clientNetworkCatalog;

/** What is wrong with what an application gives to its browsers. */
export type IceServersFindingCode = keyof typeof iceServersCatalog;

/** What a look at the machine of a server finds beside that, by `doctor`. */
export const machineCatalog = { ...serverProcessCatalog, ...serverMachineCatalog } as const;

export type MachineFindingCode = keyof typeof machineCatalog;
/** What only a look from both ends finds. */
export type WitnessFindingCode = keyof typeof witnessCatalog;

/** What only an audit finds. */
export type AuditFindingCode = keyof typeof auditCatalog;

/** Every finding code with its words, in the order in which a report shows findings of equal weight. */
export const catalog = {
  ...reachCatalog,
  ...answerCatalog,
  ...tlsCatalog,
  ...credentialCatalog,
  ...relayCatalog,
  ...serviceCatalog,
  ...peerCatalog,
  ...callCatalog,
  ...networkCatalog,
  ...clientNetworkCatalog,
  ...iceServersCatalog,
  ...machineCatalog,
  ...firewallCatalog,
  ...witnessCatalog,
  ...configCatalog,
  ...recordingCatalog,
  // In place of their entries for files alone.
  ...seenCatalog,
  ...auditCatalog,
} as const;

export type FindingCode = keyof typeof catalog;

export const findingCodes = Object.keys(catalog) as FindingCode[];

/** What a check can fail with. */
export type FaultCode = {
  [C in FindingCode]: (typeof catalog)[C] extends { readonly cell: unknown } ? C : never;
}[FindingCode];

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

type Consequences = Partial<Pick<FaultEntry<never, FindingCode>, 'causes' | 'isOfServer'>>;

// A cause that is no code does not compile here.
const consequences: Readonly<Record<FindingCode, Consequences & Pick<CatalogEntry<never>, 'severity'>>> =
  catalog;

/** What explains a finding on the same server, the likeliest first. */
export function causesOf(code: FindingCode): readonly FindingCode[] {
  return consequences[code].causes ?? [];
}

/** Whether it is at every listener of its server once it was seen at one. */
export function isOfServer(code: FindingCode): boolean {
  return consequences[code].isOfServer === true;
}

function faultOf(code: FindingCode): FaultEntry<unknown> | null {
  const words = entryOf(code);
  return 'cell' in words ? (words as FaultEntry<unknown>) : null;
}

/** What the cell of a check says that failed with it, in a word; empty where its mark says enough. */
export function cellWordOf({ code, evidence }: Finding): string {
  const cell = faultOf(code)?.cell ?? '';
  return typeof cell === 'string' ? cell : cell(evidence);
}

/** The headline where this is why no listener serves; null where it is no reason for that. */
export function headlineFor({ code, evidence }: Finding): string | null {
  const headline = faultOf(code)?.headline ?? null;
  return typeof headline === 'function' ? headline(evidence) : headline;
}

/** Whether users are served in spite of it, be it badly, or only some of them. */
export function isImpairing(code: FindingCode): boolean {
  return faultOf(code)?.headline === null;
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

/** What a finding says to a person. */
export function wordsOf({ code, evidence }: Finding): FindingWords {
  return wordsFrom(entryOf(code), evidence);
}
