import { pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { resolveHost } from '../../src/net/name.ts';
import { failureOf } from '../support/rejection.ts';

const hash = promisify(pbkdf2);
const { signal } = new AbortController();

describe('resolveHost', () => {
  it('gives an IP literal as it is', async () => {
    expect(await resolveHost('192.0.2.7', 1000, signal)).toEqual(['192.0.2.7']);
    expect(await resolveHost('2001:db8::7', 1000, signal)).toEqual(['2001:db8::7']);
  });

  it('gives each address of a name once, from the hosts file as well', async () => {
    const addresses = await resolveHost('localhost', 5000, signal);
    expect(addresses.some((address) => ['127.0.0.1', '::1'].includes(address))).toBe(true);
    expect(new Set(addresses).size).toBe(addresses.length);
  });

  // .invalid exists nowhere (RFC 6761 §6.4); a machine without any name server says EAI_AGAIN.
  it('rejects for a name that does not exist', async () => {
    const failure = await failureOf(resolveHost('nothing.invalid', 20_000, signal));
    expect(failure).toMatchObject({ kind: 'system', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  }, 30_000);

  it('rejects when the time is over', async () => {
    // The lookup waits behind these for one of the threads that Node has for both.
    const busy = Array.from({ length: 16 }, async () => hash('', '', 60_000, 32, 'sha512'));
    const looking = failureOf(resolveHost('localhost', 5, signal));
    expect(await looking).toEqual({ kind: 'timeout', afterMs: 5, sent: 1 });
    await Promise.all(busy);
  });

  it('rejects with the reason of an abort, before and during', async () => {
    const reason = new Error('enough');
    await expect(resolveHost('localhost', 1000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const looking = resolveHost('localhost', 1000, abort.signal);
    abort.abort(reason);
    await expect(looking).rejects.toBe(reason);
  });
});
