import { createReadStream } from 'node:fs';
import { PassThrough, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { RtcOpsError, reasonOf } from '../model/error.ts';

/** The bytes of a file or of standard input, and why they end before their end, if they do. */
export interface ByteSource {
  /** Chunks, unpacked where they were gzipped. Read once. */
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
  const { signal } = options;
  let reason: string | null = null;
  return {
    chunks: (async function* chunks(): AsyncGenerator<Buffer> {
      try {
        for await (const chunk of unpacked(stream, name, options)) {
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
        throw new RtcOpsError('configuration', `cannot read ${name}: ${reasonOf(cause)}`, { cause });
      } finally {
        stream.destroy();
      }
    })(),
    cutShort: () => reason,
  };
}

function isPackingError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('Z_');
}

/** Looks at the first two bytes (RFC 1952 §2.3.1), not at the name. */
async function* unpacked(
  stream: Readable,
  name: string,
  { signal, mostUnpackedBytes = mostUnpackedByDefault, onRead = () => undefined }: ByteSourceOptions,
): AsyncGenerator<Buffer> {
  let read = 0;
  const counted = (chunk: Buffer): Buffer => {
    onRead((read += chunk.length));
    return chunk;
  };
  const iterator: AsyncIterator<unknown> = stream[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < 2) {
    const next = await iterator.next();
    if (next.done === true) break;
    first = Buffer.concat([first, counted(bytesOf(next.value))]);
  }
  const rest = async function* rest(): AsyncGenerator<Buffer> {
    if (first.length > 0) yield first;
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
      yield counted(bytesOf(next.value));
  };
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    yield* rest();
    return;
  }
  const output = new PassThrough({ highWaterMark: chunkBytes });
  const packing = pipeline(
    rest,
    createGunzip({ chunkSize: chunkBytes }),
    output,
    ...(signal ? [{ signal }] : []),
  );
  // Its error comes out of `output` too, where it is read.
  const settled = packing.then(
    () => null,
    (error: unknown) => error,
  );
  let unpackedBytes = 0;
  for await (const chunk of output) {
    const bytes = bytesOf(chunk);
    unpackedBytes += bytes.length;
    if (unpackedBytes > mostUnpackedBytes) throw tooLarge(name, mostUnpackedBytes);
    yield bytes;
  }
  const error = await settled;
  if (error instanceof Error) throw error;
}

function bytesOf(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function tooLarge(name: string, bytes: number): RtcOpsError {
  const size = bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GB` : `${Math.floor(bytes / 2 ** 20)} MB`;
  return new RtcOpsError('configuration', `${name} unpacks to more than ${size}`, {
    hint: 'Few packed bytes can stand for any number. Where it is really that large: --max-unpacked SIZE, such as 16G.',
  });
}
