import { checkTitles, type CheckId, type Outcome } from '../model/check.ts';
import { finding, findingCodes, wordsOf, type Finding, type FindingCode } from '../model/finding.ts';
import { describeFailure } from '../model/failure.ts';
import type { Attempt, NameFacts, Observations, TargetFacts } from '../model/observations.ts';
import type { CallReport, CheckReport, FindingReport, Report, TargetReport } from '../model/report.ts';
import { judgeAllocate, judgeChallenge, judgeChannel, judgeRefresh, judgeRelease } from './allocation.ts';
import { judgeCall, worstOf } from './call.ts';
import { judgeCandidates } from './candidates.ts';
import { judgeCertificate } from './certificate.ts';
import type { Criteria } from './criteria.ts';
import { judgeBinding, judgeListener } from './listener.ts';
import { failed, passed, unknown } from './outcome.ts';
import { judgePermission, judgeRelay, judgeRelayAddress } from './relay.ts';
import { missingRequirements, requiredChecks } from './requirement.ts';
import { vantageFindings, vantageOf } from './vantage.ts';
import { verdictOf } from './verdict.ts';

type Judged = Pick<
  Report,
  'verdict' | 'headline' | 'exitCode' | 'vantage' | 'targets' | 'checks' | 'call' | 'calls' | 'findings'
>;

/** Facts → verdict. Deterministic: the same facts and criteria give the same report. */
export function judge(observations: Observations, criteria: Criteria): Judged {
  const judgedTargets = observations.targets.map((facts) => ({
    facts,
    outcomes: outcomesOf(facts, observations, criteria),
  }));
  const judgedNames = observations.names.map((name) => ({ name, outcome: judgeName(name) }));
  const findings = orderedFindings([
    ...judgedNames.flatMap(({ outcome }) => findingsOf(outcome)),
    ...judgedTargets.flatMap(({ outcomes }) => [...outcomes.values()].flatMap(findingsOf)),
    ...vantageFindings(observations),
  ]);
  const targets = judgedTargets.map(({ facts, outcomes }) => targetReport(facts, outcomes, criteria));
  const names = judgedNames.map(({ name, outcome }) =>
    checkReport('dns-resolves', outcome, name.lookup, true),
  );
  const missing = missingRequirements(targets, criteria);
  const calls = observations.targets.flatMap(callReports);
  return {
    ...verdictOf({ targets, names, missing, findings, failOn: criteria.failOn, observations }),
    vantage: vantageOf(observations),
    targets,
    checks: names,
    call: worstCall(calls),
    calls,
    findings,
  };
}

function judgeName({ host, lookup }: NameFacts): Outcome {
  if (lookup.state === 'not-tried') return unknown(lookup.because);
  if (lookup.state === 'failed')
    return failed('DNS_NOT_FOUND', { host, seen: describeFailure(lookup.failure) }, null);
  return passed(lookup.value.addresses.join(', '));
}

function outcomesOf(
  facts: TargetFacts,
  observations: Observations,
  criteria: Criteria,
): Map<CheckId, Outcome> {
  const context = { facts, all: observations.targets };
  return new Map<CheckId, Outcome>([
    ['listener-answers', judgeListener(context)],
    ['tls-certificate', judgeCertificate(facts, criteria.now)],
    ['stun-binding', judgeBinding(facts, criteria.maxRttMs)],
    ...(isTurnTarget(facts) ? turnOutcomes(facts, observations, criteria) : []),
  ]);
}

function turnOutcomes(
  facts: TargetFacts,
  observations: Observations,
  criteria: Criteria,
): [CheckId, Outcome][] {
  return [
    ['turn-challenge', judgeChallenge(facts)],
    ['turn-allocate', judgeAllocate(facts, observations.credential, criteria.now)],
    ['relay-address', judgeRelayAddress(facts)],
    ['turn-permission', judgePermission(facts)],
    ['turn-channel', judgeChannel(facts)],
    ...(Object.entries(judgeRelay(facts)) as [CheckId, Outcome][]),
    ['turn-refresh', judgeRefresh(facts)],
    ['turn-release', judgeRelease(facts)],
    ...(Object.entries(judgeCandidates(facts)) as [CheckId, Outcome][]),
    ...(Object.entries(judgeCall(facts, criteria)) as [CheckId, Outcome][]),
  ];
}

function isTurnTarget({ target }: TargetFacts): boolean {
  return target.scheme === 'turn' || target.scheme === 'turns';
}

function targetReport(facts: TargetFacts, outcomes: Map<CheckId, Outcome>, criteria: Criteria): TargetReport {
  const { target, ...observations } = facts;
  const required = requiredChecks(target, criteria);
  return {
    ...target,
    checks: [...outcomes].map(([id, outcome]) =>
      checkReport(id, outcome, stepOf(id, facts), required.has(id)),
    ),
    observations,
  };
}

/** The attempt whose time a check reports. */
function stepOf(id: CheckId, facts: TargetFacts): Attempt<unknown> | null {
  const steps: Partial<Record<CheckId, Attempt<unknown>>> = {
    'listener-answers': facts.connect,
    'tls-certificate': facts.tls,
    'stun-binding': facts.binding,
    'turn-challenge': facts.challenge,
    'turn-allocate': facts.allocate,
    'turn-permission': facts.permission,
    'turn-channel': facts.channel,
    'relay-inbound': facts.inbound,
    'relay-outbound': facts.outbound,
    'relay-reply': facts.reply,
    'turn-refresh': facts.refresh,
    'turn-release': facts.release,
    'candidates-relay': facts.gathering,
    'call-connects': facts.call,
  };
  return steps[id] ?? null;
}

function checkReport(
  id: CheckId,
  outcome: Outcome,
  step: Attempt<unknown> | null,
  required: boolean,
): CheckReport {
  return {
    id,
    title: checkTitles[id],
    status: outcome.status,
    because: 'because' in outcome ? outcome.because : null,
    detail: outcome.status === 'passed' ? (outcome.detail ?? null) : null,
    durationMs: step !== null && step.state !== 'not-tried' ? step.durationMs : null,
    required,
    findings: findingsOf(outcome).map(({ code }) => code),
  };
}

function findingsOf(outcome: Outcome): readonly Finding[] {
  return outcome.status === 'failed' ? outcome.findings : [];
}

const weight = { error: 0, warning: 1, info: 2 } as const;

/**
 * One entry per code and server, with all targets that it concerns. Errors first; then what concerns most targets, as
 * that is the likelier root; then in the order of the catalog.
 */
function orderedFindings(findings: readonly Finding[]): FindingReport[] {
  const merged = new Map<string, Finding>();
  for (const each of findings) {
    const server = 'address' in each.evidence ? each.evidence.address : JSON.stringify(each.evidence);
    const key = [each.code, server, perListener.has(each.code) ? each.targets.join() : ''].join(' ');
    const earlier = merged.get(key);
    const targets = [...new Set([...(earlier?.targets ?? []), ...each.targets])];
    const { code, evidence, severity, causedBy } = earlier ?? each;
    merged.set(
      key,
      finding(code, evidence, { severity, targets, ...(causedBy === null ? {} : { causedBy }) }),
    );
  }
  const order = (code: FindingCode): number => findingCodes.indexOf(code);
  return [...merged.values()]
    .toSorted(
      (a, b) =>
        weight[a.severity] - weight[b.severity] ||
        b.targets.length - a.targets.length ||
        order(a.code) - order(b.code),
    )
    .map((each) => ({ ...each, ...wordsOf(each) }));
}

/** Findings that are about one listener: two of them on one server are two things to mend. */
const perListener: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'TCP_REFUSED',
  'PORT_BLOCKED',
  'NOT_A_TURN_SERVER',
]);

function callReports({ target, call }: TargetFacts): CallReport[] {
  if (call.state !== 'done') return [];
  const { transport, connectMs, pairs, audio } = call.value;
  const total = (key: 'sent' | 'received'): number =>
    audio.reduce((sum, direction) => sum + direction[key], 0);
  const [pair] = pairs;
  return [
    {
      transport,
      target: target.url,
      address: target.address,
      connectMs,
      selectedPair: pair ? { local: pair.local, remote: pair.remote } : null,
      audio:
        audio.length === 0 ? null : { sent: total('sent'), received: total('received'), ...worstOf(audio) },
    },
  ];
}

/** The call that went worst: not connected, then the lowest MOS. */
function worstCall(calls: readonly CallReport[]): CallReport | null {
  const score = ({ connectMs, audio }: CallReport): number => (connectMs === null ? -1 : (audio?.mos ?? 0));
  return calls.toSorted((a, b) => score(a) - score(b))[0] ?? null;
}
