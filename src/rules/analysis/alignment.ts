import type { CaptureFacts } from '../../model/capture-facts.ts';
import { formatEndpoint } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { LogSession, ServerLogFacts } from '../../model/server-log-facts.ts';

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
      startedAt: log.clock.kind === 'uptime' ? new Date(middle).toISOString().slice(0, 19) + 'Z' : null,
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
