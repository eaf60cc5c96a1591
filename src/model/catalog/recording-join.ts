import type { Subject } from '../subject.ts';
import { entry, onServer } from './entry.ts';

interface AlignmentEvidence {
  readonly file: string;
  readonly log: string;
  /** What is added to times of the log to get those of the capture, in seconds. */
  readonly offsetS: number;
  /** Sessions that are in both. */
  readonly sessions: number;
  /** When coturn started, by the clock of the capture (ISO 8601), where the log counts from there; else null. */
  readonly startedAt: string | null;
}

function captureFile({ file }: AlignmentEvidence): Subject {
  return { kind: 'file', file };
}

/** What follows from recordings that belong together. */
export const recordingJoinCatalog = {
  RECORDINGS_ALIGNED: entry<AlignmentEvidence>({
    severity: 'info',
    subject: captureFile,
    example: { file: 'call.pcapng', log: 'turnserver.log', offsetS: -3, sessions: 2, startedAt: null },
    title: () => 'The capture and the log show the same sessions',
    cause: (e) =>
      e.startedAt === null
        ? `${e.log} is ${clockText(e.offsetS)} of ${e.file}.`
        : `${e.log} counts from the start of coturn, which was at ${e.startedAt} by the clock of ${e.file}.`,
    proof: (e) =>
      `${e.sessions} allocation${e.sessions === 1 ? '' : 's'} of the same user in both, told apart by the address of the client where the log has it.`,
    fix: () => [
      'nothing; where the clocks differ by more than a minute, set that of the server:',
      onServer('timedatectl'),
    ],
    explanation:
      'A log and a capture are laid side by side by the usernames and addresses of their allocations. The difference of their times is that of the clocks; up to 4.16 coturn writes whole seconds. Time-limited credentials are judged by the clock of the server.',
    confusedWith: [],
    references: ['coturn README.turnserver'],
  }),
} as const;

function clockText(offsetS: number): string {
  const seconds = Math.abs(offsetS);
  if (seconds <= 2) return 'within 2 s of the clock';
  return `${Math.round(seconds)} s ${offsetS > 0 ? 'behind' : 'ahead of'} the clock`;
}
