import { listed, listenerName } from '../../model/catalog/entry.ts';
import type { TargetFacts } from '../../model/observations.ts';
import type { TracedLog, WitnessTrace } from '../../model/witness-facts.ts';

/**
 * What the server shows, without a capture, of packets to a target that was silent, or to relay ports at which nothing came in:
 * sentences that each say no more than is proven. None of it tells where they got lost.
 * @param relayPorts those at which nothing came in
 */
export function tracesOf(facts: TargetFacts, relayPorts: readonly number[], trace: WitnessTrace): string[] {
  const { target } = facts;
  const isUdp = relayPorts.length > 0 || target.transport === 'udp';
  const ports = relayPorts.length > 0 ? relayPorts : [target.port];
  const told = [
    trackedAt(ports, isUdp, trace),
    loggedAt(facts, relayPorts, trace),
    isUdp ? untakenAt(ports, trace) : null,
  ].filter((each) => each !== null);
  const place = relayPorts.length > 0 ? 'the relay ports' : listenerName(target);
  return told.map((each) => `${place} of ${target.host}: ${each}`);
}

function trackedAt(ports: readonly number[], isUdp: boolean, { tracked }: WitnessTrace): string | null {
  if (tracked.state === 'unknown') return null;
  const own = tracked.value.filter(
    ({ transport, hostPort }) => (transport === 'udp') === isUdp && ports.includes(hostPort),
  );
  if (own.length === 0) return null;
  const passed = 'its firewall let packets of this client in, by its connection table';
  return own.some(({ isAnswered }) => isAnswered)
    ? `${passed}, and it answered them`
    : `${passed}, and it did not answer them`;
}

function loggedAt(facts: TargetFacts, relayPorts: readonly number[], { log }: WitnessTrace): string | null {
  if (log.state === 'unknown') return null;
  return relayPorts.length > 0 ? atRelay(relayPorts, log.value) : atListener(facts, log.value);
}

/** The relayed packets of a session are told with its end; permission for this client was there. */
function atRelay(ports: readonly number[], { sessions }: TracedLog): string | null {
  const counts = sessions.flatMap(({ relayPort, fromPeers }) =>
    relayPort !== null && fromPeers !== null && ports.includes(relayPort) ? [fromPeers] : [],
  );
  if (counts.length === 0) return null;
  const total = counts.reduce((sum, each) => sum + each, 0);
  return total === 0
    ? 'coturn got nothing there, by its log'
    : `coturn got ${total} packets there, by its log`;
}

/** The absence of lines tells something where the log has others of the same client, and of nobody who could be it. */
function atListener({ target, challenge }: TargetFacts, { sessions, unnamed }: TracedLog): string | null {
  // A Binding alone is not logged.
  if (target.transport !== 'udp' || challenge.state === 'not-tried') return null;
  const listeners = sessions.flatMap(({ listener }) => (listener === null ? [] : [listener]));
  const isHere = ({ port, isUdp }: { port: number; isUdp: boolean }): boolean =>
    isUdp && port === target.port;
  if (listeners.some(isHere))
    return 'coturn got requests of this client there, by its log, and no answer came back';
  if (listeners.length === 0 || unnamed > 0) return null;
  const others = new Set(listeners.map(({ port, isUdp }) => `${isUdp ? 'UDP' : 'TCP'} ${port}`));
  return `the log of coturn has this client at ${listed([...others])}, and not there`;
}

function untakenAt(ports: readonly number[], { untaken }: WitnessTrace): string | null {
  if (untaken.state === 'unknown') return null;
  const own = untaken.value.filter(({ port }) => ports.includes(port));
  const sum = (count: (each: (typeof own)[number]) => number): number =>
    own.reduce((total, each) => total + count(each), 0);
  const [dropped, waiting] = [sum((each) => each.dropped), sum((each) => each.waiting)];
  const parts = [
    ...(waiting > 0 ? [`${waiting} bytes wait there that coturn does not take`] : []),
    ...(dropped > 0 ? [`the kernel dropped ${dropped} packets there that coturn did not take`] : []),
  ];
  return parts.length === 0 ? null : parts.join(', and ');
}
