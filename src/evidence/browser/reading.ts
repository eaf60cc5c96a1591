import type { CallRecording, SourceFacts } from '../../model/call-recording.ts';

/** What the reader of a format says; the name, the kind and the size of the file are known to its caller. */
export interface Reading extends Omit<CallRecording, 'source'> {
  readonly source: Pick<SourceFacts, 'writer' | 'engine' | 'savedAtMs' | 'missing' | 'isDamaged'>;
}
