import type { ConnectionFacts } from '../../model/call-recording.ts';
import type { CaptureFacts } from '../../model/capture-facts.ts';
import { formatEndpoint } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { LogSession, ServerLogFacts } from '../../model/server-log-facts.ts';
import type { ServerSide } from './join.ts';

/** Which recordings of calls were laid beside which logs and captures, and by how much their clocks differ. */
export function judgeJoins(sides: ReadonlyMap<ConnectionFacts, ServerSide>): Finding[] {
  const found = new Map<
    string,
    { call: string; file: string; offsetMs: number; sessions: number; startMs: number | null }
  >();
  for (const { call, sessions, flows } of sides.values()) {
    for (const { log, offsetMs } of sessions) add(call, log.file, offsetMs, log.clock.kind === 'uptime');
    for (const { capture, offsetMs } of flows) add(call, capture.file, offsetMs, false);
  }
  function add(call: string, file: string, offsetMs: number | null, isUptime: boolean): void {
    if (offsetMs === null) return;
    const key = JSON.stringify([call, file]);
    const known = found.get(key);
    const startMs = isUptime ? offsetMs : null;
    found.set(key, { call, file, offsetMs, startMs, sessions: (known?.sessions ?? 0) + 1 });
  }
  return [...found.values()].map(({ call, file, offsetMs, startMs, sessions }) =>
    finding('RECORDINGS_ALIGNED', {
      ...{ file: call, log: file, sessions, offsetS: Math.round(offsetMs / 1000) },
      startedAt: startMs === null ? null : startedAt(startMs),
    }),
  );
}

function startedAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19) + 'Z';
}

interface Allocated {
  readonly user: string;
  readonly client: string | null;
  readonly atMs: number;
}

// coturn writes whole seconds up to 4.16, and a capture on the other side adds its way.
const largestSpreadMs = 2500;

/** Whether a log and a capture show the same sessions, and by how much their clocks differ. */
export function judgeAlignment(log: ServerLogFacts, capture: CaptureFacts): Finding[] {
  const offsets = pairs(inLog(log), inCapture(capture)).map(
    ([logged, captured]) => captured.atMs - logged.atMs,
  );
  const sorted = offsets.toSorted((a, b) => a - b);
  const middle = sorted[sorted.length >> 1];
  const [first] = sorted;
  const last = sorted.at(-1);
  if (middle === undefined || first === undefined || last === undefined) return [];
  // Pairs that contradict each other are none.
  if (last - first > largestSpreadMs) return [];
  return [
    finding('RECORDINGS_ALIGNED', {
      file: capture.file,
      log: log.file,
      offsetS: Math.round(middle / 1000),
      sessions: sorted.length,
      startedAt: log.clock.kind === 'uptime' ? startedAt(middle) : null,
    }),
  ];
}

function inLog({ sessions, clock }: ServerLogFacts): Allocated[] {
  if (clock.kind === 'none') return [];
  return sessions.last.flatMap(({ user, client, allocatedAtMs }: LogSession) =>
    allocatedAtMs === null || user === '' ? [] : [{ user, client, atMs: allocatedAtMs }],
  );
}

function inCapture({ flows }: CaptureFacts): Allocated[] {
  return flows.flatMap(({ turn }) =>
    turn === null || turn.username === null || turn.allocatedAtMs === null
      ? []
      : [{ user: turn.username, client: formatEndpoint(turn.client), atMs: turn.allocatedAtMs }],
  );
}

/** By user and client, or by user alone where each has one session only: behind a NAT the client has another address. */
function pairs(
  logged: readonly Allocated[],
  captured: readonly Allocated[],
): (readonly [Allocated, Allocated])[] {
  return captured.flatMap((one) => {
    const sameUser = logged.filter(({ user }) => user === one.user);
    const same = sameUser.filter(({ client }) => client === one.client);
    const [only] = same.length > 0 ? same : sameUser;
    const isClear =
      same.length === 1 ||
      (sameUser.length === 1 && captured.filter(({ user }) => user === one.user).length === 1);
    return only !== undefined && isClear ? [[only, one] as const] : [];
  });
}
