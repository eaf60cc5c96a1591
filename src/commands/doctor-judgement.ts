import type { DoctorFacts } from '../model/doctor-facts.ts';
import type { DoctorReport, NotExamined } from '../model/doctor-report.ts';
import { schemaVersion, type ReportCriteria } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { Criteria } from '../rules/criteria.ts';
import { clientNetworkFindings, networkLines } from '../rules/doctor/client-network.ts';
import { diagnose } from '../rules/doctor/diagnosis.ts';
import { iceServersFindings } from '../rules/doctor/ice-servers.ts';
import { nativeRootFindings } from '../rules/doctor/native-root.ts';
import { starterOf } from '../rules/doctor/starter.ts';
import { judgeWitness } from '../rules/doctor/witness.ts';
import { createReport } from '../rules/report.ts';
import { examineEvidence, type ServerExamination } from './doctor-server.ts';

/** What follows from what a doctor run saw. The same for the same facts, whether they are new or from an archive. */
export async function judgeDoctor(facts: DoctorFacts, failOn: 'error' | 'warning'): Promise<DoctorReport> {
  const { client, witness, symptom, startedAt, durationMs } = facts;
  const server =
    facts.server === null ? null : await examineEvidence(facts.server.evidence, facts.server.lint);
  const probe =
    client === null ? null : createReport('probe', client.observations, criteriaOf(client.criteria));
  const seen = witnessJudgement(facts, server);
  const diagnosis = diagnose({
    server:
      server === null
        ? null
        : {
            ...server,
            findings: [...server.findings, ...(seen?.findings ?? [])],
            starter: starterOf(server.facts),
          },
    client:
      client === null || probe === null
        ? null
        : {
            probe,
            network: [
              ...clientNetworkFindings(client.network),
              ...nativeRootFindings(client.observations, server?.facts.logs ?? []),
            ],
          },
    application: facts.iceServers === null ? [] : iceServersFindings(facts.iceServers),
    leftOut: [...(seen?.notExamined ?? []), ...facts.leftOut],
    symptom,
    failOn,
  });
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'doctor',
    startedAt,
    durationMs,
    ...diagnosis,
    client:
      client === null || probe === null
        ? null
        : {
            network: networkLines(client.observations, probe.nat, client.network),
            networkFacts: client.network,
            probe,
          },
    server: server === null ? null : { name: server.name, facts: server.facts },
    witness,
  };
}

function witnessJudgement(
  { witness, client }: DoctorFacts,
  server: ServerExamination | null,
): { findings: ReturnType<typeof judgeWitness>['findings']; notExamined: NotExamined[] } | null {
  if (witness === null || client === null || server === null) return null;
  const { findings, notExamined } = judgeWitness({
    observations: client.observations,
    witness,
    firewall: server.facts.firewall,
    addresses: server.addresses,
  });
  const open = notExamined.map(({ because, how }) => ({
    what: 'the way between here and the server',
    because,
    how,
    isRequired: false,
  }));
  return { findings, notExamined: open };
}

/** What is asked of a probe here is no more than that it works. */
function criteriaOf({ now, ...limits }: ReportCriteria): Criteria {
  return { ...limits, require: null, now: new Date(now) };
}
