import type { EvidenceSection } from '../../model/server-evidence.ts';

export interface EvidenceFrames {
  readonly sections: Readonly<Record<string, EvidenceSection>>;
  /** Whether the script came to its end. */
  readonly isWhole: boolean;
  /** Where in the output the section `name` ends, in bytes. */
  readonly endOf: (name: string) => number | null;
}

/**
 * Cuts what the script printed into its sections. The first of a name counts. What stands outside of sections, such as the
 * greeting of a server, is left.
 */
export function evidenceFrames(output: Buffer, boundary: string): EvidenceFrames {
  const marker = new RegExp(`\\n${boundary} (begin|end|finished)(?: ([^\\n]*))?\\n`, 'g');
  // One character for each byte.
  const text = output.toString('latin1');
  const sections = new Map<string, EvidenceSection>();
  const ends = new Map<string, number>();
  let open: { readonly name: string; readonly from: number } | null = null;
  let isWhole = false;
  for (const match of text.matchAll(marker)) {
    const [whole, kind, rest = ''] = match;
    if (kind === 'finished') isWhole = true;
    if (kind === 'begin') open = { name: decoded(rest), from: match.index + whole.length };
    if (kind === 'end' && open !== null) {
      if (!sections.has(open.name)) {
        const value = decoded(text.slice(open.from, Math.max(open.from, match.index)));
        sections.set(open.name, { status: rest, text: value });
        ends.set(open.name, match.index + whole.length);
      }
      open = null;
    }
  }
  if (open !== null && !sections.has(open.name))
    sections.set(open.name, { status: 'cut', text: decoded(text.slice(open.from)) });
  return { sections: Object.fromEntries(sections), isWhole, endOf: (name) => ends.get(name) ?? null };
}

/** UTF-8 where it is that, else the bytes as they are. */
function decoded(latin1: string): string {
  const bytes = Buffer.from(latin1, 'latin1');
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : latin1;
}
