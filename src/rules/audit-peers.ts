import type { PeerAnswer, PeerKind, ServerAuditFacts, UserAuditFacts } from '../model/audit.ts';
import type { Outcome } from '../model/check.ts';
import { scopeOf } from '../model/endpoint.ts';
import { finding } from '../model/finding.ts';
import type { Attempt } from '../model/observations.ts';
import { errorName, outcomeOf, why } from './audit-outcome.ts';
import { skipped } from './outcome.ts';

type PeersCode =
  'LOOPBACK_PEERS_ALLOWED' | 'PRIVATE_PEERS_ALLOWED' | 'METADATA_PEER_ALLOWED' | 'MULTICAST_PEERS_ALLOWED';

/** The peers of some kinds, in their own spelling. */
export function judgePeers(server: ServerAuditFacts, kinds: readonly PeerKind[], code: PeersCode): Outcome {
  const seen = server.users.map((user) => {
    const { answers, open } = askedPeers(user);
    const plain = plainAnswers(user);
    const asked = answers.filter(
      (each) =>
        kinds.includes(each.kind) &&
        // Another spelling of an address that was never asked itself passes by no refusal: it is an open door of its own.
        (each.embeds === null || (isAllowed(each) && !plain.has(each.embeds))),
    );
    const forms = answers.filter(
      (each) => kinds.includes(each.kind) && isAllowed(each) && plain.has(each.embeds ?? ''),
    );
    return {
      user,
      asked,
      forms,
      open: [...open, ...unclear(asked), ...cutShort(answers), ...wornOut(answers)],
    };
  });
  const { allowed, through } = allowedBy(seen.map(({ user, asked }) => ({ user, found: asked })));
  const { host, address } = server;
  // In a private network the users are there as well; that they reach each other is what such a relay is for.
  const isAtHome = code === 'PRIVATE_PEERS_ALLOWED' && scopeOf(address) === 'private';
  const options = { targets: through, ...(isAtHome ? { severity: 'info' as const } : {}) };
  // Of an address that is refused itself they are a bypass, which is a finding of its own.
  const forms = seen.flatMap((each) => each.forms.filter(({ embeds }) => allowed.includes(embeds ?? '')));
  const alsoAs = [...new Set(forms.map((each) => each.address))];
  const evidence = { host, address, allowed, alsoAs, through };
  const findings = allowed.length === 0 ? [] : [finding(code, evidence, options)];
  return outcomeOf(findings, openOf(server, seen), remark(server, seen));
}

interface Seen {
  readonly user: UserAuditFacts;
  readonly asked: readonly PeerAnswer[];
  readonly open: readonly string[];
}

/** What is not known, of which port where there are several. */
function openOf({ users }: ServerAuditFacts, seen: readonly Seen[]): string[] {
  const isOne = users.length === 1;
  return seen.flatMap(({ user, open }) => open.map((text) => (isOne ? text : `${user.through}: ${text}`)));
}

function allowedBy(
  seen: readonly { readonly user: UserAuditFacts; readonly found: readonly PeerAnswer[] }[],
): { allowed: string[]; through: string[] } {
  const doors = seen.map(({ user, found }) => ({ user, allowed: found.filter(isAllowed) }));
  return {
    allowed: [...new Set(doors.flatMap(({ allowed }) => allowed.map(({ address }) => address)))],
    through: doors.flatMap(({ user, allowed }) => (allowed.length > 0 ? [user.through] : [])),
  };
}

/** How many addresses were asked, and whether the server refuses all that there are. */
function remark({ users }: ServerAuditFacts, seen: readonly Seen[]): string {
  const addresses = new Set(seen.flatMap(({ asked }) => asked.map(({ address }) => address)));
  const control = users.flatMap((user) => controls(answersOf(user))).find(isRefused);
  const count = `${addresses.size} asked`;
  return control === undefined ? count : `${count}; it refuses ${control.address} as well`;
}

function answersOf({ peers }: UserAuditFacts): PeerAnswer[] {
  return ([4, 6] as const).flatMap((family) => {
    const step = peers[family];
    return step.state === 'done' ? step.value : [];
  });
}

function controls(answers: readonly PeerAnswer[]): PeerAnswer[] {
  return answers.filter(({ kind }) => kind === 'public');
}

/** A server that came to refuse what it had allowed refused the rest for another reason than what it is. */
function wornOut(answers: readonly PeerAnswer[]): string[] {
  const asked = controls(answers);
  return [...new Set(asked.map(({ address }) => address))].flatMap((control) => {
    const first = asked.find(({ address }) => address === control);
    const last = asked.findLast(({ address }) => address === control);
    if (first === undefined || last === undefined || !isAllowed(first) || isAllowed(last)) return [];
    const end =
      last.refusedWith === null ? 'did not answer' : `refused it with ${errorName(last.refusedWith)}`;
    return [
      `it allowed ${control} at first and ${end} in the end: what it refused between, it may have refused for the many questions`,
    ];
  });
}

/** What was asked over both families, and why one of them could not be; a server may well relay one alone. */
function askedPeers({ peers }: UserAuditFacts): {
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
function plainAnswers({ peers: { 4: plain } }: UserAuditFacts): ReadonlyMap<string, PeerAnswer> {
  const answers = plain.state === 'done' ? plain.value : [];
  return new Map(
    answers.filter((each) => isAllowed(each) || isRefused(each)).map((each) => [each.address, each]),
  );
}

/** The IPv6 spellings of addresses that are refused in their own. */
export function judgeMapped(server: ServerAuditFacts): Outcome {
  if (server.users.every(({ peers }) => lacksFamily(peers[6]))) {
    return skipped('the server does not relay IPv6');
  }
  const seen = server.users.filter(({ peers }) => !lacksFamily(peers[6])).map(seenForms);
  const { allowed, through } = allowedBy(seen.map(({ user, passing }) => ({ user, found: passing })));
  const denied = [...new Set(seen.flatMap(({ passing }) => passing.flatMap(({ embeds }) => embeds ?? [])))];
  const { host, address } = server;
  const evidence = { host, address, allowed, denied, through };
  const findings =
    allowed.length === 0 ? [] : [finding('MAPPED_IPV6_BYPASS', evidence, { targets: through })];
  return outcomeOf(findings, openOf(server, seen), remark(server, seen));
}

function seenForms(user: UserAuditFacts): Seen & { readonly passing: readonly PeerAnswer[] } {
  const { 6: step } = user.peers;
  if (step.state !== 'done') return { user, asked: [], passing: [], open: [why(step)] };
  const plain = plainAnswers(user);
  const forms = step.value.filter(({ embeds }) => embeds !== null);
  const isPlainRefused = ({ embeds }: PeerAnswer): boolean => {
    const answer = plain.get(embeds ?? '');
    return answer !== undefined && isRefused(answer);
  };
  const unasked = forms.flatMap((each) =>
    isAllowed(each) && each.embeds !== null && !plain.has(each.embeds)
      ? [`${each.address} is allowed, and whether ${each.embeds} is refused is not known`]
      : [],
  );
  return {
    user,
    asked: forms,
    passing: forms.filter((each) => isAllowed(each) && isPlainRefused(each)),
    open: [...unclear(forms), ...unasked, ...cutShort(step.value), ...wornOut(answersOf(user))],
  };
}
