import type { Outcome } from '../../model/check.ts';
import type { StateChange } from '../../model/call-recording.ts';
import { familyOf } from '../../model/endpoint.ts';
import { isIPAddress } from '../../model/ip-address.ts';
import { passed, skipped, unknown } from '../outcome.ts';
import { failureEvidence, hasGathered } from './gathering.ts';
import { failedCall } from './outcome.ts';
import {
  audioSections,
  audioStreams,
  candidatesOf,
  endOf,
  flowOf,
  iceFailure,
  lastState,
  neverStarted,
  pathText,
  selectedPair,
  switchesOf,
  wasConnected,
  type RecordedCall,
} from './recorded-call.ts';
import { lastOf, pausesOf } from './series.ts';
import { deniedBy, expiryBy, silenceBy } from './server-side.ts';

/** `ice-connects`: ICE found a path, and it held. */
export function judgeIce(call: RecordedCall): Outcome {
  if (wasConnected(call)) return judgeLoss(call) ?? judgeSwitch(call) ?? passed(pathsText(call) || undefined);
  const failure = iceFailure(call);
  if (failure !== null) return judgeFailure(call, failure);
  if (audioSections(call).answer === null) return skipped('no answer was applied');
  if (neverStarted(call) && hasGathered(call)) {
    const families = { local: familyText(call, 'local'), remote: familyText(call, 'remote') };
    return failedCall(call, 'ICE_NEVER_STARTED', { ...failureEvidence(call, 'new'), families });
  }
  if (lastState(call, 'ice') === 'checking')
    return unknown('ICE was still checking where the recording ends');
  return unknown('the recording does not tell how ICE ended');
}

/** The family of all addresses of a side; empty where they are of both, or one is no address. */
function familyText(call: RecordedCall, side: 'local' | 'remote'): string {
  const addresses = candidatesOf(call, side).map(({ address }) => address ?? '');
  const families = new Set(addresses.filter(isIPAddress).map(familyOf));
  const [family] = families;
  return family !== undefined && families.size === 1 && addresses.every(isIPAddress) ? `IPv${family}` : '';
}

function judgeFailure(call: RecordedCall, failure: string): Outcome {
  const evidence = failureEvidence(call, failure);
  const denied = deniedBy(call);
  if (denied !== null) {
    const { peers, text } = denied;
    return failedCall(call, 'TURN_PERMISSION_DENIED', { ...evidence, peers, server: text });
  }
  const silence = silenceBy(call.server);
  if (silence !== null) {
    const { packets, text } = silence;
    return failedCall(call, 'TURN_RELAY_SILENT', { ...evidence, packets, server: text });
  }
  if (evidence.local.includes('relay') || evidence.remote.includes('relay')) {
    return failedCall(call, 'ICE_FAILED_WITH_RELAY', { ...evidence, because: whyInSpiteOfRelay(call) });
  }
  return failedCall(call, 'ICE_FAILED_NO_RELAY', { ...evidence, hint: natHint(call) });
}

function whyInSpiteOfRelay(call: RecordedCall): string {
  const { pairs } = call.facts;
  const sum = (metric: 'requestsReceived' | 'responsesReceived' | 'requestsSent'): number =>
    pairs.reduce((total, { series }) => total + (lastOf(series[metric]) ?? 0), 0);
  // Chrome forgets pairs once they have failed: that none is there says nothing.
  if (pairs.length === 0 || sum('requestsSent') === 0) return 'what was tried is not in the recording';
  if (sum('requestsReceived') === 0) {
    return 'no check of the other side arrived; it never got these candidates, is gone, or is blocked';
  }
  return sum('responsesReceived') === 0
    ? 'checks of the other side arrived, and none of ours was answered'
    : 'some checks were answered, and no pair was chosen';
}

/** What the reflexive addresses tell of the NATs. */
function natHint(call: RecordedCall): string {
  const reflexive = (side: 'local' | 'remote') =>
    candidatesOf(call, side).filter(({ type, protocol }) => type === 'srflx' && protocol === 'udp');
  const [local, remote] = [reflexive('local'), reflexive('remote')];
  const ports = new Map<string, Set<number | null>>();
  for (const { relatedAddress, relatedPort, address, port } of local) {
    const base = JSON.stringify([relatedAddress, relatedPort, address]);
    ports.set(base, (ports.get(base) ?? new Set()).add(port));
  }
  const isKnown = (base: string): boolean => !base.includes('null') && !base.includes('"0.0.0.0"');
  if ([...ports].some(([base, seen]) => isKnown(base) && seen.size > 1)) {
    return 'The NAT on this side is symmetric: it gives another port to each server.';
  }
  const shared = local.some(
    ({ address }) => address !== null && remote.some((each) => each.address === address),
  );
  return shared
    ? 'Both sides are behind the same NAT, which may not let them reach each other (hairpinning).'
    : '';
}

const down: ReadonlySet<string> = new Set(['disconnected', 'failed']);
const up: ReadonlySet<string> = new Set(['connected', 'completed']);

function judgeLoss(call: RecordedCall): Outcome | null {
  const told = call.facts.states.filter(({ machine }) => machine === 'ice');
  const changes =
    told.length > 0 ? told : call.facts.states.filter(({ machine }) => machine === 'connection');
  const connectedAt = changes.findIndex(({ state }) => up.has(state));
  const lostAt = changes.findIndex(({ state }, index) => index > connectedAt && down.has(state));
  const lost = changes[lostAt];
  if (connectedAt < 0 || lost === undefined) return null;
  // The other end has said goodbye.
  if (call.facts.states.some(({ machine, state }) => machine === 'dtls' && state === 'closed')) return null;
  const recovered = changes.slice(lostAt).find(({ state }) => up.has(state));
  const last = changes.findLast(({ state }) => state !== 'closed');
  const isUp = last !== undefined && up.has(last.state);
  return lossOutcome(call, {
    connected: changes[connectedAt],
    lost,
    recovered: isUp ? recovered : undefined,
  });
}

/** The path, and those before it where it changed. */
function pathsText(call: RecordedCall): string {
  const former = switchesOf(call).map(({ from }) => from);
  const path = pathText(call);
  return former.length === 0 || path === '' ? path : `${path}; before: ${former.join(', ')}`;
}

// What is shorter passes for a hiccup; longer, and before, it is another story.
const shortestGapMs = 2000;
const noticedWithinMs = 10_000;

/** Whether audio stood still until another path was taken: the browser may tell no state of it, and count no loss. */
function judgeSwitch(call: RecordedCall): Outcome | null {
  const gaps = audioStreams(call, 'inbound').flatMap(({ series }) =>
    pausesOf(series.packetsReceived, shortestGapMs),
  );
  const connectedAtMs = call.facts.states.find(
    ({ machine, state }) => machine === 'ice' && up.has(state),
  )?.atMs;
  for (const { atMs, from, to } of switchesOf(call)) {
    // Figures are taken once a second.
    const gap = gaps.find(
      ({ startMs, endMs }) =>
        startMs <= atMs && endMs <= atMs + noticedWithinMs && endMs >= atMs - shortestGapMs,
    );
    if (gap === undefined) continue;
    const evidence = {
      state: 'without packets',
      afterMs: gap.startMs - (connectedAtMs ?? gap.startMs),
      forMs: gap.endMs - gap.startMs,
      path: from,
      hint: `The path changed from ${from} to ${to}.`,
    };
    return failedCall(call, 'CONNECTION_LOST', evidence, { severity: 'warning' });
  }
  return null;
}

const allocationMs = 600_000;

function lossOutcome(
  call: RecordedCall,
  moments: { connected: StateChange | undefined; lost: StateChange; recovered: StateChange | undefined },
): Outcome {
  const { lost, recovered } = moments;
  const afterMs = (lost.atMs ?? 0) - (moments.connected?.atMs ?? lost.atMs ?? 0);
  const forMs = recovered === undefined ? null : (recovered.atMs ?? 0) - (lost.atMs ?? 0);
  const selected = selectedPair(call);
  const lastPacket = lastOf(selected?.pair.series.lastPacketReceivedTimestamp);
  // The browser notices some 5 s after the last answer.
  const diedAfterMs = lastPacket === null ? afterMs - 5000 : afterMs - ((lost.atMs ?? 0) - lastPacket);
  const isRelayed = selected?.local?.type === 'relay';
  const expiry = isRelayed && forMs === null ? expiryBy(call, lost.atMs) : null;
  if (expiry !== null)
    return failedCall(call, 'TURN_ALLOC_EXPIRED', { afterMs: expiry.afterMs, server: expiry.text });
  if (isRelayed && forMs === null && Math.abs(diedAfterMs - allocationMs) < 20_000) {
    return failedCall(call, 'TURN_ALLOC_EXPIRED', { afterMs: diedAfterMs, server: null });
  }
  const state = recovered === undefined ? (lastState(call, 'ice') ?? lost.state) : lost.state;
  const evidence = { state, afterMs, forMs, path: pathText(call), hint: networkHint(call) };
  const closedSoon = call.facts.closedAtMs !== null && (endOf(call) ?? 0) - (lost.atMs ?? 0) < 15_000;
  // Who hangs up leaves the other side disconnected for a moment.
  const severity = forMs !== null || (closedSoon && state !== 'failed') ? 'warning' : 'error';
  return failedCall(call, 'CONNECTION_LOST', evidence, { severity });
}

function networkHint(call: RecordedCall): string {
  const types = [...new Set(candidatesOf(call, 'local').flatMap(({ networkType }) => networkType ?? []))];
  return types.length > 1 && types.includes('cellular')
    ? 'The machine has a mobile network beside another one, and may have changed between them.'
    : '';
}

// A handshake takes some round trips; three seconds are many.
const handshakeMs = 3000;

/** `dtls-connects`: both sides agreed on keys. */
export function judgeDtls(call: RecordedCall): Outcome {
  if (!wasConnected(call)) return skipped('no path was found');
  const dtls = lastState(call, 'dtls');
  const connection = lastState(call, 'connection');
  if (
    dtls === 'connected' ||
    call.facts.states.some(({ machine, state }) => machine === 'dtls' && state === 'connected')
  )
    return passed();
  const iceIsUp = up.has(lastState(call, 'ice') ?? '');
  if (dtls === 'failed' || (connection === 'failed' && iceIsUp)) return failedCall(call, 'DTLS_FAILED', {});
  if (call.facts.states.some(({ machine, state }) => machine === 'connection' && state === 'connected'))
    return passed();
  // What is counted as received was decrypted.
  if (flowOf(call, 'inbound').ever === true) return passed();
  const forMs = sinceConnected(call);
  const isWaiting = dtls === 'connecting' || dtls === 'new' || connection === 'connecting';
  if (isWaiting && forMs !== null && forMs >= handshakeMs) {
    const received = call.facts.transports.flatMap(({ series }) => lastOf(series.bytesReceived) ?? []);
    return failedCall(call, 'DTLS_STUCK', { forMs, received: received[0] ?? null });
  }
  return unknown('the recording does not tell how DTLS ended');
}

function sinceConnected(call: RecordedCall): number | null {
  const connected = call.facts.states.find(({ machine, state }) => machine === 'ice' && up.has(state));
  const end = endOf(call);
  return connected === undefined || connected.atMs === null || end === null ? null : end - connected.atMs;
}
