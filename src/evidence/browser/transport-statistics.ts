import type { StateChange, StateMachine, TransportFacts } from '../../model/call-recording.ts';
import { seriesOf, textOf } from './statistics-object.ts';
import type { StatisticsObject } from './statistics.ts';

export function transportsOf(objects: readonly StatisticsObject[]): TransportFacts[] {
  const told = objects
    .filter(({ type }) => type === 'transport')
    .map((object): TransportFacts => ({
      id: object.id,
      selections: (object.texts.get('selectedCandidatePairId') ?? [])
        .filter(({ text }) => text !== '')
        .map(({ atMs, text }) => ({ atMs, pairId: text })),
      dtlsRole: textOf(object, 'dtlsRole'),
      series: seriesOf(object, ['bytesSent', 'bytesReceived']),
    }));
  if (told.some(({ selections }) => selections.length > 0)) return told;
  const selections = selectedPairs(objects);
  if (selections.length === 0) return told;
  return [{ ...(told[0] ?? { id: '', dtlsRole: null, series: {} }), selections }, ...told.slice(1)];
}

/** Firefox marks the selected pair itself, and Chrome's old figures the active one. */
function selectedPairs(objects: readonly StatisticsObject[]): { atMs: number | null; pairId: string }[] {
  return objects
    .flatMap(({ id, texts }) =>
      [...(texts.get('selected') ?? []), ...(texts.get('googActiveConnection') ?? [])]
        .filter(({ text }) => text === 'true')
        .map(({ atMs }) => ({ atMs, pairId: id })),
    )
    .toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0));
}

/** The states that transports tell: of DTLS, and those of ICE where no event told them. */
export function statesOfTransports(
  objects: readonly StatisticsObject[],
  known: ReadonlySet<StateMachine>,
): StateChange[] {
  const changes = (metric: string, machine: StateMachine): StateChange[] =>
    objects
      .filter(({ type }) => type === 'transport')
      .flatMap(({ texts }) => texts.get(metric) ?? [])
      .map(({ atMs, text }) => ({ atMs, machine, state: text }));
  return [...changes('dtlsState', 'dtls'), ...(known.has('ice') ? [] : changes('iceState', 'ice'))];
}
