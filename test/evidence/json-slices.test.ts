import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonSliceError, jsonSlices, type Choice, type Path } from '../../src/evidence/json-slices.ts';

async function* inPieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

interface Cutting {
  readonly choose?: (path: Path) => Choice;
  readonly size?: number;
  readonly mostBytes?: number;
  readonly isLines?: boolean;
}

async function slices(text: string, cutting: Cutting = {}): Promise<[Path, unknown][]> {
  const { choose = ({ length }) => (length < 2 ? 'enter' : 'give'), size = 7, ...options } = cutting;
  const found: [Path, unknown][] = [];
  for await (const { path, text: json } of jsonSlices(inPieces(text, size), { choose, ...options }))
    found.push([[...path], JSON.parse(json)]);
  return found;
}

describe('jsonSlices', () => {
  it('gives the values at the places that are asked for', async () => {
    const text = '\ufeff {"a": {"b": [1, {"c": "}]"}], "d": "x"}, "e": [true, null], "f": 7} \n';
    expect(await slices(text)).toEqual([
      [
        ['a', 'b'],
        [1, { c: '}]' }],
      ],
      [['a', 'd'], 'x'],
      [['e', 0], true],
      [['e', 1], null],
      [['f'], 7],
    ]);
  });

  it('leaves out what is to be skipped', async () => {
    const choose = ([key]: Path): Choice => (key === undefined ? 'enter' : key === 'a' ? 'skip' : 'give');
    expect(await slices('{"a": ["\\"", {"}": 1}], "b": "\\\\"}', { choose })).toEqual([[['b'], '\\']]);
  });

  it('reads any value, however it is cut into pieces', async () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.string({ unit: 'binary' }), value)),
        fc.integer({ min: 1, max: 40 }),
        async (members, size) => {
          const text = `[${members.map(([key, each]) => `{${JSON.stringify(key)}: ${JSON.stringify(each)}}`).join(', ')}]`;
          const found = await slices(text, { size });
          expect(found).toEqual(
            members.map(([key, each], index) => [
              [index, JSON.parse(JSON.stringify(key))],
              JSON.parse(JSON.stringify(each)),
            ]),
          );
        },
      ),
      { numRuns: 100 },
    );
  });

  it('gives what was whole before it ends early, and then says where', async () => {
    const found: unknown[] = [];
    const reading = async (): Promise<void> => {
      for await (const slice of jsonSlices(inPieces('{"a": 1, "b": [2', 3), {
        choose: ({ length }) => (length === 0 ? 'enter' : 'give'),
      }))
        found.push(slice.text);
    };
    await expect(reading()).rejects.toThrow(/ends early, after 16 bytes/);
    expect(found).toEqual(['1']);
  });

  it.each(['', '{', '[1 2]', '{"a" 1}', '{1: 2}', '[,]', '{"a": }', '[1] x', 'x]', '['.repeat(300)])(
    'is no JSON: %j',
    async (text) => {
      await expect(slices(text, { choose: () => 'enter' })).rejects.toThrow(/JSON|ends early|token/);
    },
  );

  it('does not follow a value that is nested without end', async () => {
    await expect(slices(`{"a": ${'['.repeat(100_000)}`, { size: 1000 })).rejects.toThrow(JsonSliceError);
  });

  it('skips what is too long, and goes on', async () => {
    const long: Path[] = [];
    const text = `["${'x'.repeat(5000)}", "short"]`;
    const found: string[] = [];
    for await (const slice of jsonSlices(inPieces(text, 64), {
      choose: ({ length }) => (length === 0 ? 'enter' : 'give'),
      mostBytes: 1000,
      onTooLong: (path) => long.push([...path]),
    }))
      found.push(slice.text);
    expect([found, long]).toEqual([['"short"'], [[0]]]);
  });

  it('reads documents that follow one another, where that is asked for', async () => {
    const text = '{"a": {"b": 1}}\n{"a": {"b": 2}}\n';
    expect(await slices(text, { isLines: true })).toEqual([
      [['a', 'b'], 1],
      [['a', 'b'], 2],
    ]);
    await expect(slices(text)).rejects.toThrow(JsonSliceError);
  });
});
