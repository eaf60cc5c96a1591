import { listed, listenerName } from '../model/catalog/entry.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { Observations, Target, TargetFacts } from '../model/observations.ts';
import { firstFailure } from './failure-kind.ts';

/**
 * What became, elsewhere, of packets like those that one listener did not answer. Where another server answers them,
 * they leave this network; where a server that the user knows to work does not, they do not.
 */
export interface Outward {
  /** Servers that answer over the same protocol and port: `UDP 3478 of stun.example.net`. */
  readonly leavesTo: readonly string[];
  /** Controls that are silent too; empty where one of them answers. */
  readonly endsHereFor: readonly string[];
  /** Nothing but port 443 leaves, which explains the silence; the controls were asked on other TCP ports than this one. */
  readonly only443?: true;
}

type Seen = Pick<Observations, 'targets' | 'controls'>;

export function outwardOf(facts: TargetFacts, seen: Seen): Outward {
  const alike = outwardAlike(facts, seen);
  const { transport, port, family } = facts.target;
  const isKnown = alike.leavesTo.length > 0 || alike.endsHereFor.length > 0;
  if (isKnown || transport === 'udp' || port === 443 || !only443Leaves(seen)) return alike;
  const asked = seen.controls.filter(
    ({ target: other }) => other.transport !== 'udp' && other.family === family && other.port !== 443,
  );
  const end = endOf(facts);
  const endsHere = asked.length > 0 && end !== null && asked.every((each) => endOf(each) === end);
  return endsHere ? { leavesTo: [], endsHereFor: asked.map(nameOf), only443: true } : alike;
}

/** The same, of packets to the same port, or by UDP. */
function outwardAlike(facts: TargetFacts, { targets, controls }: Seen): Outward {
  const { target } = facts;
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
  // A firewall does the same to both: a control that refuses, where the target is silent, has stopped.
  const end = endOf(facts);
  const endsHere =
    leavesTo.length === 0 && asked.length > 0 && end !== null && asked.every((each) => endOf(each) === end);
  return { leavesTo: leavesTo.map(nameOf), endsHereFor: endsHere ? asked.map(nameOf) : [] };
}

/** Whether UDP and other TCP ports end here, and all that answers over TCP does so on port 443. */
function only443Leaves(seen: Seen): boolean {
  const ended = seen.targets.filter((facts) => outwardAlike(facts, seen).endsHereFor.length > 0);
  const streams = ended.filter(({ target }) => target.transport !== 'udp');
  if (streams.length === 0 || streams.length === ended.length) return false;
  const answering = answeringStreams(seen);
  return answering.length > 0 && answering.every(({ target }) => target.port === 443);
}

function answeringStreams({ targets, controls }: Seen): TargetFacts[] {
  return [...targets, ...controls].filter((each) => each.target.transport !== 'udp' && cameBack(each));
}

/** UDP_BLOCKED_HERE and ONLY_TLS_443_LEAVES: what the controls show of the network in which the probe stands. */
export function outwardFindings(seen: Seen): Finding[] {
  const ended = seen.targets.filter((facts) => outwardOf(facts, seen).endsHereFor.length > 0);
  const endedUdp = ended.filter(({ target }) => target.transport === 'udp');
  const [first] = endedUdp;
  if (first === undefined) return [];
  const [code, concerned] = only443Leaves(seen)
    ? (['ONLY_TLS_443_LEAVES', ended] as const)
    : (['UDP_BLOCKED_HERE', endedUdp] as const);
  const evidence = {
    silent: [...new Set(concerned.flatMap((facts) => outwardOf(facts, seen).endsHereFor))],
    answering: answeringStreams(seen).slice(0, 2).map(nameOf),
    refused: endOf(first) === 'refused',
  };
  return [finding(code, evidence, { targets: [...new Set(concerned.map(({ target }) => target.url))] })];
}

/** Why a silent listener says nothing about its server; null when it does. */
export function whyEndsHere({ transport, port }: Target, { endsHereFor, only443 }: Outward): string | null {
  if (endsHereFor.length === 0) return null;
  const what = transport === 'udp' ? 'UDP' : listenerName({ transport: 'tcp', port });
  const scope =
    only443 === true
      ? `only port 443 leaves this network, and not ${what}`
      : `${what} does not leave this network`;
  return `${scope}: ${listed(endsHereFor)}, known to work, ${endsHereFor.length === 1 ? 'does' : 'do'} not answer either`;
}

function protocolOf({ transport }: Target): 'udp' | 'tcp' {
  return transport === 'udp' ? 'udp' : 'tcp';
}

/** Whether anything came back from the server itself. A TCP connection that a proxy may have accepted does not count. */
function cameBack({ binding, challenge, tls }: TargetFacts): boolean {
  return binding.state === 'done' || challenge.state === 'done' || tls.state === 'done';
}

/** How its packets came to nothing on the way: no answer at all, or an error of the network; null when they did not. */
function endOf(facts: TargetFacts): 'silent' | 'refused' | null {
  const failure = cameBack(facts) ? null : firstFailure(facts);
  if (failure?.kind === 'timeout') return 'silent';
  return failure?.kind === 'system' ? 'refused' : null;
}

function nameOf({ target }: TargetFacts): string {
  return `${listenerName(target)} of ${target.host}`;
}
