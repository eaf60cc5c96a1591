import type { ServerSessionReport } from '../../model/call-report.ts';
import type { TransactionFacts, TurnFlowFacts } from '../../model/capture-facts.ts';
import { formatEndpoint } from '../../model/endpoint.ts';
import type { LogSession } from '../../model/server-log-facts.ts';
import type { JoinedFlow, JoinedSession, ServerSide } from './join.ts';
import { candidatesOf, selectedPair, type RecordedCall } from './recorded-call.ts';

/** Something that the server did, with where it stands: a sentence without its full stop. */
export interface Witnessed {
  readonly text: string;
}

const capacity: ReadonlySet<number> = new Set([486, 508]);
const credentials: ReadonlySet<number> = new Set([401, 441]);

/** With which code allocations were refused, where none was granted; null where the server tells no such thing. */
export function refusalBy({ sessions, flows }: ServerSide): (Witnessed & { readonly code: number }) | null {
  if (sessions.some(({ session }) => session.allocatedAtMs !== null)) return null;
  if (flows.some(({ turn }) => turn.allocatedAtMs !== null)) return null;
  const codes = [...sessions.flatMap(sessionRefusal), ...flows.flatMap(flowRefusal)];
  const [first] = codes;
  // Attempts that are told apart by their time alone count where they agree.
  return first === undefined || codes.some(({ code }) => code !== first.code) ? null : first;
}

function sessionRefusal({ log, session }: JoinedSession): (Witnessed & { readonly code: number })[] {
  const { user, errors, refusal, id } = session;
  const full = errors.find(({ code }) => capacity.has(code));
  const place = `session ${id} in ${log.file}`;
  if (full !== undefined)
    return [{ code: full.code, text: `coturn refused user ${user} with ${full.code}, ${place}` }];
  const refused = errors.find(({ code }) => credentials.has(code));
  // The first 401 is the challenge, which is sent before there is a user.
  if (refused === undefined || user === '' || (refusal === null && refused.count < 2)) return [];
  const why =
    refusal === 'not-found'
      ? `coturn knows no user ${user}`
      : refusal === 'incorrect'
        ? `coturn has another password or secret for user ${user}`
        : refusal === 'expired'
          ? `the credential of user ${user} has ended, says coturn`
          : `coturn refused the credentials of user ${user}`;
  return [{ code: refused.code, text: `${why}, ${place}` }];
}

function flowRefusal({ capture, turn }: JoinedFlow): (Witnessed & { readonly code: number })[] {
  const full = turn.requests.allocate.errors.find(({ code }) => capacity.has(code));
  const place = `${ends(turn)} in ${capture.file}`;
  if (full !== undefined)
    return [{ code: full.code, text: `Allocate was answered with ${full.code}, ${place}` }];
  return turn.signedRefused === 0
    ? []
    : [{ code: 401, text: `${turn.signedRefused} signed requests were answered with 401, ${place}` }];
}

/** Peers that the server forbade, where those are the ones that the call needed; null for none. */
export function deniedBy(call: RecordedCall): (Witnessed & { readonly peers: readonly string[] }) | null {
  const needed = new Set(candidatesOf(call, 'remote').flatMap(({ address }) => address ?? []));
  for (const { session, log } of call.server.sessions) {
    const denied = session.errors.find(
      ({ method, code }) => code === 403 && /permission|channel/i.test(method),
    );
    if (denied === undefined || session.peers.length > 0) continue;
    const peers = log.deniedPeers.flatMap(({ address }) => (needed.has(address) ? [address] : []));
    return {
      peers: peers.length > 0 ? peers : [...needed].slice(0, 5),
      text: `coturn answered ${denied.count} requests for a permission with 403 and permitted no peer, session ${session.id} in ${log.file}`,
    };
  }
  for (const { turn, capture } of call.server.flows) {
    const refused = turn.peers.filter(({ refusedWith }) => refusedWith === 403);
    if (refused.length === 0 || turn.peers.some(({ isPermitted }) => isPermitted)) continue;
    const peers = refused.map(({ address }) => address).slice(0, 5);
    return { peers, text: `CreatePermission was answered with 403, ${ends(turn)} in ${capture.file}` };
  }
  return null;
}

// Checks of ICE are repeated; a few of them can get lost.
const fewestPackets = 5;

/** Relays that sent to peers and got nothing back; null where that is not so, or not known. */
export function silenceBy({
  sessions,
  flows,
}: ServerSide): (Witnessed & { readonly packets: number }) | null {
  const used = [
    ...sessions.flatMap(({ session: { peerUsage, id }, log }) =>
      peerUsage === null
        ? []
        : [
            {
              to: peerUsage.sentPackets,
              from: peerUsage.receivedPackets,
              at: `session ${id} in ${log.file}`,
            },
          ],
    ),
    ...flows.map(({ turn, capture }) => ({
      ...{ to: turn.toPeers.packets, from: turn.fromPeers.packets },
      at: `${ends(turn)} in ${capture.file}`,
    })),
  ];
  const [most] = used.toSorted((a, b) => b.to - a.to);
  if (most === undefined || most.to < fewestPackets || used.some(({ from }) => from > 0)) return null;
  return { packets: most.to, text: `${most.to} packets went to peers and none came back, ${most.at}` };
}

/** An allocation that ran out before the path that it carried was lost; `afterMs`: after it was made. */
export function expiryBy(
  call: RecordedCall,
  lostAtMs: number | null,
): (Witnessed & { readonly afterMs: number }) | null {
  const port = selectedPair(call)?.local?.port ?? null;
  const expired = [...call.server.sessions.flatMap(sessionExpiry), ...call.server.flows.flatMap(flowExpiry)];
  return (
    expired.find(
      ({ relay, endAtMs }) =>
        (relay === null || port === null || relay.endsWith(`:${port}`)) &&
        (endAtMs === null || lostAtMs === null || endAtMs <= lostAtMs + wholeSecondsMs),
    ) ?? null
  );
}

const wholeSecondsMs = 2000;

interface Expiry extends Witnessed {
  readonly afterMs: number;
  readonly relay: string | null;
  /** By the clock of the recording of the call; null where it is not known. */
  readonly endAtMs: number | null;
}

function sessionExpiry({ session, log, offsetMs }: JoinedSession): Expiry[] {
  const { allocatedAtMs, lastAtMs, lifetimeS, id, closed, relay } = session;
  // coturn lets an allocation that was freed time out a second later, with the same words.
  if (lifetimeS === 0 || closed === null || !/allocation timeout/i.test(closed)) return [];
  if (allocatedAtMs === null || lastAtMs === null) return [];
  const text = `coturn closed it with “allocation timeout”, session ${id} in ${log.file}`;
  const endAtMs = offsetMs === null ? null : lastAtMs + offsetMs;
  return [{ afterMs: lastAtMs - allocatedAtMs, relay, endAtMs, text }];
}

function flowExpiry({ turn, capture, offsetMs }: JoinedFlow): Expiry[] {
  const { allocatedAtMs, lastGrantAtMs, lifetimeS, releasedAtMs, requests, relayed } = turn;
  if (allocatedAtMs === null || lastGrantAtMs === null || lifetimeS === null || lifetimeS === 0) return [];
  const endMs = lastGrantAtMs + lifetimeS * 1000;
  const isLate = (capture.lastAtMs ?? 0) > endMs && releasedAtMs === null;
  const tooLate = requests.refresh.errors.some(({ code }) => code === 437);
  if (!tooLate && !(isLate && failures(requests.refresh) > 0)) return [];
  const what = tooLate
    ? 'Refresh was answered with 437'
    : `${failures(requests.refresh)} Refresh requests got no answer`;
  return [
    {
      afterMs: endMs - allocatedAtMs,
      relay: relayed === null ? null : formatEndpoint(relayed),
      endAtMs: offsetMs === null ? null : endMs + offsetMs,
      text: `${what}, ${ends(turn)} in ${capture.file}`,
    },
  ];
}

function failures({ requests, succeeded }: TransactionFacts): number {
  return requests - succeeded;
}

/** That requests left and no answer came, or that they never came to the server; null where neither is seen. */
export function unreachedBy(call: RecordedCall): Witnessed | null {
  const silent = call.server.flows.find(
    ({ turn: { requests } }) => requests.allocate.requests > 0 && requests.allocate.unanswered > 0,
  );
  if (silent === undefined) return null;
  const { requests, repetitions } = silent.turn.requests.allocate;
  const sent = requests + repetitions;
  return { text: `${sent} Allocate requests got no answer, ${ends(silent.turn)} in ${silent.capture.file}` };
}

function ends({ client, server }: TurnFlowFacts): string {
  return `${formatEndpoint(client)} to ${formatEndpoint(server)}`;
}

/** For a report: which sessions belong to the call, and what became of them. */
export function sessionsOf({ server }: RecordedCall): ServerSessionReport[] {
  const seconds = (offsetMs: number | null): number | null =>
    offsetMs === null ? null : Math.round(offsetMs / 100) / 10;
  return [
    ...server.sessions.map(({ log, session, by, offsetMs }) => {
      const { id, user, client, relay, peers } = session;
      const outcome = sessionOutcome(session);
      return {
        ...{ file: log.file, session: id, user, client, relay, peers, by, outcome },
        offsetS: seconds(offsetMs),
      };
    }),
    ...server.flows.map(({ capture, turn, by, offsetMs }) => ({
      ...{ file: capture.file, session: null, user: turn.username ?? '', by, offsetS: seconds(offsetMs) },
      client: formatEndpoint(turn.client),
      relay: turn.relayed === null ? null : formatEndpoint(turn.relayed),
      peers: turn.peers.filter(({ isPermitted }) => isPermitted).map(({ address }) => address),
      outcome: flowOutcome(turn),
    })),
  ];
}

function sessionOutcome({ allocatedAtMs, errors, peerUsage, closed, refreshes }: LogSession): string {
  const refused = errors.filter(({ code }) => code !== 401 && code !== 438).map(({ code }) => code);
  const codes = [...new Set(refused)].join(', ');
  if (allocatedAtMs === null) return codes === '' ? 'nothing allocated, 401' : `nothing allocated, ${codes}`;
  return [
    'allocated',
    ...(refreshes > 0 ? [`refreshed ${refreshes} times`] : []),
    ...(codes === '' ? [] : [`refused ${codes}`]),
    ...(peerUsage === null
      ? []
      : [`${peerUsage.sentPackets} packets to peers, ${peerUsage.receivedPackets} from them`]),
    ...(closed === null ? [] : [`ended by “${closed}”`]),
  ].join(', ');
}

function flowOutcome({ allocatedAtMs, requests, signedRefused, toPeers, fromPeers }: TurnFlowFacts): string {
  const codes = [...new Set(requests.allocate.errors.map(({ code }) => code))].filter((code) => code !== 401);
  if (allocatedAtMs === null) {
    if (codes.length > 0) return `nothing allocated, ${codes.join(', ')}`;
    return signedRefused > 0 ? 'nothing allocated, 401' : 'nothing allocated';
  }
  const denied = requests.createPermission.errors.map(({ code }) => `, refused ${code}`).join('');
  return `allocated${denied}, ${toPeers.packets} packets to peers, ${fromPeers.packets} from them`;
}
