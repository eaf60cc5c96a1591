import { listed, listenerName } from '../model/catalog/entry.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { Failure, Observations, Target, TargetFacts } from '../model/observations.ts';

/**
 * What became, elsewhere, of packets like those that one listener did not answer. Where another server answers them,
 * they leave this network; where a server that the user knows to work does not, they do not.
 */
export interface Outward {
  /** Servers that answer over the same protocol and port: `UDP 3478 of stun.example.net`. */
  readonly leavesTo: readonly string[];
  /** Controls that are silent too; empty where one of them answers. */
  readonly endsHereFor: readonly string[];
}

type Seen = Pick<Observations, 'targets' | 'controls'>;

export function outwardOf(target: Target, { targets, controls }: Seen): Outward {
  const alike = (other: TargetFacts): boolean =>
    other.target.address !== target.address &&
    other.target.family === target.family &&
    protocolOf(other.target) === protocolOf(target);
  const samePort = (other: TargetFacts): boolean => other.target.port === target.port;
  // Two are proof enough to be read.
  const leavesTo = [...targets, ...controls]
    .filter((other) => alike(other) && samePort(other) && cameBack(other))
    .slice(0, 2);
  // Firewalls open single TCP ports, and UDP as a whole or not at all: a STUN server on another port shows that too.
  const asked = controls.filter((other) => alike(other) && (target.transport === 'udp' || samePort(other)));
  const endsHere = leavesTo.length === 0 && asked.length > 0 && asked.every(isStopped);
  return { leavesTo: leavesTo.map(nameOf), endsHereFor: endsHere ? asked.map(nameOf) : [] };
}

/** UDP_BLOCKED_HERE and ONLY_TLS_443_LEAVES: what the controls show of the network in which the probe stands. */
export function outwardFindings({ targets, controls }: Seen): Finding[] {
  const silent = controls.filter(isStopped);
  const silentUdp = silent.filter(({ target }) => target.transport === 'udp');
  const udpLeaves = [...targets, ...controls].some(
    (each) => each.target.transport === 'udp' && cameBack(each),
  );
  if (silentUdp.length === 0 || udpLeaves) return [];
  const streams = [...targets, ...controls].filter((each) => each.target.transport !== 'udp');
  const answering = streams.filter(cameBack);
  const silentStreams = silent.filter(({ target }) => target.transport !== 'udp' && target.port !== 443);
  const onlyWeb = answering.length > 0 && answering.every(({ target }) => target.port === 443);
  const concerned = targets.filter(isStopped);
  const evidence = {
    silent: silentUdp.map(nameOf),
    answering: answering.map(nameOf),
    refused: silentUdp.every(wasRefused),
  };
  const options = { targets: [...new Set(concerned.map(({ target }) => target.url))] };
  return onlyWeb && silentStreams.length > 0
    ? [
        finding(
          'ONLY_TLS_443_LEAVES',
          { ...evidence, silent: [...silentUdp, ...silentStreams].map(nameOf) },
          options,
        ),
      ]
    : [finding('UDP_BLOCKED_HERE', evidence, options)];
}

/** Why a silent listener says nothing about its server; null when it does. */
export function whyEndsHere({ transport, port }: Target, { endsHereFor }: Outward): string | null {
  if (endsHereFor.length === 0) return null;
  const what = transport === 'udp' ? 'UDP' : listenerName({ transport: 'tcp', port });
  return `${what} does not leave this network: ${listed(endsHereFor)}, known to work, ${endsHereFor.length === 1 ? 'does' : 'do'} not answer either`;
}

function protocolOf({ transport }: Target): 'udp' | 'tcp' {
  return transport === 'udp' ? 'udp' : 'tcp';
}

/** Whether anything came back from the server itself. A TCP connection that a proxy may have accepted does not count. */
function cameBack({ binding, challenge, tls }: TargetFacts): boolean {
  return binding.state === 'done' || challenge.state === 'done' || tls.state === 'done';
}

/** Whether its packets came to nothing on the way: no answer at all, or an error of the network. */
function isStopped(facts: TargetFacts): boolean {
  const failure = failureOf(facts);
  return !cameBack(facts) && failure !== null && (failure.kind === 'timeout' || failure.kind === 'system');
}

function wasRefused(facts: TargetFacts): boolean {
  const failure = failureOf(facts);
  return failure !== null && failure.kind === 'system';
}

function failureOf({ connect, tls, binding }: TargetFacts): Failure | null {
  for (const step of [connect, tls, binding] as const) if (step.state === 'failed') return step.failure;
  return null;
}

function nameOf({ target }: TargetFacts): string {
  return `${listenerName(target)} of ${target.host}`;
}
