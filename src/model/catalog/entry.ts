import type { Subject } from '../subject.ts';

export type Severity = 'error' | 'warning' | 'info';

/** The words of one finding code. `E` is the evidence that a finding of this code carries. */
export interface CatalogEntry<E> {
  readonly severity: Severity;
  readonly subject: (evidence: E) => Subject;
  /** The evidence in which two findings about one subject must agree to be one fault; empty where one is enough. */
  readonly distinctBy?: readonly (keyof E & string)[];
  /** What `explain` shows the words with. */
  readonly example: E;
  /** Another one, for what is found in two ways: in a file, and on a server that runs. */
  readonly otherExample?: E;
  /** One line, true when the finding is. */
  readonly title: (evidence: E) => string;
  /** What is wrong, for this server. */
  readonly cause: (evidence: E) => string;
  /** How it is known: what was sent, what came back. */
  readonly proof: (evidence: E) => string;
  /**
   * What to do, one step a line, with the user's own values. A line `WHERE:  TEXT` (two blanks) holds a text that is
   * typed or pasted as it stands, and is made by the functions below; any other line is a sentence.
   */
  readonly fix: (evidence: E) => readonly string[];
  /** For `explain`, without evidence: what it means for users, and how it is proven. */
  readonly explanation: string;
  /** For `explain`: what looks alike and is not. */
  readonly confusedWith: readonly string[];
  readonly references: readonly string[];
}

/** Fixes the evidence type of an entry; the compiler then holds every finding of that code to it. */
export function entry<E>(words: CatalogEntry<E>): CatalogEntry<E> {
  return words;
}

/** What can be wrong with a server so that a check of it fails: its words, and what becomes of the report. */
export interface FaultEntry<E, Cause extends string = string> extends CatalogEntry<E> {
  /** What the cell of such a check says, in a word; empty where its mark says enough. Beyond 9 letters it is left out of a narrow table. */
  readonly cell: string | ((evidence: E) => string);
  /** The headline where this is why no listener serves; null where users are served all the same, if badly. */
  readonly headline: string | ((evidence: E) => string) | null;
  /** Codes of what explains it on the same server: the first that is found does. */
  readonly causes: readonly Cause[];
  /** Whether it is at every listener of its server once it was seen at one; else it explains only what it was seen at. */
  readonly isOfServer?: true;
}

/** As `entry`, for what a check can fail with. Called twice, as the codes of `causes` are inferred. */
export function fault<E>(): <const Cause extends string>(
  words: FaultEntry<E, Cause>,
) => FaultEntry<E, Cause> {
  return (words) => words;
}

/** The headline of most that can be wrong with a relay. */
export const noAudio = 'users who need the relay will hear nothing';

/** A line of a shell on the server. */
export function onServer(command: string): string {
  return `on the server:  ${command}`;
}

/** A line of a shell on the machine that ran the probe. */
export function here(command: string): string {
  return `here:  ${command}`;
}

/** A line of coturn's configuration. It knows no comments behind a value, so nothing may follow. */
export function inConfig(line: string): string {
  return `${configFile}:  ${line}`;
}

export const configFile = '/etc/turnserver.conf';
export const restart = onServer('sudo systemctl restart coturn');
export const journal = onServer('sudo journalctl -u coturn -n 50');

/** A release that does not answer over UDP with an IP TTL of 1, as 4.17.0 and 4.17.1 do. */
export const releaseWithUsualTtl = 'take coturn 4.18 or newer, or 4.16';

/** The lines of the configuration that begin with one of `options`. */
export function grepConfig(options: string): string {
  return onServer(`sudo grep -nE '^(${options})' ${configFile}`);
}

/** One listener, as findings name it. */
export interface ListenerEvidence {
  readonly host: string;
  readonly address: string;
  readonly port: number;
  readonly transport: 'udp' | 'tcp' | 'tls';
}

/** How a connection ended that came to nothing. */
export interface EndEvidence {
  /** The other side ended it, as a server does that stops; false when it answered with something else. */
  readonly closed: boolean;
}

/** For faults of which each listener can have its own. */
export const listenerKeys = ['transport', 'port'] as const;

/** `UDP 3478`, `TLS 5349`. */
export function listenerName({ transport, port }: Pick<ListenerEvidence, 'transport' | 'port'>): string {
  return `${transport.toUpperCase()} ${port}`;
}

/** `turn.example.com (203.0.113.10)`, or the address alone when it was given as such. */
export function serverName({ host, address }: { readonly host: string; readonly address: string }): string {
  return host === address ? address : `${host} (${address})`;
}

/** The protocol that a packet filter sees: TLS is TCP to it. */
export function filterProtocol({ transport }: ListenerEvidence): 'udp' | 'tcp' {
  return transport === 'udp' ? 'udp' : 'tcp';
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(items: readonly string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

/** Where packets to a listener get lost, or slow: TLS is TCP on the way. */
export function traceRoute(evidence: ListenerEvidence): string {
  return here(`mtr --report --${filterProtocol(evidence)} --port ${evidence.port} ${evidence.address}`);
}

/** The listeners of the examples (documentation addresses, RFC 5737). */
export const exampleListener: ListenerEvidence = {
  host: 'turn.example.com',
  address: '203.0.113.10',
  port: 3478,
  transport: 'udp',
};
export const exampleTls: ListenerEvidence = { ...exampleListener, port: 5349, transport: 'tls' };
