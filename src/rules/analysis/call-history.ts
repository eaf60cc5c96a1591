import type { CallChart, CallMoment } from '../../model/call-report.ts';
import type { Series, StreamFacts } from '../../model/call-recording.ts';
import { audioStreams, selectedPair, type RecordedCall } from './recorded-call.ts';
import { growthOf } from './series.ts';

const mostMoments = 400;
const faulty: ReadonlySet<string> = new Set(['failed', 'disconnected']);
const machineNames = {
  signaling: 'signaling',
  gathering: 'gathering',
  ice: 'ICE',
  connection: 'connection',
  dtls: 'DTLS',
} as const;

/** What happened, in order, in the words of the specification. */
export function timelineOf(call: RecordedCall): CallMoment[] {
  const { facts } = call;
  const begin = facts.firstAtMs;
  const moment = (atMs: number | null, text: string, isFault = false): CallMoment => ({
    atMs: atMs === null || begin === null ? null : Math.round(atMs - begin),
    text,
    isFault,
  });
  const moments = [
    ...facts.descriptions.map(({ atMs, side, type }) => moment(atMs, `${side} ${type} applied`)),
    ...facts.states.map(({ atMs, machine, state }) =>
      moment(atMs, `${machineNames[machine]} ${state}`, faulty.has(state)),
    ),
    ...facts.candidateErrors.map(({ atMs, url, code, text }) =>
      moment(atMs, `${url} answered ${code}${text === '' ? '' : `: ${text}`}`, true),
    ),
    ...facts.failures.map(({ atMs, operation, message }) =>
      moment(atMs, `${operation} failed: ${message.slice(0, 120)}`, true),
    ),
    ...facts.transports.flatMap(({ selections }) =>
      selections.map(({ atMs, pairId }) => moment(atMs, `pair selected: ${pairText(call, pairId)}`)),
    ),
    ...relays(call).map(({ atMs, text }) => moment(atMs, text)),
    ...(facts.closedAtMs === null ? [] : [moment(facts.closedAtMs, 'closed by the application')]),
  ];
  return moments.toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0)).slice(0, mostMoments);
}

function relays({ facts }: RecordedCall): { atMs: number | null; text: string }[] {
  return facts.candidates
    .filter(({ type, from }) => type === 'relay' && from === 'event')
    .map(({ atMs, side, address, port }) => ({
      atMs,
      text: `${side} relay candidate ${address ?? 'hidden'}:${port ?? '?'}`,
    }));
}

function pairText({ facts }: RecordedCall, pairId: string): string {
  const pair = facts.pairs.find(({ id }) => id === pairId);
  const typeOf = (id: string | null | undefined): string =>
    facts.candidates.find((each) => each.id === id)?.type ?? 'unknown';
  return pair === undefined ? pairId : `${typeOf(pair.localId)} to ${typeOf(pair.remoteId)}`;
}

const columns = 60;

/** The figures that tell most, each on the same span of time. */
export function chartsOf(call: RecordedCall): CallChart[] {
  const begin = call.facts.firstAtMs ?? 0;
  const [outbound, inbound] = [
    busiest(call, 'outbound', 'packetsSent'),
    busiest(call, 'inbound', 'packetsReceived'),
  ];
  const source = call.facts.sources.find(({ kind }) => kind === 'audio');
  const all: (CallChart | null)[] = [
    rate('packets sent', 'per s', outbound?.series.packetsSent, begin),
    rate('packets received', 'per s', inbound?.series.packetsReceived, begin),
    rate('packets lost', 'per s', inbound?.series.packetsLost, begin),
    level('microphone level', source?.series.audioLevel, begin),
    level('level received', inbound?.series.audioLevel, begin),
    resampled('round trip', 'ms', selectedPair(call)?.pair.series.currentRoundTripTime, begin, 1000),
  ];
  return all.filter((each) => each !== null);
}

function busiest(
  call: RecordedCall,
  direction: StreamFacts['direction'],
  metric: 'packetsSent' | 'packetsReceived',
): StreamFacts | undefined {
  const count = ({ series }: StreamFacts): number => growthOf(series[metric])?.delta ?? 0;
  return audioStreams(call, direction).toSorted((a, b) => count(b) - count(a))[0];
}

function rate(name: string, unit: string, series: Series | undefined, begin: number): CallChart | null {
  if (series === undefined || series.values.length < 3) return null;
  const values = series.values.slice(1).map((value, index) => {
    const forMs = (series.atMs[index + 1] ?? 0) - (series.atMs[index] ?? 0);
    return forMs > 0 ? Math.max(0, ((value - (series.values[index] ?? value)) * 1000) / forMs) : 0;
  });
  return resampled(name, unit, { atMs: series.atMs.slice(1), values }, begin, 1);
}

function level(name: string, series: Series | undefined, begin: number): CallChart | null {
  return resampled(name, '', series, begin, 1);
}

/** At most `columns` points, each the mean of its span. */
function resampled(
  name: string,
  unit: string,
  series: Series | undefined,
  begin: number,
  factor: number,
): CallChart | null {
  const first = series?.atMs[0];
  const last = series?.atMs.at(-1);
  if (series === undefined || first === undefined || last === undefined || !(last > first)) return null;
  const count = Math.min(columns, series.values.length);
  const stepMs = (last - first) / count;
  const [sums, counts] = [Array.from({ length: count }, () => 0), Array.from({ length: count }, () => 0)];
  for (const [index, value] of series.values.entries()) {
    const at = Math.min(count - 1, Math.floor(((series.atMs[index] ?? first) - first) / stepMs));
    sums[at] = (sums[at] ?? 0) + value * factor;
    counts[at] = (counts[at] ?? 0) + 1;
  }
  const points = sums.map((sum, index) => {
    const of = counts[index] ?? 0;
    return of === 0 ? null : Number((sum / of).toPrecision(4));
  });
  return { name, unit, startMs: Math.round(first - begin), stepMs: Math.round(stepMs), points };
}
