import type { FirewallBackend, Opening, PortSpan } from '../../model/firewall.ts';

/** A file as it is to land on a host. */
export interface FirewallFile {
  readonly path: string;
  readonly text: string;
  readonly isProgram?: true;
}

/** What opens the ports in one kind of firewall. */
export interface FirewallRuleSet {
  readonly backend: FirewallBackend;
  readonly files: readonly FirewallFile[];
  /** Lines of a shell that end it where a value is not filled in; they go before any of the others. */
  readonly variables: readonly string[];
  /** Whether each command is of use without the others, as in a cloud, where one fails that was run before. */
  readonly independent: boolean;
  /** Lines of a shell, to be run once the files are there; a second time they change nothing. */
  readonly commands: readonly string[];
  /** Lines of a shell that take all of it back. */
  readonly removal: readonly string[];
  /** What somebody has to know before running them. */
  readonly notes: readonly string[];
}

/** The ports of one protocol, in order, each once: what is in another span is left out. */
export function spansOf(openings: readonly Opening[], protocol: Opening['protocol']): PortSpan[] {
  const spans = openings.filter((each) => each.protocol === protocol).map(({ ports }) => ports);
  return spans
    .filter(
      (span, index) =>
        !spans.some(
          (other, position) =>
            other.first <= span.first &&
            span.last <= other.last &&
            (other.first < span.first || span.last < other.last || position < index),
        ),
    )
    .toSorted((a, b) => a.first - b.first);
}
