import type { Subject } from '../subject.ts';
import { entry, onServer } from './entry.ts';

interface AlignmentEvidence {
  readonly file: string;
  readonly log: string;
  /** What is added to times of the log to get those of the file, in seconds; the log may be a capture, and the file a dump. */
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
    title: (e) => `${e.log} and ${e.file} show the same sessions, ${apart(e)}`,
    cause: (e) =>
      e.startedAt === null
        ? `${e.log} is ${clockText(e.offsetS)} of ${e.file}.`
        : `${e.log} counts from the start of coturn, which was at ${e.startedAt} by the clock of ${e.file}.`,
    proof: (e) =>
      `${e.sessions} allocation${e.sessions === 1 ? '' : 's'} in both, known by the relay address, by user and client, or by the time.`,
    fix: () => [
      'nothing; where the clocks differ by more than a minute, set that of the server:',
      onServer('timedatectl'),
    ],
    explanation:
      'A dump, a log and a capture are laid side by side by the addresses and usernames of their allocations. The difference of their times is that of the clocks; up to 4.16 coturn writes whole seconds. Time-limited credentials are judged by the clock of the server.',
    confusedWith: ['CLOCK_SKEW: the clock of the server against that of this machine, measured by a probe.'],
    references: ['coturn README.turnserver'],
  }),
} as const;

function clockText(offsetS: number): string {
  const seconds = Math.abs(offsetS);
  if (seconds <= 2) return 'within 2 s of the clock';
  return `${Math.round(seconds)} s ${offsetS > 0 ? 'behind' : 'ahead of'} the clock`;
}

function apart({ offsetS, startedAt }: AlignmentEvidence): string {
  if (startedAt !== null) return `from ${startedAt}`;
  return Math.abs(offsetS) <= 2 ? 'by one clock' : `${Math.abs(offsetS)} s apart`;
}
