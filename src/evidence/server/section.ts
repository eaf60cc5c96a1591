import type { Seen } from '../../model/firewall-facts.ts';
import type { EvidenceSection, ServerEvidence } from '../../model/server-evidence.ts';

/** A section of the evidence; one that says that it is not there where there is none. */
export function sectionOf({ sections }: ServerEvidence, name: string): EvidenceSection {
  const section = Object.hasOwn(sections, name) ? sections[name] : undefined;
  return section ?? { status: 'cut', text: '' };
}

/** The text of a section that ended well; empty for any other. */
export function textOf(evidence: ServerEvidence, name: string): string {
  const { status, text } = sectionOf(evidence, name);
  return status === '0' ? text : '';
}

/** The text of a section, or why it is not there. `what` begins the reason: `the limits of process 812`. */
export function seenText(evidence: ServerEvidence, name: string, what: string): Seen<string> {
  const { status, text } = sectionOf(evidence, name);
  if (status === '0') return seen(text);
  return unknown(`${what} ${reasonOf(status, isRoot(evidence))}`);
}

export function isRoot(evidence: ServerEvidence): boolean {
  return textOf(evidence, 'id').trim() === '0';
}

function reasonOf(status: string, asRoot: boolean): string {
  switch (status) {
    case 'absent':
      return 'is not there';
    case '127':
      return 'cannot be read: the program for it is not installed';
    case '124':
      return 'was not told in time';
    case 'cut':
      return 'is not in what arrived';
    default:
      return asRoot ? 'cannot be read' : 'cannot be read without root';
  }
}

export function seen<T>(value: T): { readonly state: 'seen'; readonly value: T } {
  return { state: 'seen', value };
}

export function unknown(because: string): { readonly state: 'unknown'; readonly because: string } {
  return { state: 'unknown', because };
}

export function valueOf<T>(fact: Seen<T>): T | null {
  return fact.state === 'seen' ? fact.value : null;
}

/** The words of a line, after `name` where the line begins with it; null without such a line. */
export function lineOf(text: string, name: string): string | null {
  const line = text.split('\n').find((each) => each.startsWith(`${name} `));
  return line === undefined ? null : line.slice(name.length + 1).trim();
}

/** `NAME=VALUE` lines, the last of a name. */
export function assignments(text: string): Map<string, string> {
  return new Map(
    text.split('\n').flatMap((line): [string, string][] => {
      const index = line.indexOf('=');
      return index < 1 ? [] : [[line.slice(0, index), line.slice(index + 1).trim()]];
    }),
  );
}
