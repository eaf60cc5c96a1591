import type { CaptureFacts, FlowFacts, IcmpFacts, TurnFlowFacts } from '../../model/capture-facts.ts';
import type { CaptureEvidence } from '../../model/catalog/capture-place.ts';
import { judgeTime } from '../../model/credential-time.ts';
import { addressIn, formatEndpoint, scopeOf } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { turnErrorName } from '../../model/turn-error-code.ts';
import { evidence } from './flow-evidence.ts';
import type { JudgedRecording } from './judged-recording.ts';
import { judgeMedia } from './packets-media.ts';

// A single lost request is repeated; the third in vain is no accident.
const fewestUnanswered = 2;
const fewestOneWayPackets = 20;

/** What a capture proves, the causes first. */
export function judgeCapture(facts: CaptureFacts): JudgedRecording {
  const isOneSided = isHalf(facts);
  // A server that was started, or a way that opened, while the capture ran.
  const answering = new Set(facts.flows.filter(hasAnswered).map(targetOf));
  // With another server that answers, one that does not is no reason for silence.
  const isServed = facts.flows.some(({ turn: track }) => (track?.requests.allocate.succeeded ?? 0) > 0);
  const judged = facts.flows.flatMap((flow) => [
    ...(answering.has(targetOf(flow)) || !isTurn(flow, facts)
      ? tlsAlert(facts, flow)
      : reach(facts, flow, isOneSided).map((each) =>
          isServed ? { ...each, severity: 'warning' as const } : each,
        )),
    ...(flow.turn === null ? [] : turn(facts, flow, flow.turn, isOneSided)),
  ]);
  return {
    findings: [...grouped(judged), ...(isOneSided ? [] : grouped(judgeMedia(facts)))],
    notJudged: notJudged(facts, isOneSided),
    isTelling: facts.flows.length > 0,
    isWhole: facts.cutShort === null && cutMessages(facts) === 0,
  };
}

/**
 * Whether the capture has one direction of everything, as a filter by source makes it: then silence proves nothing, and
 * only repetitions do, for nobody repeats a request that was answered.
 */
function isHalf({ flows, flowsBothWays }: CaptureFacts): boolean {
  return flowsBothWays === 0 && flows.length > 1 && flows.every(({ icmp }) => icmp.length === 0);
}

function notJudged(facts: CaptureFacts, isOneSided: boolean): string[] {
  const { file, packets, unknownLinkTypes, flows, flowsLeftOut, cutShort, firstAtMs } = facts;
  const notes: string[] = [];
  if (packets.total === 0) return [`${file} holds no packets`];
  if (cutShort !== null) notes.push(`${file} is not whole: ${cutShort}`);
  if (unknownLinkTypes.length > 0)
    notes.push(`${file} has packets of link types that are not read here (${unknownLinkTypes.join(', ')})`);
  if (flows.length === 0)
    notes.push(
      packets.cut > 0
        ? `${file} has no STUN, TURN, DTLS or RTP that can be seen: its packets are cut too short`
        : `${file} has no STUN, TURN, DTLS or RTP in it`,
    );
  if (isOneSided)
    notes.push(`${file} has one direction of each flow only; whether answers came is not known`);
  const messages = cutMessages(facts);
  if (messages > 0)
    notes.push(
      `${messages} STUN messages of ${file} are cut: what they asked or answered is not known (tcpdump -s 0 keeps them)`,
    );
  else if (packets.cut > 0)
    notes.push(
      `${packets.cut} packets of ${file} are cut; what their ends hold is not known (tcpdump -s 0 keeps them)`,
    );
  if (packets.dropped > 0)
    notes.push(
      `the machine dropped ${packets.dropped} packets while ${file} was taken; loss in it is no proof`,
    );
  if (packets.incomplete > 0) notes.push(`${packets.incomplete} fragmented packets of ${file} are not whole`);
  if (flowsLeftOut > 0)
    notes.push(`${flowsLeftOut} flows of ${file} are left out; the ones with TURN and media were kept`);
  if (firstAtMs === null) notes.push(`${file} has no times`);
  return notes;
}

function cutMessages({ flows }: CaptureFacts): number {
  return flows.reduce((sum, flow) => sum + flow.cutMessages, 0);
}

function targetOf({ transport, b }: FlowFacts): string {
  return `${transport} ${formatEndpoint(b)}`;
}

function hasAnswered({ tcp, received }: FlowFacts): boolean {
  return tcp === null ? received.packets > 0 : tcp.isAccepted;
}

const turnPorts = new Set([3478, 3479, 5349, 5350]);

/** Whether it goes to a TURN or STUN server, as far as is seen: to others there can be any traffic. */
function isTurn({ b, turn: track, bindingFromA }: FlowFacts, { flows }: CaptureFacts): boolean {
  if (track !== null || bindingFromA.requests > 0 || turnPorts.has(b.port)) return true;
  return flows.some((other) => other.turn?.server.address === b.address);
}

/** Whether the other side is there at all. */
function reach(facts: CaptureFacts, flow: FlowFacts, isOneSided: boolean): Finding[] {
  const { transport, tcp, icmp, received, bindingFromA, turn: track, relayedBy, isIce } = flow;
  const refusal = icmp.find(({ isToA }) => isToA);
  if (refusal !== undefined && received.packets === 0 && !isIce) return [refused(facts, flow, refusal)];
  if (transport === 'tcp' && tcp !== null) {
    const base = evidence(facts, flow, tcp.syn);
    if (tcp.resetBy === 'b' && !tcp.isAccepted)
      return [finding('CAPTURE_PORT_CLOSED', { ...base, by: flow.b.address })];
    if (!tcp.isAccepted && tcp.syn >= fewestUnanswered) return [finding('CAPTURE_SERVER_SILENT', base)];
    return tlsAlert(facts, flow);
  }
  if (relayedBy !== null || isIce || received.packets > 0) return [];
  const asked = track === null ? bindingFromA : track.requests.allocate;
  const tries = isOneSided ? asked.repetitions : asked.unanswered + asked.repetitions;
  const isSilent = asked.unanswered > 0 && asked.succeeded === 0 && asked.errors.length === 0;
  return isSilent && tries >= fewestUnanswered
    ? [finding('CAPTURE_SERVER_SILENT', evidence(facts, flow, tries))]
    : [];
}

function refused(facts: CaptureFacts, flow: FlowFacts, icmp: IcmpFacts): Finding {
  const base = { ...evidence(facts, flow, icmp.count), by: icmp.from };
  if (icmp.kind === 'port-unreachable') return finding('CAPTURE_PORT_CLOSED', base);
  return finding('CAPTURE_PATH_PROHIBITED', { ...base, kind: icmp.kind });
}

function tlsAlert(facts: CaptureFacts, flow: FlowFacts): Finding[] {
  const alert = flow.tcp?.tls?.alerts.find((text) => !text.startsWith('close_notify'));
  if (alert === undefined || flow.tcp?.tls?.data === true) return [];
  const [name = '', side] = alert.split(' from ');
  return [finding('CAPTURE_TLS_ALERT', { ...evidence(facts, flow, 1, side === 'b'), alert: name })];
}

function turn(facts: CaptureFacts, flow: FlowFacts, track: TurnFlowFacts, isOneSided: boolean): Finding[] {
  const { requests, relayed, client, server } = track;
  const { allocate } = requests;
  const isReversed = !track.isClientA;
  const of = (count: number): CaptureEvidence => evidence(facts, flow, count, isReversed);
  const findings: Finding[] = [];
  if (allocate.succeeded === 0) {
    if (track.signedRefused > 0) findings.push(credentials(of(track.signedRefused), flow, track));
    const refusal = allocate.errors.find(({ code }) => code !== 401 && code !== 438 && code !== 300);
    const stuck =
      refusal ??
      (isOneSided ? undefined : allocate.errors.find(({ code, count }) => code === 438 && count > 3));
    if (stuck !== undefined)
      findings.push(
        finding('CAPTURE_ALLOCATION_REFUSED', {
          ...of(stuck.count),
          code: stuck.code,
          name: turnErrorName(stuck.code),
        }),
      );
  }
  const scope = relayed === null ? null : scopeOf(relayed.address);
  // A client in the server's own network reaches a private relay, and so may its peers.
  if (
    relayed !== null &&
    scope !== null &&
    scope !== 'global' &&
    scopeOf(server.address) === 'global' &&
    scopeOf(client.address) !== scope
  ) {
    findings.push(finding('CAPTURE_RELAY_PRIVATE', { ...of(1), relayed: formatEndpoint(relayed), scope }));
  }
  findings.push(...peers(of, track), ...ended(of, track, facts));
  if (!isOneSided) findings.push(...oneWay(of, track));
  if (flow.receivedTtl === 1 && !isReversed && flow.transport === 'udp')
    findings.push(finding('CAPTURE_REPLY_TTL_ONE', of(1)));
  return findings;
}

function credentials(base: CaptureEvidence, flow: FlowFacts, { username, realm }: TurnFlowFacts): Finding {
  const sentAtMs = flow.lastAtMs;
  const expiresAt =
    username === null || sentAtMs === null
      ? null
      : judgeTime(username, Math.floor(sentAtMs / 1000)).expiresAt;
  const isPast = expiresAt !== null && sentAtMs !== null && expiresAt * 1000 < sentAtMs;
  return finding(isPast ? 'CAPTURE_CREDENTIALS_EXPIRED' : 'CAPTURE_CREDENTIALS_REFUSED', {
    ...base,
    username,
    realm,
  });
}

function peers(of: (count: number) => CaptureEvidence, track: TurnFlowFacts): Finding[] {
  const refusals = track.peers.filter(({ refusedWith, isPermitted }) => refusedWith !== null && !isPermitted);
  const [first] = refusals;
  if (first === undefined) return [];
  const code = first.refusedWith ?? 403;
  const alike = refusals.filter(({ refusedWith }) => refusedWith === code).map(({ address }) => address);
  const isHarmless =
    track.peers.some(({ isPermitted }) => isPermitted) &&
    alike.every((address) => addressIn(address) !== null && scopeOf(address) !== 'global');
  return [
    finding(
      'CAPTURE_PEERS_REFUSED',
      { ...of(alike.length), code, name: turnErrorName(code), peers: alike.slice(0, 4) },
      // Private candidates of the other side are refused as they should be.
      isHarmless ? { severity: 'info' } : {},
    ),
  ];
}

function oneWay(of: (count: number) => CaptureEvidence, { toPeers, fromPeers }: TurnFlowFacts): Finding[] {
  if (toPeers.packets >= fewestOneWayPackets && fromPeers.packets === 0)
    return [finding('CAPTURE_RELAY_ONE_WAY', of(toPeers.packets))];
  return [];
}

function ended(
  of: (count: number) => CaptureEvidence,
  track: TurnFlowFacts,
  { lastAtMs }: CaptureFacts,
): Finding[] {
  const { requests, lastGrantAtMs, lifetimeS, releasedAtMs, lastToPeersAtMs } = track;
  const isGone = requests.refresh.errors.find(({ code }) => code === 437);
  // Some ask to be rid of an allocation that they may not have.
  const wasThere = track.allocatedAtMs !== null || track.toPeers.packets + track.fromPeers.packets > 0;
  if (isGone !== undefined && wasThere && releasedAtMs === null)
    return [
      finding('CAPTURE_ALLOCATION_LOST', {
        ...of(isGone.count),
        because: 'the server answered Refresh with 437',
      }),
    ];
  if (lastGrantAtMs === null || lifetimeS === null || lifetimeS === 0 || releasedAtMs !== null) return [];
  const endsAtMs = lastGrantAtMs + lifetimeS * 1000;
  const wasUsedBeyond = lastToPeersAtMs !== null && lastToPeersAtMs > endsAtMs;
  if (!wasUsedBeyond || lastAtMs === null || lastAtMs < endsAtMs) return [];
  return [
    finding('CAPTURE_ALLOCATION_LOST', {
      ...of(1),
      because: `no Refresh was granted in its lifetime of ${lifetimeS} s`,
    }),
  ];
}

/** Many ports of one client towards one server show one fault: told once, with how many show it. */
function grouped(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding>();
  for (const each of findings) {
    const details =
      'ssrc' in each.evidence ? each.evidence.ssrc : 'code' in each.evidence ? each.evidence.code : '';
    const to = 'to' in each.evidence && !each.code.startsWith('CAPTURE_CHECKS') ? each.evidence.to : '';
    const transport = 'transport' in each.evidence ? each.evidence.transport : '';
    const key = JSON.stringify([each.code, each.severity, transport, to, details]);
    const known = groups.get(key);
    if (known === undefined) groups.set(key, each);
    else if ('flows' in known.evidence && 'flows' in each.evidence) {
      const { evidence: first } = known;
      const merged = { ...first, flows: first.flows + 1, count: first.count + each.evidence.count };
      groups.set(key, { ...known, evidence: merged } as Finding);
    }
  }
  return [...groups.values()];
}
