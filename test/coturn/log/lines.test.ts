import { describe, expect, it } from 'vitest';
import type { LogLine } from '../../../src/coturn/log/assembly.ts';
import { LineSplitter } from '../../../src/coturn/log/lines.ts';

function linesOf(bytes: Buffer, size: number): LogLine[] {
  const lines: LogLine[] = [];
  const splitter = new LineSplitter((line) => lines.push(line) > 0);
  for (let at = 0; at < bytes.length; at += size) splitter.push(bytes.subarray(at, at + size));
  splitter.end();
  return lines;
}

describe('lines of a stream', () => {
  it.each([1, 3, 1000])('are the same in chunks of %d bytes', (size) => {
    expect(linesOf(Buffer.from('a\r\nbé\n\nlast'), size)).toEqual(
      ['a', 'bé', '', 'last'].map((text) => ({ text, isCut: false })),
    );
  });

  it.each([1000, 65_536, 10_000_000])('that are megabytes long are cut, in chunks of %d bytes', (size) => {
    const lines = linesOf(Buffer.from(`${'x'.repeat(3_000_000)}\nshort\n`), size);
    expect(lines.map(({ text, isCut }) => [text.length, isCut])).toEqual([
      [16_384, true],
      [5, false],
    ]);
  });
});
