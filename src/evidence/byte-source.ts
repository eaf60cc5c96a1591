import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { RtcOpsError, reasonOf, whyUnread } from '../model/error.ts';
import { plainBytes } from './packed-bytes.ts';

/** The bytes of a file or of standard input, and why they end before their end, if they do. */
export interface ByteSource {
  /** Chunks, unpacked where they were gzipped, and in UTF-8 where they were UTF-16. Read once. */
  readonly chunks: AsyncIterable<Buffer>;
  /** Why it ends early, once it has ended; null where it is whole. */
  readonly cutShort: () => string | null;
}

export interface ByteSourceOptions {
  readonly signal?: AbortSignal;
  /** How much gzip data may hold; a few packed bytes can stand for any number. */
  readonly mostUnpackedBytes?: number;
  /** Told as it is read: how many bytes of the file, as they lie there. */
  readonly onRead?: (bytes: number) => void;
}

// Twenty times the largest dump; some 100 s of reading.
const mostUnpackedByDefault = 4 * 2 ** 30;
const chunkBytes = 256 * 1024;

/**
 * @throws RtcOpsError `configuration` while it is read, when there is no such file, it cannot be read, or it unpacks to more
 *   than the limit
 */
export function fileSource(path: string, name: string, options: ByteSourceOptions = {}): ByteSource {
  return source(createReadStream(path, { highWaterMark: chunkBytes }), name, options);
}

/** `stream`: standard input, say; `name` is how a message calls it. */
export function streamSource(stream: Readable, name: string, options: ByteSourceOptions = {}): ByteSource {
  return source(stream, name, options);
}

function source(stream: Readable, name: string, options: ByteSourceOptions): ByteSource {
  const { signal, mostUnpackedBytes = mostUnpackedByDefault, onRead = () => undefined } = options;
  let reason: string | null = null;
  return {
    chunks: (async function* chunks(): AsyncGenerator<Buffer> {
      try {
        const limits = { name, mostBytes: mostUnpackedBytes, ...(signal && { signal }) };
        for await (const chunk of plainBytes(counted(stream, onRead), limits)) {
          signal?.throwIfAborted();
          yield chunk;
        }
      } catch (cause) {
        signal?.throwIfAborted();
        if (cause instanceof RtcOpsError) throw cause;
        if (isPackingError(cause)) {
          reason = `its gzip data ends early or is damaged (${reasonOf(cause)})`;
          return;
        }
        throw new RtcOpsError('configuration', `cannot read ${name}: ${whyUnread(cause)}`, { cause });
      } finally {
        stream.destroy();
      }
    })(),
    cutShort: () => reason,
  };
}

async function* counted(stream: Readable, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  let read = 0;
  for await (const chunk of stream as AsyncIterable<unknown>) {
    const bytes = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    onRead((read += bytes.length));
    yield bytes;
  }
}

function isPackingError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}
