import type { PeerAnswer, PeerKind, ServerAuditFacts } from '../model/audit.ts';
import type { Outcome } from '../model/check.ts';
import { scopeOf } from '../model/endpoint.ts';
import { finding } from '../model/finding.ts';
import type { Attempt } from '../model/observations.ts';
import { errorName, outcomeOf, why } from './audit-outcome.ts';
import { skipped, unknown } from './outcome.ts';

type PeersCode =
  'LOOPBACK_PEERS_ALLOWED' | 'PRIVATE_PEERS_ALLOWED' | 'METADATA_PEER_ALLOWED' | 'MULTICAST_PEERS_ALLOWED';

/** The peers of some kinds, in their own spelling. */
export function judgePeers(server: ServerAuditFacts, kinds: readonly PeerKind[], code: PeersCode): Outcome {
  const { answers, open } = askedPeers(server);
  const plain = plainAnswers(server);
  const asked = answers.filter(
    (each) =>
      kinds.includes(each.kind) &&
      // Another spelling of an address that was never asked itself passes by no refusal: it is an open door of its own.
      (each.embeds === null || (isAllowed(each) && !plain.has(each.embeds))),
  );
  const allowed = asked.filter(isAllowed).map(({ address }) => address);
  const { host, address } = server;
  // In a private network the users are there as well; that they reach each other is what such a relay is for.
  const isAtHome = code === 'PRIVATE_PEERS_ALLOWED' && scopeOf(address) === 'private';
  const options = isAtHome ? { severity: 'info' as const } : {};
  const findings = allowed.length === 0 ? [] : [finding(code, { host, address, allowed }, options)];
  return outcomeOf(findings, [...open, ...unclear(asked), ...cutShort(answers)], `${asked.length} asked`);
}

/** What was asked over both families, and why one of them could not be; a server may well relay one alone. */
function askedPeers({ peers }: ServerAuditFacts): {
  answers: readonly PeerAnswer[];
  open: readonly string[];
} {
  const families = ([4, 6] as const).map((family) => ({ family, step: peers[family] }));
  const reasons = families.flatMap(({ family, step }) =>
    step.state === 'done' || lacksFamily(step) ? [] : [{ family, because: why(step) }],
  );
  const isOneReason = reasons.length === 2 && reasons[0]?.because === reasons[1]?.because;
  const open = isOneReason
    ? reasons.slice(0, 1).map(({ because }) => because)
    : reasons.map(({ family, because }) => `through an IPv${family} relay: ${because}`);
  const answers = families.flatMap(({ step }) => (step.state === 'done' ? step.value : []));
  if (answers.length === 0 && open.length === 0)
    return { answers, open: ['the server relays neither IPv4 nor IPv6'] };
  return { answers, open };
}

/** RFC 8656 §7.2: 440 Address Family not Supported. */
function lacksFamily(step: Attempt<unknown>): boolean {
  return step.state === 'failed' && step.failure.kind === 'stun-error' && step.failure.code === 440;
}

/** 403 Forbidden, 443 Peer Address Family Mismatch (RFC 8656 §9.2), and 400, where it takes the address for none. */
const refusesPeer: ReadonlySet<number> = new Set([400, 403, 443]);

function isAllowed({ refusedWith, unanswered }: PeerAnswer): boolean {
  return refusedWith === null && unanswered === null;
}

function isRefused({ refusedWith }: PeerAnswer): boolean {
  return refusedWith !== null && refusesPeer.has(refusedWith);
}

/** A permission that was refused for another reason than its peer says nothing of the peer. */
function unclear(asked: readonly PeerAnswer[]): string[] {
  return asked.flatMap(({ address, refusedWith }) =>
    refusedWith === null || refusesPeer.has(refusedWith)
      ? []
      : [`a permission for ${address} was refused with ${errorName(refusedWith)}`],
  );
}

/** Where the server stopped to answer: what was to be asked behind it is not known. */
function cutShort(answers: readonly PeerAnswer[]): string[] {
  return answers.flatMap(({ address, unanswered }) =>
    unanswered === null ? [] : [`a permission for ${address}: ${unanswered}; nothing was asked after it`],
  );
}

/** The IPv4 addresses of which it is known whether they are allowed in their own spelling. */
function plainAnswers({ peers: { 4: plain } }: ServerAuditFacts): ReadonlyMap<string, PeerAnswer> {
  const answers = plain.state === 'done' ? plain.value : [];
  return new Map(
    answers.filter((each) => isAllowed(each) || isRefused(each)).map((each) => [each.address, each]),
  );
}

/** The IPv6 spellings of addresses that are refused in their own. */
export function judgeMapped(server: ServerAuditFacts): Outcome {
  const { 6: step } = server.peers;
  if (lacksFamily(step)) return skipped('the server does not relay IPv6');
  if (step.state !== 'done') return unknown(why(step));
  const plain = plainAnswers(server);
  const forms = step.value.filter(({ embeds }) => embeds !== null);
  const isPlainRefused = ({ embeds }: PeerAnswer): boolean => {
    const answer = plain.get(embeds ?? '');
    return answer !== undefined && isRefused(answer);
  };
  const passing = forms.filter((each) => isAllowed(each) && isPlainRefused(each));
  const allowed = passing.map(({ address }) => address);
  const denied = [...new Set(passing.flatMap(({ embeds }) => embeds ?? []))];
  const { host, address } = server;
  const findings =
    allowed.length === 0 ? [] : [finding('MAPPED_IPV6_BYPASS', { host, address, allowed, denied })];
  const unasked = forms.flatMap((each) =>
    isAllowed(each) && each.embeds !== null && !plain.has(each.embeds)
      ? [`${each.address} is allowed, and whether ${each.embeds} is refused is not known`]
      : [],
  );
  const detail = `${forms.length} asked`;
  return outcomeOf(findings, [...unclear(forms), ...unasked, ...cutShort(step.value)], detail);
}
