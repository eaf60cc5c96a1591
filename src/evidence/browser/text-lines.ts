import { StringDecoder } from 'node:string_decoder';

// The longest line of a recorder is an SDP or a report of statistics of an SFU.
const mostLength = 8 * 2 ** 20;

/** The lines of a text, without their ends. What is longer than any recorder writes is cut. */
export async function* textLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.write(chunk)).split('\n');
    rest = (parts.pop() ?? '').slice(0, mostLength);
    for (const part of parts) yield part.replace(/\r$/, '');
  }
  if (rest !== '') yield rest;
}
