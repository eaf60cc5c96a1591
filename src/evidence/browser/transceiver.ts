import type { TransceiverFacts } from '../../model/call-recording.ts';
import { member, opened, type EventValue } from './event-value.ts';

type TransceiverDirection = TransceiverFacts['direction'];

/** Reads what Chrome tells of a transceiver when it makes or changes one; `key` is the same for one transceiver. */
export function readTransceiver(
  value: EventValue,
): { readonly key: string; readonly facts: TransceiverFacts } | null {
  const data = opened(value);
  if (typeof data === 'string') return fromText(data);
  const kind = member(data, 'kind');
  if (typeof kind !== 'string') return null;
  const track = member(member(data, 'sender'), 'track');
  const mid = member(data, 'mid');
  return {
    key: String(member(data, 'transceiverIndex') ?? mid),
    facts: {
      mid: typeof mid === 'string' ? mid : null,
      kind,
      direction: directionOf(member(data, 'direction')),
      currentDirection: directionOf(member(data, 'currentDirection')),
      hasSenderTrack: track === undefined ? null : track !== null,
    },
  };
}

/** Before 142: `getTransceivers()[0]:{ mid:'0', kind:'audio', sender:{ track:'…' }, direction:'sendrecv', … }`. */
function fromText(text: string): { key: string; facts: TransceiverFacts } | null {
  const [, index] = /getTransceivers\(\)\[(\d{1,4})\]/.exec(text) ?? [];
  const [, kind] = /kind:'(\w{1,20})'/.exec(text) ?? [];
  if (index === undefined || kind === undefined) return null;
  const [, mid] = /mid:'([^']{0,100})'/.exec(text) ?? [];
  const [, track] = /sender:\{\s*track:('|null)/.exec(text) ?? [];
  const told = (name: string): TransceiverDirection =>
    directionOf(new RegExp(`\\b${name}:'(\\w+)'`).exec(text)?.[1]);
  return {
    key: index,
    facts: {
      mid: mid ?? null,
      kind,
      direction: told('direction'),
      currentDirection: told('currentDirection'),
      hasSenderTrack: track === undefined ? null : track === "'",
    },
  };
}

function directionOf(value: unknown): TransceiverDirection {
  switch (value) {
    case 'sendrecv':
    case 'sendonly':
    case 'recvonly':
    case 'inactive':
    case 'stopped':
      return value;
    default:
      return null;
  }
}
