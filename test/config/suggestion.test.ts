import { describe, expect, it } from 'vitest';
import { closest } from '../../src/config/suggestion.ts';

const known = ['listen', 'relay', 'userQuota', 'totalQuota', 'maxBps', 'tls'];

describe('closest', () => {
  it.each([
    ['lisen', 'listen'],
    ['listne', 'listen'],
    ['Relay', 'relay'],
    ['user-quota', 'userQuota'],
    ['max_bps', 'maxBps'],
    ['userQota', 'userQuota'],
    ['tsl', 'tls'],
  ])('%s was meant to be %s', (word, meant) => {
    expect(closest(word, known)).toBe(meant);
  });

  it.each(['port', 'x', '', 'certificate'])('%j was meant to be none', (word) => {
    expect(closest(word, known)).toBeNull();
  });
});
