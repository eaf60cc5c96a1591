import { describe, expect, it } from 'vitest';
import { needs } from '../requirements.ts';

describe('passing', () => {
  it('holds', () => expect(1).toBe(1));
  it('holds too', () => expect(2).toBe(2));
  it('is skipped while it runs', ({ skip }) => skip('the moon is full'));
});

needs('coturn').describe('with coturn', () => {
  it('calls', () => expect(1).toBe(1));
});
needs('coturn', 'openssl').it('serves', () => expect(1).toBe(1));
