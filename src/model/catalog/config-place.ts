import { configurationFile } from '../subject.ts';
import { configFile, entry, type CatalogEntry } from './entry.ts';

/** Where in a configuration file a finding is. What is missing has no line. */
export interface PlaceEvidence {
  readonly file: string;
  /** 1-based; null where the file as a whole is meant. */
  readonly line: number | null;
  /** 1-based, in characters; `endColumn` is that behind the last one. */
  readonly column: number;
  readonly endColumn: number;
  /** The line as it stands there, but with what is secret in it left out; empty without a line. */
  readonly text: string;
}

/** A line and what should stand in its place. */
export interface LineEvidence extends PlaceEvidence {
  readonly option: string;
  /** Null where it cannot be said; an empty text where the line should go. */
  readonly replacement: string | null;
}

/** `/etc/turnserver.conf:12:  realm=example.org`, or where to add the line. */
export function inFile({ file, line }: PlaceEvidence, text: string): string {
  return `${file}:${line === null ? '' : `${line}:`}  ${text}`;
}

/** What a line should become, or what else there is to do. */
export function replaced(e: LineEvidence, otherwise: string): readonly string[] {
  if (e.replacement === null) return [otherwise];
  if (e.replacement === '') return [`delete line ${e.line ?? ''} of ${e.file}`];
  return e.replacement.split('\n').map((text) => inFile(e, text));
}

/** How a finding of the lint is known: the line itself, or that there is none. */
export function quoted(e: PlaceEvidence): string {
  return e.line === null ? `${e.file} as a whole says so.` : `Line ${e.line} of ${e.file} is: ${e.text}.`;
}

type ConfigWords<E> = Omit<CatalogEntry<E>, 'subject' | 'proof' | 'confusedWith' | 'references'> &
  Partial<Pick<CatalogEntry<E>, 'proof' | 'confusedWith' | 'references'>>;

/** An entry about a configuration file, which is its own proof. */
export function configEntry<E extends PlaceEvidence>(words: ConfigWords<E>): CatalogEntry<E> {
  return entry<E>({
    subject: configurationFile,
    proof: quoted,
    confusedWith: [],
    references: ['coturn README.turnserver'],
    ...words,
  });
}

/** A line of the examples. */
export function exampleLine(text: string, option = text.replace(/=.*/, '')): LineEvidence {
  return {
    file: configFile,
    line: 12,
    column: 1,
    endColumn: text.length + 1,
    text,
    option,
    replacement: null,
  };
}

/** For what is missing in the file of the examples. */
export const exampleFile: PlaceEvidence = { file: configFile, line: null, column: 1, endColumn: 1, text: '' };
