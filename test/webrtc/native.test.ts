import { describe, expect, it } from 'vitest';
import { guarded, keep } from '../../src/webrtc/native.ts';

describe('guarded', () => {
  it('passes the arguments on', () => {
    const seen: unknown[] = [];
    guarded(
      (a: number, b: string) => seen.push(a, b),
      () => seen.push('error'),
    )(1, 'two');
    expect(seen).toEqual([1, 'two']);
  });

  it('lets no exception out', () => {
    const errors: Error[] = [];
    const callback = guarded(
      () => {
        throw new TypeError('of a kind');
      },
      (error) => errors.push(error),
    );
    expect(callback).not.toThrow();
    expect(errors).toEqual([new TypeError('of a kind')]);
  });
});

describe('keep', () => {
  it('gives back what it keeps', () => {
    const object = {};
    expect(keep(object)).toBe(object);
  });
});
