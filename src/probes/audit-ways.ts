import type { ListenerAuditFacts } from '../model/audit.ts';
import { formatEndpoint, type Endpoint } from '../model/endpoint.ts';
import type { Attempt, Target } from '../model/observations.ts';

/** The listener that a user is let in by, or why there is none. */
export type Way =
  { readonly state: 'done'; readonly target: Target } | Extract<Attempt<never>, { state: 'not-tried' }>;

/** How a user gets to the server behind one port. */
export interface Door {
  readonly any: Way;
  /** Over TCP or TLS. */
  readonly stream: Way;
  readonly through: string;
}

type Listeners = readonly [ListenerAuditFacts, ...ListenerAuditFacts[]];

/**
 * A door for each port that lets users in, as another port may be that of another server. Where none does, the one that
 * says why.
 */
export function doorsOf(listeners: Listeners): [Door, ...Door[]] {
  const [first, ...others] = [...byPort(listeners)].map(doorOf).filter(({ any }) => any.state === 'done');
  return first === undefined ? [doorOf(listeners)] : [first, ...others];
}

function byPort(listeners: Listeners): Iterable<Listeners> {
  const ports = new Map<number, [ListenerAuditFacts, ...ListenerAuditFacts[]]>();
  for (const listener of listeners) {
    const known = ports.get(listener.target.port);
    if (known) known.push(listener);
    else ports.set(listener.target.port, [listener]);
  }
  return ports.values();
}

function doorOf(listeners: Listeners): Door {
  const streams = listeners.filter(({ target }) => target.transport !== 'udp');
  const udp = listeners.filter(({ target }) => target.transport === 'udp');
  const any = wayOf([...udp, ...streams], 'no listener was named');
  const { url } = any.state === 'done' ? any.target : listeners[0].target;
  return { any, stream: wayOf(streams, noStream), through: url };
}

const noStream = 'no listener over TCP or TLS was named, which it takes to ask';

function wayOf(listeners: readonly ListenerAuditFacts[], none: string): Way {
  const open = listeners.find(({ challenge, alternate }) => challenge.state === 'done' && alternate === null);
  if (open !== undefined) return { state: 'done', target: open.target };
  const away = listeners.find(({ alternate }) => alternate !== null);
  if (away?.alternate) return because(sentAway(away.alternate));
  const [first] = listeners;
  if (first === undefined) return because(none);
  const { software, target } = first;
  return because(
    software.state === 'done'
      ? `${target.url} answers STUN and says nothing to an Allocate, as one does that is for STUN alone`
      : `${target.url} does not answer`,
  );
}

/** For a server that sends its clients elsewhere: a server that nobody has named is not examined. */
export function sentAway(alternate: Endpoint): string {
  return `it sends its clients to ${formatEndpoint(alternate)}, which was not asked: audit that one by its own name`;
}

function because(text: string): Way {
  return { state: 'not-tried', because: text };
}
