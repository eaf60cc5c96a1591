import { describe, expect, it } from 'vitest';
import { RtcOpsError } from '../../src/model/error.ts';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { NatFacts } from '../../src/model/observations.ts';
import { probeNat } from '../../src/probes/nat-probe.ts';
import { discoveryServer } from '../support/discovery-server.ts';
import { targetOf } from '../support/facts.ts';
import { expectNothingLeftOpen } from '../support/open-sockets.ts';
import { udpListener } from '../support/strange-listener.ts';

const never = new AbortController().signal;

async function natAt(
  servers: readonly Endpoint[],
  more: { lifetimeMs?: number | null; answerMs?: number; signal?: AbortSignal } = {},
): Promise<NatFacts> {
  const targets = servers.map(({ address, port }) => targetOf('udp', { host: address, address, port }));
  const [facts] = await probeNat(targets, {
    clock: () => performance.now(),
    lifetimeMs: null,
    signal: never,
    ...more,
  });
  if (facts === undefined) throw new Error('there are no facts');
  return facts;
}

/** The NAT of a server that plays one: another port for each endpoint. */
function symmetric({ address, port }: Endpoint, at: Endpoint): Endpoint {
  return { address, port: (port + at.port + Number(at.address.at(-1))) % 65_536 };
}

// Three transmissions: for servers that answer at once what they answer at all.
const answerMs = 500;

describe('a server with another address and port', () => {
  it('is asked for mapping from one socket, and for filtering from fresh ones before that', async () => {
    const server = await discoveryServer();
    const facts = await natAt([server.main]);
    const { port } = facts.binding.state === 'done' ? facts.binding.value.local : { port: 0 };
    expect(facts).toMatchObject({
      server: server.main,
      binding: { value: { mapped: { address: '127.0.0.1', port }, xored: true, other: server.other } },
      filtering: {
        addressAndPort: { value: { from: server.other } },
        port: { value: { from: { ...server.main, port: server.other.port } } },
      },
      control: {
        addressAndPort: { value: { from: server.other } },
        port: { value: { from: { ...server.main, port: server.other.port } } },
      },
      hairpin: { state: 'done' },
      lifetime: null,
    });
    expect(facts.mappings.map(({ to }) => to)).toEqual([
      { ...server.other, port: server.main.port },
      server.other,
      { ...server.main, port: server.other.port },
    ]);
    for (const { answer } of facts.mappings) {
      expect(answer).toMatchObject({ state: 'done', value: { mapped: { address: '127.0.0.1', port } } });
    }
    const elsewhere = server.requests.filter(
      ({ at }) => at.address !== server.main.address || at.port !== server.main.port,
    );
    expect(new Set(elsewhere.map(({ clientPort }) => clientPort))).toEqual(new Set([port]));
    const fresh = server.requests.filter(
      ({ changes, clientPort }) => changes !== null && clientPort !== port,
    );
    expect(new Set(fresh.map(({ changes }) => changes))).toEqual(new Set(['address and port', 'port']));
    expect(fresh).toHaveLength(2);
    expect(new Set(fresh.map(({ clientPort }) => clientPort)).size).toBe(2);
    const [first] = elsewhere;
    for (const one of fresh) {
      expect(server.requests.indexOf(one)).toBeLessThan(first ? server.requests.indexOf(first) : -1);
    }
  });

  it('is asked to answer into the mapping of each endpoint, where the NAT has one for each', async () => {
    const server = await discoveryServer({ seenAs: symmetric, change: 'lost' });
    const { mappings, filtering, control } = await natAt([server.main], { answerMs });
    const ports = mappings.map(({ answer }) => (answer.state === 'done' ? answer.value.mapped.port : 0));
    expect(new Set(ports).size).toBe(3);
    expect(filtering.addressAndPort).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    expect(control.addressAndPort).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
    const asked = server.requests.flatMap((each) => (each.responsePort === null ? [] : [each.responsePort]));
    expect(new Set(asked)).toEqual(new Set([ports[1], ports[2]]));
  });

  it('that is silent at its other address costs a deadline for each kind of question, not for each one', async () => {
    const server = await discoveryServer({ alternates: 'silent', change: 'lost' });
    const { mappings, filtering, control } = await natAt([server.main], { answerMs });
    expect(mappings.map(({ answer }) => answer.state)).toEqual(['failed', 'failed', 'failed']);
    for (const kind of [mappings.map(({ answer }) => answer), Object.values(filtering)]) {
      const spans = kind.map((one) => (one.state === 'not-tried' ? null : one)).filter((one) => one !== null);
      expect(spans).toHaveLength(kind.length);
      const firstEndMs = Math.min(...spans.map(({ atMs, durationMs }) => atMs + durationMs));
      expect(Math.max(...spans.map(({ atMs }) => atMs))).toBeLessThan(firstEndMs);
    }
    expect(control).toMatchObject({ addressAndPort: { state: 'not-tried' }, port: { state: 'not-tried' } });
  });

  it.each([
    ['refused', { state: 'failed', failure: { kind: 'stun-error', code: 420 } }],
    ['ignored', { state: 'done', value: { from: { address: '127.0.0.1' } } }],
  ] as const)('by which CHANGE-REQUEST is %s is recorded so', async (change, expected) => {
    const server = await discoveryServer({ change });
    const { filtering } = await natAt([server.main]);
    expect(filtering.addressAndPort).toMatchObject(expected);
    if (filtering.port.state === 'done') expect(filtering.port.value.from).toEqual(server.main);
  });

  it('of the time of RFC 3489 is understood', async () => {
    const server = await discoveryServer({ isOld: true });
    const { binding, mappings, filtering } = await natAt([server.main]);
    expect(binding).toMatchObject({ value: { xored: false, other: server.other } });
    expect(mappings.map(({ answer }) => answer.state)).toEqual(['done', 'done', 'done']);
    expect(filtering.addressAndPort).toMatchObject({ value: { from: server.other } });
  });
});

describe('a server without another address', () => {
  it('is not asked for what it cannot do', async () => {
    const server = await discoveryServer({ names: 'nothing' });
    const { binding, mappings, filtering, control } = await natAt([server.main]);
    expect(binding).toMatchObject({ value: { other: null } });
    expect(mappings).toEqual([]);
    for (const each of [filtering, control]) {
      expect(each.addressAndPort).toMatchObject({ because: expect.stringContaining('no OTHER-ADDRESS') });
    }
    expect(server.requests.every(({ changes }) => changes === null)).toBe(true);
  });

  it('is asked at its other port alone', async () => {
    const server = await discoveryServer();
    const other = { ...server.main, port: server.other.port };
    const oneAddress = await discoveryServer({ names: other });
    const { mappings, filtering } = await natAt([oneAddress.main]);
    expect(mappings.map(({ to }) => to)).toEqual([other]);
    expect(filtering.addressAndPort).toMatchObject({ because: expect.stringContaining('only one address') });
    expect(filtering.port.state).not.toBe('not-tried');
  });

  it('is passed over for one that has another, and its own serves as a further one', async () => {
    const [without, having] = [await discoveryServer({ names: 'nothing' }), await discoveryServer()];
    const far = { address: '127.0.0.2', port: without.main.port };
    const { server, mappings } = await natAt([without.main, having.main]);
    expect(server).toEqual(having.main);
    expect(mappings).toHaveLength(3);
    const both = await natAt([without.main, far]);
    expect(both.mappings.map(({ to }) => to)).toEqual([far]);
  });

  it.each([
    { address: '192.168.77.7', port: 3478 },
    { address: '224.0.0.1', port: 3478 },
    { address: '127.0.0.1', port: 0 },
  ])('but with one that nobody can reach, $address:$port, has nothing sent there', async (names) => {
    const server = await discoveryServer({ names });
    const { mappings } = await natAt([server.main], { answerMs });
    const away = mappings.filter(({ to }) =>
      names.port === 0 ? to.port === 0 : to.address === names.address,
    );
    expect(away.length).toBeGreaterThan(0);
    for (const { answer } of away) {
      expect(answer).toMatchObject({ because: expect.stringContaining('cannot be reached from here') });
    }
  });
});

describe('no server', () => {
  it('that is silent, or answers with an echo, gives facts', async () => {
    for (const answer of [() => null, (bytes: Buffer) => bytes]) {
      const { binding, hairpin, lifetime } = await natAt(
        [{ address: '127.0.0.1', port: await udpListener(answer) }],
        { lifetimeMs: 5000, answerMs },
      );
      expect(binding).toMatchObject({ state: 'failed', failure: { kind: 'timeout' } });
      expect([hairpin, lifetime]).toMatchObject([{ state: 'not-tried' }, { state: 'not-tried' }]);
    }
  });

  it('over UDP means nothing to ask', async () => {
    const options = { clock: () => 0, lifetimeMs: null, signal: never };
    expect(await probeNat([targetOf('tcp'), targetOf('tls')], options)).toEqual([]);
  });
});

describe('an abort', () => {
  it('ends it at once and leaves nothing open', async () => {
    const port = await udpListener(() => null);
    await expectNothingLeftOpen(async () => {
      const stop = new AbortController();
      const running = natAt([{ address: '127.0.0.1', port }], { signal: stop.signal });
      const reason = new RtcOpsError('interrupted', 'stopped');
      setTimeout(() => stop.abort(reason), 50);
      await expect(running).rejects.toBe(reason);
    });
  });
});
