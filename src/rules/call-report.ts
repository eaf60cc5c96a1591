import type { TargetFacts } from '../model/observations.ts';
import type { CallReport } from '../model/report.ts';
import { worstOf } from './call-quality.ts';

/** The figures of the call of a target; empty where none was made. */
export function callReports({ target, call }: TargetFacts): CallReport[] {
  if (call.state !== 'done') return [];
  const { transport, connectMs, pairs, audio } = call.value;
  const total = (key: 'sent' | 'received'): number =>
    audio.reduce((sum, direction) => sum + direction[key], 0);
  const [pair] = pairs;
  return [
    {
      transport,
      target: target.url,
      address: target.address,
      connectMs,
      selectedPair: pair ? { local: pair.local, remote: pair.remote } : null,
      audio:
        audio.length === 0 ? null : { sent: total('sent'), received: total('received'), ...worstOf(audio) },
    },
  ];
}

/** The call that went worst: not connected, then the lowest MOS. */
export function worstCall(calls: readonly CallReport[]): CallReport | null {
  const score = ({ connectMs, audio }: CallReport): number => (connectMs === null ? -1 : (audio?.mos ?? 0));
  return calls.toSorted((a, b) => score(a) - score(b))[0] ?? null;
}
