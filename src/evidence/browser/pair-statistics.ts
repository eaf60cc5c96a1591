import type { CandidateFacts, CandidateType, PairFacts, PairMetric } from '../../model/call-recording.ts';
import { shownAddress } from './candidate-line.ts';
import { figureOf, seriesOf, textOf } from './statistics-object.ts';
import type { StatisticsObject } from './statistics.ts';

const pairMetrics: readonly PairMetric[] = [
  'requestsSent',
  'requestsReceived',
  'responsesSent',
  'responsesReceived',
  'consentRequestsSent',
  'bytesSent',
  'bytesReceived',
  'currentRoundTripTime',
  'availableOutgoingBitrate',
  'lastPacketReceivedTimestamp',
  'lastPacketSentTimestamp',
];

export function pairsOf(objects: readonly StatisticsObject[]): PairFacts[] {
  return objects
    .filter(({ type }) => type === 'candidate-pair' || type === 'googCandidatePair')
    .map((object) => ({
      id: object.id,
      localId: textOf(object, 'localCandidateId'),
      remoteId: textOf(object, 'remoteCandidateId'),
      state: textOf(object, 'state'),
      isNominated:
        textOf(object, 'nominated') === 'true' || textOf(object, 'googActiveConnection') === 'true',
      series: seriesOf(object, pairMetrics),
    }));
}

/** The candidates of events and descriptions, with what the statistics know of them, and those that only they know. */
export function candidatesWith(
  seen: readonly CandidateFacts[],
  objects: readonly StatisticsObject[],
): CandidateFacts[] {
  const merged = [...seen];
  for (const object of objects) {
    const told = candidateOf(object);
    if (told === null) continue;
    const at = merged.findIndex((each) => each.id === null && isSame(each, told));
    const earlier = merged[at];
    if (earlier === undefined) merged.push(told);
    else merged[at] = { ...earlier, ...known(told), atMs: earlier.atMs, from: earlier.from };
  }
  return merged;
}

/** The members that say something. */
function known(candidate: CandidateFacts): Partial<CandidateFacts> {
  return Object.fromEntries(Object.entries(candidate).filter(([, value]) => value !== null));
}

function isSame(a: CandidateFacts, b: CandidateFacts): boolean {
  return (
    a.side === b.side &&
    a.type === b.type &&
    a.protocol === b.protocol &&
    a.port === b.port &&
    (a.address === b.address || a.address === null || b.address === null)
  );
}

const oldTypes: Readonly<Record<string, CandidateType>> = {
  local: 'host',
  stun: 'srflx',
  relayed: 'relay',
  peerreflexive: 'prflx',
  serverreflexive: 'srflx',
};

function candidateOf(object: StatisticsObject): CandidateFacts | null {
  const { type, texts } = object;
  if (type !== 'local-candidate' && type !== 'remote-candidate') return null;
  const told = textOf(object, 'candidateType') ?? '';
  const kind = oldTypes[told] ?? told;
  if (kind !== 'host' && kind !== 'srflx' && kind !== 'prflx' && kind !== 'relay') return null;
  const protocol = textOf(object, 'protocol') ?? textOf(object, 'transport');
  const relayProtocol = textOf(object, 'relayProtocol');
  return {
    atMs: texts.get('candidateType')?.[0]?.atMs ?? null,
    side: type === 'local-candidate' ? 'local' : 'remote',
    id: object.id,
    type: kind,
    protocol: protocol === 'tcp' || protocol === 'ssltcp' ? 'tcp' : 'udp',
    tcpType: textOf(object, 'tcpType'),
    address: shownAddress(
      textOf(object, 'address') ?? textOf(object, 'ip') ?? textOf(object, 'ipAddress') ?? '',
    ),
    port: figureOf(object, 'port') ?? figureOf(object, 'portNumber'),
    relatedAddress: shownAddress(textOf(object, 'relatedAddress') ?? ''),
    relatedPort: figureOf(object, 'relatedPort'),
    priority: figureOf(object, 'priority'),
    relayProtocol:
      relayProtocol === 'udp' || relayProtocol === 'tcp' || relayProtocol === 'tls' ? relayProtocol : null,
    url: textOf(object, 'url'),
    networkType: textOf(object, 'networkType'),
    from: 'statistics',
  };
}
