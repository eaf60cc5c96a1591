import { addAbortSignal, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { RtcOpsError } from '../model/error.ts';

export interface UnpackingLimits {
  /** How a message calls the source. */
  readonly name: string;
  /** How much each layer of gzip may hold. */
  readonly mostBytes: number;
  readonly signal?: AbortSignal;
}

const chunkBytes = 256 * 1024;
// A log that logrotate packed, in the archive of a mailer that packs once more.
const mostLayers = 3;

/**
 * Bytes as they were before they were packed (gzip, RFC 1952) and written as UTF-16, as `>` of Windows PowerShell does.
 * Goes by the first bytes, not by a name.
 * @throws RtcOpsError `configuration` when they are more than the limit, or packed too often; errors of zlib as they are
 */
export async function* plainBytes(
  chunks: AsyncIterable<Buffer>,
  limits: UnpackingLimits,
  layer = 0,
): AsyncGenerator<Buffer> {
  const { first, all } = await withFirst(chunks, 4);
  // §2.3.1
  if (first[0] !== 0x1f || first[1] !== 0x8b) {
    const encoding = utf16Of(first);
    yield* encoding === null ? all : inUtf8(all, encoding);
    return;
  }
  if (layer >= mostLayers)
    throw new RtcOpsError('configuration', `${limits.name} is packed more than ${mostLayers} times over`);
  yield* plainBytes(gunzipped(all, limits), limits, layer + 1);
}

async function* gunzipped(chunks: AsyncIterable<Buffer>, limits: UnpackingLimits): AsyncGenerator<Buffer> {
  const { name, mostBytes, signal } = limits;
  const gunzip = createGunzip({ chunkSize: chunkBytes });
  if (signal !== undefined) addAbortSignal(signal, gunzip);
  const packed = Readable.from(chunks, { objectMode: true });
  packed.on('error', (error) => gunzip.destroy(error));
  packed.pipe(gunzip);
  try {
    let bytes = 0;
    for await (const chunk of gunzip as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw tooLarge(name, mostBytes);
      yield chunk;
    }
  } finally {
    packed.destroy();
  }
}

function tooLarge(name: string, bytes: number): RtcOpsError {
  const size = bytes >= 2 ** 30 ? `${bytes / 2 ** 30} GB` : `${Math.floor(bytes / 2 ** 20)} MB`;
  return new RtcOpsError('configuration', `${name} unpacks to more than ${size}`, {
    hint: 'Few packed bytes can stand for any number. Where it is really that large: --max-unpacked SIZE, such as 16G.',
  });
}

type Utf16 = 'utf-16le' | 'utf-16be';

/** By the byte order mark, or by the zeros that ASCII has in it. */
function utf16Of([a, b, c, d]: Buffer): Utf16 | null {
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  if (a === 0xfe && b === 0xff) return 'utf-16be';
  if (isText(a) && b === 0 && isText(c) && d === 0) return 'utf-16le';
  return a === 0 && isText(b) && c === 0 && isText(d) ? 'utf-16be' : null;
}

function isText(byte: number | undefined): boolean {
  return (
    byte !== undefined && (byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f))
  );
}

async function* inUtf8(chunks: AsyncIterable<Buffer>, encoding: Utf16): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding);
  for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }));
  yield Buffer.from(decoder.decode());
}

/** At least `bytes` of what is there, and the whole. */
async function withFirst(
  chunks: AsyncIterable<Buffer>,
  bytes: number,
): Promise<{ readonly first: Buffer; readonly all: AsyncGenerator<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]();
  let first = Buffer.alloc(0);
  while (first.length < bytes) {
    const next = await iterator.next();
    if (next.done === true) break;
    first = Buffer.concat([first, next.value]);
  }
  const all = async function* all(): AsyncGenerator<Buffer> {
    if (first.length > 0) yield first;
    try {
      for (let next = await iterator.next(); next.done !== true; next = await iterator.next())
        yield next.value;
    } finally {
      await iterator.return?.();
    }
  };
  return { first, all: all() };
}
