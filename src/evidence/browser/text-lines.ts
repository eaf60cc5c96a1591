import type { GiveBack } from '../part-source.ts';

// The longest line of a recorder is an SDP or a report of statistics of an SFU.
const mostLength = 8 * 2 ** 20;
const newline = 0x0a;

export interface TextPart {
  /** Whether a line belongs to something else; it is given back, with all that follows. */
  readonly isOther: (line: string) => boolean;
  readonly giveBack: GiveBack | undefined;
}

/** The lines of a text, without their ends. What is longer than any recorder writes is cut. */
export async function* textLines(chunks: AsyncIterable<Buffer>, part?: TextPart): AsyncGenerator<string> {
  let pieces: Buffer[] = [];
  let length = 0;
  const keep = (bytes: Buffer): void => {
    const room = mostLength - length;
    if (room > 0 && bytes.length > 0) pieces.push(bytes.subarray(0, room));
    length += Math.min(room, bytes.length);
  };
  const line = (): string => {
    const text = Buffer.concat(pieces).toString('utf8');
    return text.endsWith('\r') ? text.slice(0, -1) : text;
  };
  for await (const chunk of chunks) {
    let at = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, at)) {
      keep(chunk.subarray(at, end));
      const text = line();
      if (part?.giveBack !== undefined && part.isOther(text)) {
        part.giveBack(Buffer.concat([...pieces, chunk.subarray(end)]));
        return;
      }
      at = end + 1;
      pieces = [];
      length = 0;
      yield text;
    }
    keep(chunk.subarray(at));
  }
  if (length > 0) yield line();
}
