import type { CallRecording, ConnectionFacts } from '../../model/call-recording.ts';
import type { CaptureFacts, TurnFlowFacts } from '../../model/capture-facts.ts';
import { addressIn, formatEndpoint, scopeOf } from '../../model/endpoint.ts';
import type { Recording } from '../../model/recording-report.ts';
import type { LogSession, ServerLogFacts } from '../../model/server-log-facts.ts';

/** By what it is known that two recordings show the same: an address that only one allocation has, or user and time. */
export type JoinedBy = 'relay address' | 'client address' | 'user and time' | 'time';

/** A session of coturn that belongs to a connection. */
export interface JoinedSession {
  readonly log: ServerLogFacts;
  readonly session: LogSession;
  readonly by: JoinedBy;
  /** What is added to times of the log to get those of the recording of the call; null where no times are known. */
  readonly offsetMs: number | null;
}

/** A flow of a capture, between a client and a TURN server, that belongs to a connection. */
export interface JoinedFlow {
  readonly capture: CaptureFacts;
  readonly turn: TurnFlowFacts;
  readonly by: JoinedBy;
  readonly offsetMs: number | null;
}

/** What the server, and who listened beside it, saw of a connection of the file `call`. */
export interface ServerSide {
  readonly call: string;
  readonly sessions: readonly JoinedSession[];
  readonly flows: readonly JoinedFlow[];
}

export const unseen: ServerSide = { call: '', sessions: [], flows: [] };

export interface Joined {
  readonly sides: ReadonlyMap<ConnectionFacts, ServerSide>;
  readonly notJudged: readonly string[];
}

/** Lays recordings of calls beside logs and captures of the same time. */
export function joinRecordings(recordings: readonly Recording[]): Joined {
  const calls = recordings.flatMap((each) => (each.kind === 'calls' ? [each.facts] : []));
  const logs = recordings.flatMap((each) => (each.kind === 'server-log' ? [each.facts] : []));
  const captures = recordings.flatMap((each) => (each.kind === 'capture' ? [each.facts] : []));
  const sides = new Map<ConnectionFacts, ServerSide>();
  for (const call of calls) {
    const sessions = logs.map((log) => joined(call, logWitness(log)).map(sessionOf(log)));
    const flows = captures.map((capture) => joined(call, captureWitness(capture)).map(flowOf(capture)));
    for (const connection of call.connections) {
      const own = <T extends { connection: ConnectionFacts }>(all: readonly (readonly T[])[]): T[] =>
        all.flat().filter((each) => each.connection === connection);
      sides.set(connection, { call: call.source.file, sessions: own(sessions), flows: own(flows) });
    }
  }
  return { sides, notJudged: logs.flatMap((log) => unmatched(log, calls, sides)) };
}

/** What stands on the side of the server for one allocation, or for the attempt to get one. */
interface Witness<T> {
  readonly value: T;
  readonly user: string;
  readonly relay: string | null;
  readonly client: string | null;
  readonly firstAtMs: number | null;
  readonly allocatedAtMs: number | null;
}

interface Witnesses<T> {
  readonly all: readonly Witness<T>[];
  /** Whether its times are those of a clock that needs no address to be believed. */
  readonly isDated: boolean;
}

interface Match<T> {
  readonly connection: ConnectionFacts;
  readonly witness: Witness<T>;
  readonly by: JoinedBy;
  readonly offsetMs: number | null;
}

// Clocks of servers and of browsers differ, and zones are a matter of whole hours.
const clocksMs = 15 * 3_600_000;

/** Which sessions of a log may belong to these calls: a log of a day has more than are kept. */
export function wantedBy(calls: readonly CallRecording[]): (session: LogSession) => boolean {
  const connections = calls.flatMap((call) => call.connections).filter(usesTurn);
  return (session) => {
    const { user, relay, client, firstAtMs, allocatedAtMs } = session;
    const witness = { value: session, user, relay, client, firstAtMs, allocatedAtMs };
    return connections.some((connection) => {
      if (addressMatch(connection, witness) !== null) return true;
      // What was refused has no relay to be known by, and its user may be that of all.
      const { configuration, lastAtMs } = connection;
      const isUser = user !== '' && configuration?.usernames.includes(user) === true;
      const isNear = firstAtMs !== null && lastAtMs !== null && Math.abs(firstAtMs - lastAtMs) < clocksMs;
      return isUser && isNear && allocatedAtMs === null;
    });
  };
}

function usesTurn({ configuration, candidates }: ConnectionFacts): boolean {
  return (
    configuration?.urls.some((url) => /^turns?:/i.test(url)) === true ||
    candidates.some(({ side, type }) => side === 'local' && type === 'relay')
  );
}

function sessionOf(log: ServerLogFacts) {
  return ({ connection, witness, by, offsetMs }: Match<LogSession>) => ({
    ...{ connection, log, by, offsetMs },
    session: witness.value,
  });
}

function flowOf(capture: CaptureFacts) {
  return ({ connection, witness, by, offsetMs }: Match<TurnFlowFacts>) => ({
    ...{ connection, capture, by, offsetMs },
    turn: witness.value,
  });
}

function logWitness({ sessions, clock }: ServerLogFacts): Witnesses<LogSession> {
  const isTimed = clock.kind !== 'none';
  const all = sessions.last.map((session) => ({
    value: session,
    user: session.user,
    relay: session.relay,
    client: session.client,
    firstAtMs: isTimed ? session.firstAtMs : null,
    allocatedAtMs: isTimed ? session.allocatedAtMs : null,
  }));
  return { all, isDated: clock.kind === 'absolute' && clock.uncertaintyMs === 0 };
}

function captureWitness({ flows }: CaptureFacts): Witnesses<TurnFlowFacts> {
  const all = flows.flatMap(({ turn, firstAtMs }) =>
    turn === null
      ? []
      : [
          {
            value: turn,
            user: turn.username ?? '',
            relay: turn.relayed === null ? null : formatEndpoint(turn.relayed),
            client: formatEndpoint(turn.mapped ?? turn.client),
            firstAtMs,
            allocatedAtMs: turn.allocatedAtMs,
          },
        ],
  );
  return { all, isDated: true };
}

function joined<T>(call: CallRecording, witnesses: Witnesses<T>): Match<T>[] {
  const near = (match: Match<T>, offsetMs: number): number =>
    Math.abs((match.witness.firstAtMs ?? 0) + offsetMs - (match.connection.firstAtMs ?? 0));
  const found = call.connections.flatMap((connection) =>
    witnesses.all.flatMap((witness) => {
      const by = addressMatch(connection, witness);
      return by === null ? [] : [{ connection, witness, by, offsetMs: null }];
    }),
  );
  const offsetMs = offsetOf(found);
  // A port is given again after some time: of several the nearest is meant.
  const exact = found.filter(
    (match) =>
      offsetMs === null ||
      !found.some(
        (other) =>
          other !== match &&
          other.connection === match.connection &&
          other.witness.relay === match.witness.relay &&
          other.witness.relay !== null &&
          near(other, offsetMs) < near(match, offsetMs),
      ),
  );
  const known = offsetMs ?? (witnesses.isDated ? 0 : null);
  const taken = new Set(exact.map(({ witness }) => witness));
  const byTime =
    known === null
      ? []
      : call.connections
          .filter((connection) => exact.every((match) => match.connection !== connection))
          .flatMap((connection) =>
            timeMatches(
              connection,
              witnesses.all.filter((each) => !taken.has(each)),
              known,
            ),
          );
  return [...exact, ...byTime].map((match) => ({ ...match, offsetMs }));
}

function addressMatch<T>(connection: ConnectionFacts, witness: Witness<T>): JoinedBy | null {
  const { relay, client, user } = witness;
  const usernames = connection.configuration?.usernames ?? [];
  if (usernames.length > 0 && user !== '' && !usernames.includes(user)) return null;
  const isRelay = ({ address, port }: { address: string | null; port: number | null }): boolean =>
    relay !== null && address !== null && port !== null && sameRelay(relay, address, port);
  const relays = connection.candidates.filter(({ side, type }) => side === 'local' && type === 'relay');
  if (relays.some(isRelay)) return 'relay address';
  const ends = connection.candidateErrors.flatMap(({ local }) => local ?? []);
  return client !== null && ends.some(({ address, port }) => sameEnd(client, address, port))
    ? 'client address'
    : null;
}

/** coturn logs the address of its own machine, which `external-ip` puts another one in the place of; the port stays. */
function sameRelay(relay: string, address: string, port: number): boolean {
  if (relay === formatEndpoint({ address, port })) return true;
  const own = addressIn(relay);
  return relay.endsWith(`:${port}`) && own !== null && scopeOf(own) !== 'global';
}

/** Chrome leaves out the end of an address that the page may not know: `198.51.100.x`, `2001:db8:0:x:x:x:x:x`. */
function sameEnd(client: string, address: string, port: number): boolean {
  if (port === 0 || !client.endsWith(`:${port}`)) return false;
  const shown = address.split(/[.:]x/)[0] ?? '';
  return client === formatEndpoint({ address, port }) || (shown !== address && client.includes(shown));
}

// coturn writes whole seconds up to 4.16, and an application gathers before it is told.
const slackMs = 3000;

/** Attempts in the time of a connection whose own addresses tell nothing; where they contradict each other, none. */
function timeMatches<T>(
  connection: ConnectionFacts,
  witnesses: readonly Witness<T>[],
  offsetMs: number,
): Match<T>[] {
  const { firstAtMs, lastAtMs, configuration, candidates } = connection;
  const usernames = configuration?.usernames ?? [];
  const hasTurn = configuration?.urls.some((url) => /^turns?:/i.test(url)) === true;
  // What has a relay would have been found by its address.
  const hasRelay = candidates.some(({ side, type }) => side === 'local' && type === 'relay');
  if (firstAtMs === null || lastAtMs === null || !hasTurn || hasRelay) return [];
  const within = witnesses.filter((each) => {
    const atMs = each.firstAtMs === null ? Number.NaN : each.firstAtMs + offsetMs;
    const isUser = usernames.length === 0 || each.user === '' || usernames.includes(each.user);
    return isUser && atMs >= firstAtMs - slackMs && atMs <= lastAtMs + slackMs;
  });
  const users = new Set(within.map(({ user }) => user).filter((user) => user !== ''));
  if (usernames.length === 0 && users.size > 1) return [];
  const by = usernames.length > 0 && users.size > 0 ? 'user and time' : 'time';
  return within.map((witness) => ({ connection, witness, by, offsetMs }));
}

// Whole seconds in a log, and the way from the server to the page.
const spreadMs = 5000;

/**
 * By how much the clocks differ: the middle of the differences that agree with most others, of equally many those that are
 * smallest, as a port is given again after some time. Null without any.
 */
function offsetOf<T>(matches: readonly Match<T>[]): number | null {
  const offsets = matches
    .flatMap(({ connection, witness }) => {
      const atMs = momentOf(connection, witness);
      const seenAtMs = witness.allocatedAtMs ?? witness.firstAtMs;
      return atMs === null || seenAtMs === null ? [] : [atMs - seenAtMs];
    })
    .toSorted((a, b) => a - b);
  let best: readonly number[] = [];
  let from = 0;
  for (const [to, offset] of offsets.entries()) {
    while (offset - (offsets[from] ?? offset) > spreadMs) from++;
    const size = to - from + 1;
    const isNearer = Math.abs(offset) < Math.abs(best[0] ?? Number.POSITIVE_INFINITY);
    if (size > best.length || (size === best.length && isNearer)) best = offsets.slice(from, to + 1);
  }
  return best[best.length >> 1] ?? null;
}

/** When the browser told of the relay, or of the error, of which the server tells as well. */
function momentOf<T>({ candidates, candidateErrors }: ConnectionFacts, { relay }: Witness<T>): number | null {
  const gathered = candidates.find(
    ({ side, type, port }) =>
      side === 'local' && type === 'relay' && port !== null && relay?.endsWith(`:${port}`) === true,
  );
  return (gathered === undefined ? candidateErrors[0]?.atMs : gathered.atMs) ?? null;
}

/** Why nothing of a log was found for a call that uses TURN. */
function unmatched(
  log: ServerLogFacts,
  calls: readonly CallRecording[],
  sides: ReadonlyMap<ConnectionFacts, ServerSide>,
): string[] {
  const wanting = calls
    .flatMap(({ connections }) => connections)
    .filter(({ configuration }) => configuration?.urls.some((url) => /^turns?:/i.test(url)) === true);
  const isFound = wanting.some((each) => sides.get(each)?.sessions.some((own) => own.log === log) === true);
  if (wanting.length === 0 || isFound || log.sessions.total === 0) return [];
  const { allocated, last } = log.sessions;
  return [
    log.sessions.total > last.length && allocated > last.length
      ? `which session of ${log.file} is that of the call is not known: of ${log.sessions.total} the last ${last.length} are looked at; cut the log to the time of the call`
      : `no session of ${log.file} is seen to be that of the call`,
  ];
}
