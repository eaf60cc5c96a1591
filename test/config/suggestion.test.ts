import { describe, expect, it } from 'vitest';
import { closest, nearest } from '../../src/config/suggestion.ts';

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

describe('nearest', () => {
  it('ranks what is alike or shares a word, and leaves out the rest', () => {
    const codes = ['PORT_BLOCKED', 'UDP_BLOCKED', 'RELAY_PORTS_BLOCKED', 'TLS_UNTRUSTED'];
    expect(nearest('RELAY_PORT_BLOCKED', codes, 2)).toEqual(['RELAY_PORTS_BLOCKED', 'PORT_BLOCKED']);
    expect(nearest('zzz', codes, 2)).toEqual([]);
  });
});
