import { entry, type CatalogEntry } from './entry.ts';

/** The connection that a finding is about. */
export interface CallEvidence {
  readonly file: string;
  /** The connection's name in its file. */
  readonly connection: string;
}

type CallWords<E> = Omit<CatalogEntry<E>, 'subject' | 'confusedWith' | 'references'> &
  Partial<Pick<CatalogEntry<E>, 'confusedWith' | 'references'>>;

/** An entry about a recorded connection. */
export function callEntry<E extends CallEvidence>(words: CallWords<E>): CatalogEntry<E> {
  return entry<E>({
    subject: ({ file, connection }) => ({ kind: 'connection', file, connection }),
    confusedWith: [],
    references: [],
    ...words,
  });
}

export const exampleCall: CallEvidence = { file: 'webrtc_internals_dump.txt', connection: '24-1' };

/** `3.0 %` */
export function percent(ratio: number): string {
  return `${(ratio * 100).toFixed(1)} %`;
}

/** `12 s`, `0.4 s` */
export function seconds(ms: number): string {
  return `${ms < 10_000 ? (ms / 1000).toFixed(1) : Math.round(ms / 1000)} s`;
}

/** A step in the code of the application. */
export function inApplication(code: string): string {
  return `in the application:  ${code}`;
}

/** What proves a TURN server from the machine of the user. */
export const probeServer = 'here:  rtc-ops probe TURN_SERVER';
