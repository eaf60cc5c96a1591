import type { CheckStatus } from './check.ts';
import type { FindingCode, Severity } from './finding.ts';
import type { Verdict } from './report.ts';

/**
 * What has to be so for audio to flow, in the order in which one thing leads to the next. The ids are public; a title is
 * true when the check passes.
 */
export const callCheckTitles = {
  'microphone-opens': 'the microphone was opened and kept',
  'audio-negotiated': 'both sides agreed on audio',
  'ice-servers': 'the ICE servers serve',
  'candidates-found': 'candidates were found and exchanged',
  'ice-connects': 'a path was found, and held',
  'dtls-connects': 'keys were agreed on (DTLS)',
  'audio-sent': 'audio is sent and arrives',
  'audio-received': 'audio arrives here',
  'audio-played': 'it has sound in it, and is played',
  'audio-good': 'the sound is good',
} as const;

export type CallCheckId = keyof typeof callCheckTitles;

export interface CallCheckReport {
  readonly id: CallCheckId;
  readonly title: string;
  readonly status: CheckStatus;
  /** Why it was skipped or is unknown; null otherwise. */
  readonly because: string | null;
  readonly detail: string | null;
  readonly findings: readonly FindingCode[];
  readonly severity: Severity | null;
}

/** A moment of a connection; `atMs` is milliseconds since its beginning. */
export interface CallMoment {
  readonly atMs: number | null;
  readonly text: string;
  readonly isFault: boolean;
}

/** A figure over time, as a chart shows it; gaps are null. */
export interface CallChart {
  readonly name: string;
  readonly unit: string;
  /** Milliseconds since the beginning of the connection, of the first point and between points. */
  readonly startMs: number;
  readonly stepMs: number;
  readonly points: readonly (number | null)[];
}

export interface CandidateReport {
  readonly type: string;
  readonly protocol: string;
  readonly address: string | null;
  readonly port: number | null;
  readonly relayProtocol: string | null;
  readonly url: string | null;
}

/** One session of a TURN server, where a log or a capture has it. */
export interface ServerSessionReport {
  readonly file: string;
  /** As coturn numbers it; null in a capture. */
  readonly session: string | null;
  readonly user: string;
  readonly client: string | null;
  readonly relay: string | null;
  readonly peers: readonly string[];
  /** By what it is known to be the same: `relay address`, `client address`, `user and time`, `time`. */
  readonly by: string;
  /** What is added to times of the file to get those of the recording of the call, in seconds; null where it is not known. */
  readonly offsetS: number | null;
  /** In a sentence without its full stop, what became of it. */
  readonly outcome: string;
}

/** What a recording shows of one connection. */
export interface RecordedCallReport {
  readonly file: string;
  readonly connection: string;
  readonly url: string | null;
  /** ISO 8601; null where the recording has no times. */
  readonly startedAt: string | null;
  readonly durationMs: number | null;
  /** Whether it carries audio, or was to. */
  readonly isAudio: boolean;
  readonly verdict: Verdict;
  readonly headline: string;
  readonly confidence: {
    readonly level: 'high' | 'medium' | 'low';
    /** Why it is not higher, and what would raise it; empty where it is high. */
    readonly because: readonly string[];
    readonly raise: readonly string[];
  };
  /** In which direction audio may flow, seen from the recorded side; null where it is not known. */
  readonly negotiated: string | null;
  readonly checks: readonly CallCheckReport[];
  /** The pair that carried the media last; null where none did, or it is not known. */
  readonly path: { readonly local: CandidateReport | null; readonly remote: CandidateReport | null } | null;
  /** The sessions of TURN servers that are seen to be its own, in logs and captures that were given beside. */
  readonly sessions: readonly ServerSessionReport[];
  /** How many candidates of each type each side had. */
  readonly candidates: {
    readonly local: Readonly<Record<string, number>>;
    readonly remote: Readonly<Record<string, number>>;
  };
  readonly figures: readonly {
    readonly direction: 'sent' | 'received';
    readonly lossRatio: number | null;
    readonly jitterMs: number | null;
    readonly rttMs: number | null;
    readonly mos: number | null;
    readonly worstMos: number | null;
  }[];
  readonly timeline: readonly CallMoment[];
  readonly charts: readonly CallChart[];
}

/** What recordings of calls show as a whole. */
export interface CallsReport {
  /** The call that the headline is about, and why that one; null where there is none. */
  readonly chosen: { readonly file: string; readonly connection: string; readonly because: string } | null;
  readonly verdict: Verdict;
  readonly headline: string;
  readonly calls: readonly RecordedCallReport[];
}
