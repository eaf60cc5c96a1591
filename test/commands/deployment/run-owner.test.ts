import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { endedOwner, runOwner } from '../../../src/commands/deployment/run-owner.ts';

// Linux gives no process a number above 2^22.
const ended = runOwner(2 ** 30);

describe('the deployment that a host waits for', () => {
  it('is over where it was one of this machine whose process has ended', () => {
    expect(endedOwner({ deployment: ended })).toBe(ended);
    expect(endedOwner({ deployment: runOwner() })).toBe('');
  });

  it('is not known to be over where it is of another machine, or of nobody', () => {
    expect(endedOwner({ deployment: ended.replace(hostname(), `not-${hostname()}`) })).toBe('');
    expect(endedOwner({ deployment: 'ansible' })).toBe('');
    expect(endedOwner({ deployment: null })).toBe('');
  });
});
