import type { MediaRequest } from '../../model/call-recording.ts';
import { member } from './event-value.ts';

/** The requests of webrtc-internals: one entry when it was made, another when it ended; before 2021 the first alone. */
export function mediaRequests(entries: readonly unknown[]): MediaRequest[] {
  const open = new Map<string, MediaRequest>();
  const done: MediaRequest[] = [];
  for (const entry of entries) {
    if (member(entry, 'request_type') === 'getDisplayMedia') continue;
    const key = ['pid', 'rid', 'request_id'].map((name) => String(member(entry, name))).join(' ');
    const ended = resultOf(entry);
    const earlier = open.get(key);
    if (ended !== null && earlier !== undefined) {
      open.delete(key);
      done.push({ ...earlier, result: ended });
    } else if (ended === null) {
      if (earlier !== undefined) done.push(earlier);
      open.set(key, requestOf(entry));
    }
  }
  return [...done, ...open.values()].toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0));
}

function requestOf(entry: unknown): MediaRequest {
  const url = member(entry, 'url') ?? member(entry, 'origin');
  const timestamp = member(entry, 'timestamp');
  return {
    atMs: typeof timestamp === 'number' ? timestamp : null,
    url: typeof url === 'string' ? url : null,
    wantsAudio: member(entry, 'audio') !== undefined,
    wantsVideo: member(entry, 'video') !== undefined,
    result: { state: 'open' },
  };
}

function resultOf(entry: unknown): MediaRequest['result'] | null {
  const error = member(entry, 'error');
  if (typeof error === 'string') {
    const message = member(entry, 'error_message');
    return { state: 'refused', error, message: typeof message === 'string' ? message.slice(0, 300) : '' };
  }
  const track = member(entry, 'audio_track_info');
  if (track === undefined && member(entry, 'video_track_info') === undefined) return null;
  return { state: 'granted', hasAudio: typeof track === 'string' && track !== 'null' && track !== '' };
}
