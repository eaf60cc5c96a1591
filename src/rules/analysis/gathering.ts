import type { Outcome } from '../../model/check.ts';
import { scopeOf } from '../../model/endpoint.ts';
import { RtcOpsError } from '../../model/error.ts';
import { isIPAddress } from '../../model/ip-address.ts';
import type { Finding } from '../../model/finding.ts';
import type { CandidateError, CandidateFacts } from '../../model/call-recording.ts';
import { parseTurnUri, type TurnUri } from '../../model/turn-uri.ts';
import { passed, unknown } from '../outcome.ts';
import { failedCall } from './outcome.ts';
import { refusalBy, unreachedBy } from './server-side.ts';
import {
  candidatesOf,
  endOf,
  iceFailure,
  lastState,
  neverStarted,
  stateLastedMs,
  statesOf,
  turnUrls,
  wasConnected,
  type RecordedCall,
} from './recorded-call.ts';

/** `ice-servers`: the servers that the application names are there, and let this client in. */
export function judgeServers(call: RecordedCall): Outcome {
  const { configuration } = call.facts;
  const fault = judgeConfiguration(call) ?? judgeErrors(call) ?? judgeRelays(call) ?? judgeNoRelay(call);
  if (fault !== null) return fault;
  return configuration === null
    ? unknown('the recording does not tell which servers were configured')
    : passed(serversText(call));
}

function serversText(call: RecordedCall): string {
  const urls = call.facts.configuration?.urls ?? [];
  return urls.length === 0 ? 'none configured' : `${urls.length} configured`;
}

function judgeConfiguration(call: RecordedCall): Outcome | null {
  const { configuration, url: page } = call.facts;
  if (configuration === null) return null;
  if (configuration.policy === 'relay' && turnUrls(call)?.length === 0) {
    return failedCall(call, 'RELAY_POLICY_NO_TURN', {}, wasConnected(call) ? { severity: 'warning' } : {});
  }
  for (const url of configuration.urls) {
    const problem = urlProblem(url, page);
    const options = wasConnected(call) ? ({ severity: 'warning' } as const) : {};
    if (problem !== null) return failedCall(call, 'ICE_URL_INVALID', { url, problem }, options);
  }
  return null;
}

function urlProblem(url: string, page: string | null): string | null {
  if (/[<>{}$]|YOUR[_-]|CHANGE[_-]?ME/i.test(url)) return 'it is a placeholder that was never filled in';
  let uri: TurnUri;
  try {
    uri = parseTurnUri(url);
  } catch (error) {
    if (error instanceof RtcOpsError) return error.message.replace(/^.*? is not a TURN or STUN URI: /, '');
    throw error;
  }
  const isHere = page === null || /^(?:https?:\/\/(?:localhost|127\.|\[::1\])|file:)/i.test(page);
  if (/(?:^|\.)example\.(?:com|org|net)$/i.test(uri.host) && !/\bexample\./.test(page ?? ''))
    return 'example domains stand in documentation';
  if (!isHere && /^(?:localhost|127\.\d+\.\d+\.\d+|::1)$/i.test(uri.host))
    return 'it means the machine of each user';
  return null;
}

/** What the servers answered, where no relay came of it. */
function judgeErrors(call: RecordedCall): Outcome | null {
  const relays = candidatesOf(call, 'local').filter(({ type }) => type === 'relay');
  const errors = call.facts.candidateErrors.filter(({ url }) => /^turns?:/i.test(url));
  const refused = errors.find((each) => isRefusal(each) && !relays.some(({ url }) => url === each.url));
  const options = { severity: wasConnected(call) ? ('warning' as const) : ('error' as const) };
  const answer = relays.length === 0 ? refusalBy(call.server) : null;
  const server = answer?.text ?? null;
  if (refused !== undefined) return judgeRefusal(call, { ...refused, server }, options);
  const full = errors.find(({ code }) => code === 486 || code === 508);
  if (full !== undefined && relays.length === 0) {
    return failedCall(call, 'TURN_QUOTA', { url: full.url, code: full.code, server }, options);
  }
  if (answer !== null) return judgeAnswer(call, answer, options);
  // Of one interface (IPv6, VPN) it is noise; where nothing came of any, it is not.
  const silent = errors.filter(({ code }) => code === 701);
  const [first] = silent;
  if (relays.length > 0) return null;
  if (first === undefined) return judgeWaiting(call);
  const { url, text } = first;
  const count = silent.length;
  const seen = unreachedBy(call)?.text ?? null;
  return failedCall(call, 'TURN_UNREACHABLE', { url, text, count, server: seen }, options);
}

/** Chrome tells that nothing came after half a minute; many recordings end before. */
function judgeWaiting(call: RecordedCall): Outcome | null {
  const [url] = turnUrls(call) ?? [];
  const forMs = stateLastedMs(call, 'gathering');
  const isWaiting = lastState(call, 'gathering') === 'gathering' && call.facts.history === 'whole';
  if (url === undefined || !isWaiting || forMs === null || forMs < gatheredAfterMs || wasConnected(call))
    return null;
  const text = `gathering was not done after ${Math.round(forMs / 1000)} s`;
  return failedCall(call, 'TURN_UNREACHABLE', {
    ...{ url, text, count: 0 },
    server: unreachedBy(call)?.text ?? null,
  });
}

/** Chrome tells some refusals with code 1 and the reason phrase alone. */
function isRefusal({ code, text }: CandidateError): boolean {
  return code === 401 || code === 441 || (code === 1 && /unauthori[sz]ed/i.test(text));
}

/** What only the side of the server tells: a report has no errors, or the recording ends before the browser gives up. */
function judgeAnswer(
  call: RecordedCall,
  { code, text }: { readonly code: number; readonly text: string },
  options: { readonly severity: 'error' | 'warning' },
): Outcome {
  const [url = ''] = turnUrls(call) ?? [];
  return code === 486 || code === 508
    ? failedCall(call, 'TURN_QUOTA', { url, code, server: text }, options)
    : judgeRefusal(call, { url, code, atMs: null, server: text }, options);
}

function judgeRefusal(
  call: RecordedCall,
  { url, code, atMs, server }: Pick<CandidateError, 'url' | 'code' | 'atMs'> & { server: string | null },
  options: { readonly severity: 'error' | 'warning' },
): Outcome {
  const joined = call.server.sessions.map(({ session }) => session.user);
  const username = call.facts.configuration?.usernames[0] ?? joined.find((user) => user !== '') ?? '';
  const endsAtMs = Number(/^(\d{9,11})(?::|$)/.exec(username)?.[1] ?? Number.NaN) * 1000;
  const now = atMs ?? endOf(call);
  const expiredForMs = now !== null && now > endsAtMs ? now - endsAtMs : null;
  return failedCall(call, 'TURN_AUTH_FAILED', { url, username, expiredForMs, code, server }, options);
}

/** Relays alone are allowed, and none came: that is the end of it, whether or not the recording tells why. */
function judgeNoRelay(call: RecordedCall): Outcome | null {
  const [url] = turnUrls(call) ?? [];
  const isNeeded = call.facts.configuration?.policy === 'relay' && !wasConnected(call);
  if (url === undefined || !isNeeded || !hasGathered(call)) return null;
  if (candidatesOf(call, 'local').some(({ type }) => type === 'relay')) return null;
  return failedCall(call, 'RELAY_NOT_GATHERED', { url, because: untold }, { severity: 'error' });
}

const untold = 'the recording does not tell why';

function judgeRelays(call: RecordedCall): Outcome | null {
  const relays = call.facts.candidates.filter(({ type }) => type === 'relay');
  for (const relay of relays) {
    const scope = unreachableScope(relay, call);
    if (scope === null || relay.address === null) continue;
    const severity = iceFailure(call) === null ? 'warning' : 'error';
    const evidence = { address: relay.address, side: relay.side, scope };
    return failedCall(call, 'RELAY_ADDR_PRIVATE', evidence, { severity });
  }
  return null;
}

/** The scope of a relay address that leads nowhere; null for one that may be right. */
function unreachableScope({ address, side }: CandidateFacts, call: RecordedCall): string | null {
  if (address === null || !isIPAddress(address)) return null;
  const scope = scopeOf(address);
  if (scope === 'global') return null;
  if (!wasConnected(call)) return scope;
  // A call that works has shown that the address is reached, or not needed. It is told where the server is public.
  const hosts = (turnUrls(call) ?? []).flatMap((url) => hostOf(url) ?? []);
  const isPublic = hosts.length > 0 && hosts.every((host) => isIPAddress(host) && scopeOf(host) === 'global');
  return side === 'local' && isPublic ? scope : null;
}

function hostOf(url: string): string | null {
  try {
    return parseTurnUri(url).host;
  } catch {
    return null;
  }
}

// Gathering that does not come to its end has given what it has by then.
const gatheredAfterMs = 10_000;

export function hasGathered(call: RecordedCall): boolean {
  if (statesOf(call, 'gathering').includes('complete')) return true;
  const { firstAtMs, hasAllCandidates } = call.facts;
  const end = endOf(call);
  return hasAllCandidates && firstAtMs !== null && end !== null && end - firstAtMs >= gatheredAfterMs;
}

/** `candidates-found`: both sides have candidates that can work, and know those of the other. */
export function judgeCandidates(call: RecordedCall): Outcome {
  const [local, remote] = [candidatesOf(call, 'local'), candidatesOf(call, 'remote')];
  if (wasConnected(call)) return passed(`${local.length} local, ${remote.length} remote`);
  const { descriptions, hasAllCandidates } = call.facts;
  // With relays alone an empty list is the fault of the server, and told as such.
  const mayBeEmpty = call.facts.configuration?.policy === 'relay';
  const isTcp = local.every(({ protocol }) => protocol === 'tcp') && (local.length > 0 || !mayBeEmpty);
  // A connection without a description of its own gathers nothing (RFC 8829 §3.5.1).
  const hasBegun = descriptions.some(({ side }) => side === 'local') || lastState(call, 'gathering') !== null;
  if (hasBegun && hasGathered(call) && hasAllCandidates && isTcp) {
    return failedCall(call, 'NO_UDP_CANDIDATES', { count: local.length });
  }
  const hasRemote = descriptions.some(({ side, sections }) => side === 'remote' && sections !== null);
  if (hasRemote && remote.length === 0 && lasted(call) && hasAllCandidates) {
    return failedCall(call, 'NO_REMOTE_CANDIDATES', {});
  }
  return (
    judgeReach(call, remote) ??
    (local.length === 0 || remote.length === 0
      ? unknown('the recording does not have the candidates of both sides')
      : passed(`${local.length} local, ${remote.length} remote`))
  );
}

function lasted(call: RecordedCall): boolean {
  const end = endOf(call);
  const { firstAtMs } = call.facts;
  return end !== null && firstAtMs !== null && end - firstAtMs >= 5000;
}

const nowhere: ReadonlySet<string> = new Set(['loopback', 'unspecified', 'link-local']);

function judgeReach(call: RecordedCall, remote: readonly CandidateFacts[]): Outcome | null {
  const addresses = [...new Set(remote.flatMap(({ address }) => address ?? []))];
  const literal = addresses.filter(isIPAddress);
  if (addresses.length === 0 || remote.some(({ address }) => address === null)) return null;
  const told = { addresses: addresses.slice(0, 5) };
  const isCertain =
    literal.length === addresses.length && literal.every((each) => nowhere.has(scopeOf(each)));
  const isHere = /^https?:\/\/(?:localhost|127\.)/.test(call.facts.url ?? '');
  if (isCertain && !isHere) return failedCall(call, 'REMOTE_UNREACHABLE_ADDR', { ...told, isCertain });
  const failure = iceFailure(call) ?? (neverStarted(call) ? 'new' : null);
  if (failure === null) return null;
  const mdns = (side: 'local' | 'remote'): boolean => {
    const own = candidatesOf(call, side).filter(({ protocol }) => protocol === 'udp');
    return own.length > 0 && own.every(({ address }) => address?.endsWith('.local') === true);
  };
  const side = mdns('remote') ? 'remote' : mdns('local') ? 'local' : null;
  if (side !== null) {
    return failedCall(call, 'MDNS_ONLY', { ...failureEvidence(call, failure), side });
  }
  const allPrivate =
    literal.length === addresses.length && literal.every((each) => scopeOf(each) === 'private');
  const outside = candidatesOf(call, 'local').some(
    ({ type, address }) =>
      type === 'srflx' && address !== null && isIPAddress(address) && scopeOf(address) === 'global',
  );
  const hasRelay = call.facts.candidates.some(({ type }) => type === 'relay');
  return allPrivate && outside && !hasRelay
    ? failedCall(call, 'REMOTE_UNREACHABLE_ADDR', { ...told, isCertain: false })
    : null;
}

export function failureEvidence(
  call: RecordedCall,
  state: string,
): { state: string; local: string[]; remote: string[] } {
  const types = (side: 'local' | 'remote'): string[] => [
    ...new Set(candidatesOf(call, side).map(({ type }) => type)),
  ];
  return { state, local: types('local'), remote: types('remote') };
}

/** What is found beside what failed: that there was no relay to fall back on. */
export function relayNotes(call: RecordedCall, known: readonly Finding[]): readonly Finding[] {
  if (iceFailure(call) === null) return [];
  const urls = turnUrls(call);
  if (urls === null) return [];
  const hasRelay = candidatesOf(call, 'local').some(({ type }) => type === 'relay');
  const cause = known.find(({ code }) => /^(?:TURN_|ICE_URL|RELAY_)/.test(code));
  const options = cause === undefined ? {} : { causedBy: cause.code };
  if (urls.length === 0) {
    return cause === undefined ? failedCall(call, 'TURN_NOT_CONFIGURED', {}).findings : [];
  }
  if (hasRelay || !hasGathered(call) || cause?.code === 'RELAY_NOT_GATHERED') return [];
  const because = cause === undefined ? untold : 'the server gave none';
  return failedCall(call, 'RELAY_NOT_GATHERED', { url: urls[0] ?? '', because }, options).findings;
}
