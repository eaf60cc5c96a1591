import { setMaxListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { NameResolver } from '../../src/net/name.ts';
import { failureOf } from '../support/rejection.ts';

const { signal } = new AbortController();
setMaxListeners(0, signal);

function resolverForOneTest(): NameResolver {
  const resolver = new NameResolver(process.env);
  onTestFinished(async () => resolver.close());
  return resolver;
}

describe('a name resolver', () => {
  it('gives an IP literal as it is', async () => {
    const resolver = resolverForOneTest();
    expect(await resolver.resolve('192.0.2.7', 1000, signal)).toEqual(['192.0.2.7']);
    expect(await resolver.resolve('2001:db8::7', 1000, signal)).toEqual(['2001:db8::7']);
  });

  it('gives each address of a name once, from the hosts file as well', async () => {
    const addresses = await resolverForOneTest().resolve('localhost', 20_000, signal);
    expect(addresses.some((address) => ['127.0.0.1', '::1'].includes(address))).toBe(true);
    expect(new Set(addresses).size).toBe(addresses.length);
  }, 30_000);

  it('answers each of more names than it looks up at once', async () => {
    const resolver = resolverForOneTest();
    const all = Array.from({ length: 250 }, async () => resolver.resolve('localhost', 20_000, signal));
    for (const addresses of await Promise.all(all)) expect(addresses).not.toEqual([]);
  }, 30_000);

  // .invalid exists nowhere (RFC 6761 §6.4); a machine without any name server says EAI_AGAIN.
  it('rejects for a name that does not exist', async () => {
    const failure = await failureOf(resolverForOneTest().resolve('nothing.invalid', 20_000, signal));
    expect(failure).toMatchObject({ kind: 'system', code: expect.stringMatching(/^(ENOTFOUND|EAI_AGAIN)$/) });
  }, 30_000);

  it('rejects when the time is over', async () => {
    // Starting a process takes longer than that.
    const looking = failureOf(resolverForOneTest().resolve('localhost', 1, signal));
    expect(await looking).toEqual({ kind: 'timeout', afterMs: 1, sent: 1 });
  });

  it('says of a name whose turn did not come that it was not asked for', async () => {
    const resolver = resolverForOneTest();
    const all = Array.from({ length: 101 }, async () => failureOf(resolver.resolve('localhost', 1, signal)));
    const failures = await Promise.all(all);
    expect(failures.filter(({ kind }) => kind === 'timeout')).toHaveLength(100);
    expect(failures.at(-1)).toEqual({
      kind: 'internal',
      detail: 'it was not asked for within 0.001 s: 100 other names still waited for the resolver',
    });
  });

  it('rejects with the reason of an abort, before and during', async () => {
    const resolver = resolverForOneTest();
    const reason = new Error('enough');
    await expect(resolver.resolve('localhost', 1000, AbortSignal.abort(reason))).rejects.toBe(reason);
    const abort = new AbortController();
    const looking = resolver.resolve('localhost', 20_000, abort.signal);
    abort.abort(reason);
    await expect(looking).rejects.toBe(reason);
  });
});
