import type { Subject } from '../subject.ts';
import { entry, type CatalogEntry } from './entry.ts';

/** What a log of coturn shows again and again. */
export interface LogEvidence {
  readonly file: string;
  /** How often: sessions, or lines where no session is meant. */
  readonly count: number;
  /** Sessions of the log that got an allocation. */
  readonly allocated: number;
  /** Users or addresses that it concerned, a few of them. */
  readonly who: readonly string[];
  /** When it was seen first and last, as text; null where the log has no time. */
  readonly span: string | null;
}

/** What coturn says in so many words. */
export interface LogLineEvidence extends LogEvidence {
  /** A line of the log, without its time. */
  readonly line: string;
  /** The paths, addresses or options in question, a few of them. */
  readonly details: readonly string[];
}

type LogWords<E> = Omit<CatalogEntry<E>, 'subject' | 'proof' | 'confusedWith' | 'references'> &
  Partial<Pick<CatalogEntry<E>, 'proof' | 'confusedWith' | 'references'>>;

function logFile({ file }: LogEvidence): Subject {
  return { kind: 'file', file };
}

/** An entry about a log, which is its own proof. */
export function logEntry<E extends LogEvidence>(words: LogWords<E>): CatalogEntry<E> {
  return entry<E>({
    subject: logFile,
    proof: (e) => `${e.file} shows it ${times(e.count)}${during(e)}${of(e)}.`,
    confusedWith: [],
    references: ['coturn README.turnserver'],
    ...words,
  });
}

/** As `logEntry`, for what coturn says itself. */
export function logLineEntry(words: LogWords<LogLineEvidence>): CatalogEntry<LogLineEvidence> {
  return logEntry<LogLineEvidence>({
    proof: (e) => `${e.file} says it ${times(e.count)}${during(e)}: “${e.line.replace(/[.\s]+$/, '')}”.`,
    ...words,
  });
}

export function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}

function during({ span }: LogEvidence): string {
  return span === null ? '' : `, ${span}`;
}

function of({ who }: LogEvidence): string {
  return who.length === 0 ? '' : ` (${who.join(', ')})`;
}

/** `1 session`, `3 sessions`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

export const exampleLog: LogEvidence = {
  file: 'turnserver.log',
  count: 12,
  allocated: 40,
  who: ['1795266352:alice'],
  span: '2026-11-21 12:50:15 to 12:58:02 UTC',
};

export function exampleLogLine(line: string, detail: string): LogLineEvidence {
  return { ...exampleLog, who: [], count: 1, line, details: [detail] };
}
