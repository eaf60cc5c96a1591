import { readEvent, readSystemEvent } from '../coturn/log/event.ts';
import { FrameReader } from '../coturn/log/frame.ts';

const longest = 4096;

/** Whether a line is one that only coturn writes, or that a system log says of it. */
export function isServerLogLine(line: string, frames: FrameReader): boolean {
  const text = line.slice(0, longest);
  const frame = frames.read(text);
  if (frame === null) return readEvent(text)?.kind === 'version';
  if (frame.program !== null && /turnserver|coturn/.test(frame.program)) return true;
  return (frame.program === null ? readEvent(frame.message) : readSystemEvent(frame.message)) !== null;
}

/** For lines whose times do not matter. */
export function timelessFrames(): FrameReader {
  return new FrameReader(0);
}
