import type { CheckEntry, CheckId, CheckIdAbout, Outcome } from '../model/check.ts';
import type { Observations, TargetFacts } from '../model/observations.ts';
import type { Report, SubjectCheckReport } from '../model/report.ts';
import { isTurn } from '../model/turn-uri.ts';
import { judgeAllocate, judgeChallenge, judgeChannel, judgeRefresh, judgeRelease } from './allocation.ts';
import { callReports, worstCall } from './call-report.ts';
import { judgeCall } from './call.ts';
import { judgeCandidates } from './candidates.ts';
import { judgeCertificate } from './certificate.ts';
import { checkReport, findingsOf, targetReport } from './check-report.ts';
import type { Criteria } from './criteria.ts';
import { findingList } from './finding-list.ts';
import { identityFindings } from './identity.ts';
import { judgeBinding, judgeListener } from './listener.ts';
import { judgeName } from './name.ts';
import { judgeNat, type JudgedNat } from './nat.ts';
import { inOrder } from './outcome.ts';
import { outsideFindings } from './outside.ts';
import { judgePermission, judgeRelay, judgeRelayAddress } from './relay.ts';
import { outwardFindings } from './outward.ts';
import { amongPorts, judgePorts, judgePortsBeside } from './relay-ports.ts';
import { ttlFindings } from './reply-ttl.ts';
import { openQuestions } from './requirement.ts';
import { vantageFindings, vantageOf, vantageOfTarget } from './vantage.ts';
import { verdictOf } from './verdict.ts';

type Judged = Pick<
  Report,
  | 'verdict'
  | 'headline'
  | 'exitCode'
  | 'vantage'
  | 'targets'
  | 'checks'
  | 'open'
  | 'call'
  | 'calls'
  | 'nat'
  | 'findings'
>;

/** Facts → verdict. Deterministic: the same facts and criteria give the same report. */
export function judge(observations: Observations, criteria: Criteria): Judged {
  const judgedTargets = observations.targets.map((facts) => ({
    facts,
    outcomes: outcomesOf(facts, observations, criteria),
  }));
  const judgedNames = observations.names.map((name) => ({ name, outcome: judgeName(name) }));
  const nats = observations.nat?.map((facts) => judgeNat(facts, observations.interfaces)) ?? null;
  const findings = findingList([
    ...judgedNames.flatMap(({ outcome }) => findingsOf(outcome)),
    ...judgedTargets.flatMap(({ outcomes }) => [...outcomes.values()].flatMap(findingsOf)),
    ...outwardFindings(observations),
    ...identityFindings(observations),
    ...ttlFindings(observations),
    ...outsideFindings(observations),
    ...vantageFindings(observations),
    ...(nats ?? []).flatMap((nat) => nat.findings),
  ]);
  const targets = judgedTargets.map(({ facts, outcomes }) => targetReport(facts, outcomes, criteria));
  const names = judgedNames.map(({ name, outcome }) => ({
    subject: name.host,
    ...checkReport('dns-resolves', outcome, name.lookup, !name.isControl),
  }));
  const open = openQuestions(names, targets, observations, criteria);
  const calls = observations.targets.flatMap(callReports);
  return {
    ...verdictOf({ targets, open, findings }, criteria.failOn),
    vantage: vantageOf(observations),
    targets,
    checks: [...names, ...(nats ?? []).flatMap(natChecks)],
    open,
    call: worstCall(calls),
    calls,
    nat: nats && nats.map(({ report }) => report),
    findings,
  };
}

/** Not required: what a NAT of the client is like is no fault of a server. */
function natChecks({ report, outcomes }: JudgedNat): SubjectCheckReport[] {
  return [...outcomes].map(([id, outcome]) => ({
    subject: `IPv${report.family}`,
    ...checkReport(id, outcome, null, false),
  }));
}

function outcomesOf(
  facts: TargetFacts,
  observations: Observations,
  criteria: Criteria,
): Map<CheckId, Outcome> {
  const { targets: all, controls, interfaces } = observations;
  const listener = judgeListener({ facts, all, controls, interfaces });
  const ofListener: Outcomes<'listener'> = {
    'listener-answers': listener,
    'tls-certificate': judgeCertificate(facts, criteria.now),
    'stun-binding': judgeBinding(facts, criteria.maxRttMs),
  };
  const outcomes = isTurn(facts.target)
    ? inOrder({ ...ofListener, ...relayOutcomes(facts, observations, criteria) })
    : inOrder(ofListener);
  // What is behind a listener that could not be tried is unknown for that same reason.
  const explained = (outcome: Outcome): Outcome =>
    listener.status === 'unknown' && outcome.status === 'unknown' ? listener : outcome;
  return new Map([...outcomes].map(([id, outcome]) => [id, explained(outcome)]));
}

/** One of every check that is about this; null for a check that was not asked for. */
type Outcomes<About extends CheckEntry['about']> = Readonly<Record<CheckIdAbout<About>, Outcome | null>>;

function relayOutcomes(
  facts: TargetFacts,
  observations: Observations,
  criteria: Criteria,
): Outcomes<'relay'> {
  const { credential, asked } = observations;
  const relay = judgeRelay(facts, vantageOfTarget(facts, observations).kind);
  const beside = judgePortsBeside(facts, observations.targets, relay['relay-inbound']);
  return {
    'turn-challenge': judgeChallenge(facts),
    'turn-allocate': judgeAllocate(facts, credential, criteria.now),
    'relay-address': judgeRelayAddress(facts),
    'turn-permission': judgePermission(facts),
    'turn-channel': judgeChannel(facts),
    'relay-inbound': amongPorts(relay['relay-inbound'], beside),
    'relay-outbound': amongPorts(relay['relay-outbound'], beside),
    'relay-reply': amongPorts(relay['relay-reply'], beside),
    'relay-ports': judgePorts(facts, relay['relay-inbound']),
    'turn-refresh': judgeRefresh(facts),
    'turn-release': judgeRelease(facts),
    ...judgeCandidates(facts),
    ...judgeCall(facts, { criteria, credential, plannedMs: asked.callDurationMs }),
  };
}
