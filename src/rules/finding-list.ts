import {
  causesOf,
  faultKey,
  finding,
  findingCodes,
  isOfServer,
  sameSubject,
  wordsOf,
  type Finding,
} from '../model/finding.ts';
import type { FindingReport } from '../model/report.ts';
import { parseTurnUri } from '../model/turn-uri.ts';
import { usualLimits } from './call-quality.ts';

const weight = { error: 0, warning: 1, info: 2 } as const;

/**
 * One entry per fault and subject, with all targets that it concerns. Errors first; then root causes before their
 * effects; then what concerns most targets, as that is the likelier root; then in the order of the catalog.
 */
export function findingList(findings: readonly Finding[]): FindingReport[] {
  const explained = withCauses(merged(findings));
  return explained
    .toSorted(
      (a, b) =>
        weight[a.severity] - weight[b.severity] ||
        Number(a.causedBy !== null) - Number(b.causedBy !== null) ||
        b.targets.length - a.targets.length ||
        findingCodes.indexOf(a.code) - findingCodes.indexOf(b.code),
    )
    .map((each) => {
      const words = wordsOf(each);
      return { ...each, ...words, fix: words.fix.join('\n') };
    });
}

function merged(findings: readonly Finding[]): Finding[] {
  const byFault = new Map<string, Finding>();
  for (const each of findings) {
    const key = faultKey(each);
    const earlier = byFault.get(key);
    byFault.set(key, earlier === undefined ? each : union(earlier, each));
  }
  return [...byFault.values()];
}

/** Two findings of one fault as one, which is as bad as the worse of them. */
function union(a: Finding, b: Finding): Finding {
  const [worse] = [a, b].toSorted(
    (x, y) => weight[x.severity] - weight[y.severity] || measuredWorse(x, y),
  ) as [Finding];
  return withLinks(worse, {
    targets: [...new Set([...a.targets, ...b.targets])],
    causedBy: a.causedBy === b.causedBy ? a.causedBy : null,
  });
}

/** Of two measured figures the one that is further off; negative when that is the first. */
function measuredWorse(a: Finding, b: Finding): number {
  if (!('measured' in a.evidence) || !('measured' in b.evidence)) return 0;
  const difference = b.evidence.measured - a.evidence.measured;
  return a.code === 'MOS_LOW' ? -difference : difference;
}

function withLinks(
  { code, evidence, severity }: Finding,
  { targets, causedBy }: Pick<Finding, 'targets' | 'causedBy'>,
): Finding {
  return finding(code, evidence, { severity, targets, ...(causedBy === null ? {} : { causedBy }) });
}

/** Names the cause of each effect whose cause is known too. */
function withCauses(findings: readonly Finding[]): Finding[] {
  return findings.map((effect) => {
    const causes = effect.causedBy === null ? causesOf(effect.code) : [effect.causedBy];
    const cause = causes.find((code) =>
      findings.some((root) => root.code === code && explains(root, effect)),
    );
    return withLinks(effect, { targets: effect.targets, causedBy: cause ?? null });
  });
}

function explains(root: Finding, effect: Finding): boolean {
  // An error that hid below a warning would not be seen.
  if (!sameSubject(root, effect) || weight[root.severity] > weight[effect.severity]) return false;
  if (effect.code === 'MOS_LOW' && !lowersMos(root)) return false;
  // A server that stops says nothing more; what still answered with something else is another matter.
  if ('closed' in effect.evidence && !effect.evidence.closed) return false;
  return isOfServer(root.code) || effect.targets.every((target) => reaches(root, effect, target));
}

/** Whether a cause shows in an effect at one listener: where it was seen itself, mostly. */
function reaches(root: Finding, effect: Finding, target: string): boolean {
  if (root.code !== 'LOSS_HIGH') return root.targets.includes(target);
  const isUdp = (url: string): boolean => parseTurnUri(url).transport === 'udp';
  // Over TCP and TLS what the path loses is sent again, and all that follows waits for it. Over UDP nothing waits.
  if (root.targets.some(isUdp) && !isUdp(target)) return true;
  return effect.code === 'MOS_LOW' && root.targets.includes(target);
}

/** Whether so much is lost, or so late, that it is heard: a limit that the user has set may be far below that. */
function lowersMos(root: Finding): boolean {
  switch (root.code) {
    case 'LOSS_HIGH':
      return root.evidence.measured > usualLimits.lossRatio;
    case 'AUDIO_UNUSABLE':
      return true;
    case 'RTT_HIGH':
      return root.evidence.measured > usualLimits.rttMs;
    default:
      return false;
  }
}
