import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { fileSource, streamSource, type ByteSource } from '../../src/evidence/byte-source.ts';
import { directoryWith } from '../support/temporary.ts';

async function read(source: ByteSource): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of source.chunks) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const text = 'a line\n'.repeat(100_000);

describe('the bytes of a source', () => {
  it('come out of a file, packed or not, whatever its name is', async () => {
    const directory = await directoryWith({});
    const path = join(directory, 'log.txt');
    for (const bytes of [Buffer.from(text), gzipSync(text), gzipSync('').subarray(0, 0)]) {
      await writeFile(path, bytes);
      const source = fileSource(path, 'log.txt');
      expect(await read(source)).toBe(bytes.length === 0 ? '' : text);
      expect(source.cutShort()).toBeNull();
    }
  });

  it('come out of a stream byte by byte', async () => {
    const bytes = [...gzipSync('hello')].map((byte) => Buffer.of(byte));
    expect(await read(streamSource(Readable.from(bytes), 'stdin'))).toBe('hello');
  });

  it('that end within gzip data are read as far as they go, and that is said', async () => {
    const packed = gzipSync(Buffer.from(Array.from({ length: 400_000 }, (_, index) => (index * 7919) & 255)));
    const source = streamSource(Readable.from([packed.subarray(0, packed.length - 100)]), 'stdin');
    await read(source);
    expect(source.cutShort()).toMatch(/gzip/);
  });

  it('stop at a limit, so that a bomb does not go off', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const source = streamSource(Readable.from([bomb]), 'x.gz', { mostUnpackedBytes: 2 ** 20 });
    await expect(read(source)).rejects.toMatchObject({
      code: 'configuration',
      message: 'x.gz unpacks to more than 1 MB',
    });
    // What is not packed is as large as it looks.
    const plain = streamSource(Readable.from([Buffer.alloc(2_000_000)]), 'x', { mostUnpackedBytes: 2 ** 20 });
    expect(await read(plain)).toHaveLength(2_000_000);
  });

  it('are read as far as they are packed, and it is said that something else follows', async () => {
    const source = streamSource(Readable.from([gzipSync(text), Buffer.from('a signature')]), 'stdin');
    expect(await read(source)).toBe(text);
    expect(source.cutShort()).toMatch(/its gzip data/);
    const padded = streamSource(Readable.from([Buffer.concat([gzipSync(text), Buffer.alloc(512)])]), 'stdin');
    expect(await read(padded)).toBe(text);
    expect(padded.cutShort()).toBeNull();
  });

  it('come out of several parts and layers of gzip, and not out of any number of them', async () => {
    const parts = Buffer.concat([gzipSync('one\n'), gzipSync('two\n')]);
    const source = streamSource(Readable.from([gzipSync(parts)]), 'stdin');
    expect(await read(source)).toBe('one\ntwo\n');
    expect(source.cutShort()).toBeNull();
    const deep = [1, 2, 3, 4].reduce((packed) => gzipSync(packed), Buffer.from(text));
    await expect(read(streamSource(Readable.from([deep]), 'x.gz'))).rejects.toMatchObject({
      code: 'configuration',
      message: 'x.gz is packed more than 3 times over',
    });
  });

  it.each([
    ['with its mark', '\ufeff'],
    ['without a mark', ''],
  ])('come out of UTF-16 %s, as Windows writes it', async (_, mark) => {
    const words = 'v=0 Grüße 🎧\n';
    const little = Buffer.from(mark + words, 'utf16le');
    for (const bytes of [little, Buffer.from(little).swap16(), gzipSync(little)]) {
      const single = [...bytes].map((byte) => Buffer.of(byte));
      expect(await read(streamSource(Readable.from(single), 'stdin'))).toBe(words);
    }
  });

  it('are counted as they lie there', async () => {
    const packed = gzipSync(text);
    const counts: number[] = [];
    const halves = [packed.subarray(0, 100), packed.subarray(100)];
    await read(streamSource(Readable.from(halves), 'x', { onRead: (bytes) => counts.push(bytes) }));
    expect(counts).toEqual([100, packed.length]);
  });

  it('of a file that is not there are an error', async () => {
    await expect(read(fileSource('/does/not/exist', 'x.log'))).rejects.toThrow(
      /cannot read x\.log: there is no such file/,
    );
  });

  it('end with an abort', async () => {
    const signal = AbortSignal.abort(new Error('stop'));
    await expect(read(streamSource(Readable.from([Buffer.from('x')]), 'stdin', { signal }))).rejects.toThrow(
      'stop',
    );
  });
});
