import type { Subject } from '../subject.ts';
import { entry, type CatalogEntry } from './entry.ts';

/** What a capture shows of one five-tuple, or of several that have the same fault. */
export interface CaptureEvidence {
  readonly file: string;
  readonly transport: 'udp' | 'tcp';
  /** `address:port` of who asked or sent, and of the other side; those of the first of them. */
  readonly from: string;
  readonly to: string;
  /** The TURN server between them; null where there is none. */
  readonly relayedBy: string | null;
  /** How many five-tuples show it. */
  readonly flows: number;
  /** What was counted: requests, packets. */
  readonly count: number;
}

type CaptureWords<E> = Omit<CatalogEntry<E>, 'subject' | 'confusedWith'> &
  Partial<Pick<CatalogEntry<E>, 'confusedWith'>>;

function captureFile({ file }: CaptureEvidence): Subject {
  return { kind: 'file', file };
}

export function captureEntry<E extends CaptureEvidence>(words: CaptureWords<E>): CatalogEntry<E> {
  return entry<E>({ subject: captureFile, confusedWith: [], ...words });
}

/** `192.0.2.1:5000 to 203.0.113.10:3478 over UDP, and 2 more five-tuples`. */
export function path({ from, to, transport, relayedBy, flows }: CaptureEvidence): string {
  const through =
    relayedBy === null ? ` over ${transport.toUpperCase()}` : ` through the relay of ${relayedBy}`;
  const more = flows < 2 ? '' : `, and ${flows - 1} more five-tuple${flows === 2 ? '' : 's'}`;
  return `${from} to ${to}${through}${more}`;
}

export const exampleCapture: CaptureEvidence = {
  file: 'call.pcapng',
  transport: 'udp',
  from: '192.0.2.7:51000',
  to: '203.0.113.10:3478',
  relayedBy: null,
  flows: 1,
  count: 7,
};
