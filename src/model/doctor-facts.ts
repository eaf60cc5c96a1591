import type { ClientNetworkFacts } from './client-network.ts';
import type { NotExamined, Symptom } from './doctor-report.ts';
import type { Finding } from './finding.ts';
import type { IceServersFacts } from './ice-servers.ts';
import type { Observations } from './observations.ts';
import type { ReportCriteria } from './report.ts';
import type { ServerEvidence } from './server-evidence.ts';
import type { WitnessFacts } from './witness-facts.ts';

/** All that a doctor run saw: what it is judged by, at once or again from an archive. */
export interface DoctorFacts {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  readonly symptom: Symptom | null;
  /** What an application gives to its browsers; null where none was given here. */
  readonly iceServers: IceServersFacts | null;
  /** The server from within, as it came; null where it was not looked at. */
  readonly server: {
    readonly evidence: ServerEvidence;
    /** What the lint found in its configurations, which it takes their secrets for. */
    readonly lint: readonly Finding[];
  } | null;
  /** The server as it is seen from here; null where nothing was sent to it. */
  readonly client: {
    readonly observations: Observations;
    readonly criteria: ReportCriteria;
    readonly network: ClientNetworkFacts;
  } | null;
  /** What the server saw of what was sent from here; null where both ends were not looked at. */
  readonly witness: WitnessFacts | null;
  readonly leftOut: readonly NotExamined[];
}
