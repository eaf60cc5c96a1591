import type { ClientNetworkFacts, NetworkLine } from './client-network.ts';
import type { ExitCode } from './error.ts';
import type { FindingWords } from './finding-words.ts';
import type { Finding } from './finding.ts';
import type { Report, schemaVersion, Verdict } from './report.ts';
import type { ServerFacts } from './server-facts.ts';
import type { WitnessFacts } from './witness-facts.ts';

/** What users complain of, in the words that they use, and whether nobody or some of them do. */
export const symptoms = {
  'one-way': 'one side hears nothing',
  none: 'nobody hears anything',
  'drops-after': 'calls drop after some time',
  'some-networks': 'calls fail from some networks',
  'turns-only': 'turns: fails, and turn: works',
} as const;

export type Symptom = keyof typeof symptoms;

export const symptomIds = Object.keys(symptoms) as Symptom[];

/** Which side of the network saw something. */
export type Side = 'server' | 'client';

/** A finding in the tree: the roots in order, each followed by what it leads to. */
export type DoctorFinding = Finding &
  Omit<FindingWords, 'fix'> & {
    /** One step a line. */
    readonly fix: string;
    /** Its place in `findings`, from 1 on. */
    readonly id: number;
    /** The finding that leads to it; null for a root. */
    readonly causeId: number | null;
    readonly seenFrom: readonly Side[];
    /** Whether it is about who else may use or reach the server, and does not keep users from talking. */
    readonly isHardening: boolean;
  };

/** Something that this run does not know. */
export interface NotExamined {
  readonly what: string;
  readonly because: string;
  /** What to add to know it; null where there is nothing. */
  readonly how: string | null;
  /** Whether it was asked for: without it nothing is healthy. */
  readonly isRequired: boolean;
}

export interface SymptomReport {
  readonly id: Symptom;
  readonly text: string;
  /** Ids of the root causes that lead to just that. */
  readonly explainedBy: readonly number[];
  /** What to try where nothing explains it; null where something does. */
  readonly advice: string | null;
}

/** The result of `doctor`; the public JSON form. */
export interface DoctorReport {
  readonly schemaVersion: typeof schemaVersion;
  readonly tool: { readonly name: 'rtc-ops'; readonly version: string };
  readonly command: 'doctor';
  readonly startedAt: string;
  readonly durationMs: number;
  readonly verdict: Verdict;
  /** One sentence for a person: what is wrong, and what comes of it. */
  readonly headline: string;
  readonly exitCode: ExitCode;
  readonly symptom: SymptomReport | null;
  readonly findings: readonly DoctorFinding[];
  readonly notExamined: readonly NotExamined[];
  /** The client side: the network of this machine, and the whole report of the probe. Null where none was asked for. */
  readonly client: {
    readonly network: readonly NetworkLine[];
    readonly networkFacts: ClientNetworkFacts;
    readonly probe: Report;
  } | null;
  /** The server from within. Secrets are left out. Null where it was not looked at. */
  readonly server: { readonly name: string; readonly facts: ServerFacts } | null;
  /** What the server saw of what was sent from here; null where both ends were not looked at. */
  readonly witness: WitnessFacts | null;
}
