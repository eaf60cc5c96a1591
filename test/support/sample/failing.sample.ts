import { beforeAll, describe, expect, it } from 'vitest';

it('fails', () => expect(1).toBe(2));

describe('a hook that fails', () => {
  beforeAll(() => {
    throw new Error('no server');
  });
  it('never runs', () => expect(1).toBe(1));
});
