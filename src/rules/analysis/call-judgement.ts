import { callCheckTitles, type CallCheckId, type CallCheckReport } from '../../model/call-report.ts';
import type { Outcome } from '../../model/check.ts';
import { finding, type Finding, type FindingCode } from '../../model/finding.ts';
import type { Verdict } from '../../model/report.ts';
import { judgeDtls, judgeIce } from './connectivity.ts';
import { judgeCandidates, judgeServers, relayNotes } from './gathering.ts';
import { judgePlaying, judgeReceiving, judgeSending } from './media.ts';
import { judgeMicrophone } from './microphone.ts';
import { judgeNegotiation } from './negotiation.ts';
import { judgeQuality, pathFindings } from './quality.ts';
import { audioFlows, expected, type RecordedCall } from './recorded-call.ts';

/** The rules, in the order in which one thing leads to the next: the first that fails is the root. */
const rules: Readonly<Record<CallCheckId, (call: RecordedCall) => Outcome>> = {
  'microphone-opens': judgeMicrophone,
  'audio-negotiated': judgeNegotiation,
  'ice-servers': judgeServers,
  'candidates-found': judgeCandidates,
  'ice-connects': judgeIce,
  'dtls-connects': judgeDtls,
  'audio-sent': judgeSending,
  'audio-received': judgeReceiving,
  'audio-played': judgePlaying,
  'audio-good': judgeQuality,
};

const checkIds = Object.keys(callCheckTitles) as CallCheckId[];

export interface JudgedCall {
  readonly call: RecordedCall;
  readonly verdict: Verdict;
  readonly checks: readonly CallCheckReport[];
  /** The root first, then in the order of the checks. */
  readonly findings: readonly Finding[];
  /** Why something that a verdict needs is not known. */
  readonly open: readonly string[];
}

/** Facts of one connection → what failed, and what follows from what. */
export function judgeCall(call: RecordedCall): JudgedCall {
  const flows = audioFlows(call);
  const outcomes = checkIds.map((id) => ({ id, outcome: softened(rules[id](call), id, flows) }));
  const failed = outcomes.flatMap(({ id, outcome }) =>
    outcome.status === 'failed' ? outcome.findings.map((each) => ({ id, finding: each })) : [],
  );
  const root = failed.find(({ finding: { severity } }) => severity === 'error');
  const linked = failed.map(({ id, finding: each }) =>
    root === undefined || !isEffect(id, each, root) ? each : withCause(each, root.finding.code),
  );
  const notes = [...relayNotes(call, linked), ...lateNotes(call), ...pathFindings(call)];
  const findings = [...linked, ...notes];
  const required = requiredChecks(call);
  const open = outcomes.flatMap(({ id, outcome }) =>
    outcome.status === 'unknown' && required.has(id) ? [outcome.because] : [],
  );
  return {
    call,
    verdict: verdictOf(findings, open, flows, outcomes),
    checks: outcomes.map(({ id, outcome }) => checkReport(id, outcome)),
    findings: [...findings].toSorted((a, b) => rank(a, root?.finding) - rank(b, root?.finding)),
    open,
  };
}

const ofSound: ReadonlySet<CallCheckId> = new Set(['audio-played', 'audio-good', 'audio-sent']);

/** Where audio flows as it was meant to, what is wrong on the way to it has harmed nobody. */
function softened(outcome: Outcome, id: CallCheckId, flows: boolean): Outcome {
  if (!flows || ofSound.has(id) || outcome.status !== 'failed') return outcome;
  return {
    status: 'failed',
    findings: outcome.findings.map((each) =>
      each.severity === 'error' ? withSeverity(each, 'warning') : each,
    ),
  };
}

function withSeverity({ code, evidence, causedBy }: Finding, severity: Finding['severity']): Finding {
  return finding(code, evidence, { severity, ...(causedBy === null ? {} : { causedBy }) });
}

function withCause({ code, evidence, severity }: Finding, causedBy: FindingCode): Finding {
  return finding(code, evidence, { severity, causedBy });
}

interface Failed {
  readonly id: CallCheckId;
  readonly finding: Finding;
}

/** What fails later than the root fails because of it; how good the sound is, is a matter of its own. */
function isEffect(id: CallCheckId, each: Finding, root: Failed): boolean {
  if (each === root.finding || each.causedBy !== null || id === 'audio-good') return false;
  return checkIds.indexOf(id) > checkIds.indexOf(root.id);
}

const weight = { error: 0, warning: 2, info: 4 } as const;

function rank(each: Finding, root: Finding | undefined): number {
  if (each === root) return -1;
  return weight[each.severity] + (each.causedBy === null ? 0 : 1);
}

function lateNotes(call: RecordedCall): readonly Finding[] {
  if (call.facts.history !== 'late') return [];
  return [finding('EVIDENCE_LATE', { file: call.source.file, connection: call.facts.id })];
}

/** What has to be known before a call is called healthy. */
function requiredChecks(call: RecordedCall): ReadonlySet<CallCheckId> {
  const { send, recv } = expected(call);
  return new Set<CallCheckId>([
    'ice-connects',
    'dtls-connects',
    ...(send ? (['audio-sent'] as const) : []),
    ...(recv ? (['audio-received', 'audio-played'] as const) : []),
  ]);
}

function verdictOf(
  findings: readonly Finding[],
  open: readonly string[],
  flows: boolean,
  outcomes: readonly { readonly id: CallCheckId; readonly outcome: Outcome }[],
): Verdict {
  const has = (severity: Finding['severity']): boolean => findings.some((each) => each.severity === severity);
  const isUnheard = outcomes.some(
    ({ id, outcome }) =>
      (id === 'audio-played' || id === 'audio-sent') &&
      outcome.status === 'failed' &&
      outcome.findings.some(({ severity }) => severity === 'error'),
  );
  if (has('error')) return flows && !isUnheard ? 'degraded' : 'broken';
  if (open.length > 0 || !flows) return 'unknown';
  return has('warning') ? 'degraded' : 'healthy';
}

function checkReport(id: CallCheckId, outcome: Outcome): CallCheckReport {
  const findings = outcome.status === 'failed' ? outcome.findings : [];
  const severities = new Set(findings.map(({ severity }) => severity));
  return {
    id,
    title: callCheckTitles[id],
    status: outcome.status,
    because: 'because' in outcome ? outcome.because : null,
    detail: outcome.status === 'passed' ? (outcome.detail ?? null) : null,
    findings: findings.map(({ code }) => code),
    severity: (['error', 'warning', 'info'] as const).find((each) => severities.has(each)) ?? null,
  };
}
