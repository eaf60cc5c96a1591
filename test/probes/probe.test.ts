import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RtcOpsError } from '../../src/model/error.ts';
import { Secret } from '../../src/model/secret.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';
import { probe, type ProbeOptions } from '../../src/probes/probe.ts';
import { xorMappedAddress } from '../../src/stun/address-attributes.ts';
import { put } from '../../src/stun/attribute.ts';
import { decodeMessage, encodeMessage } from '../../src/stun/message.ts';
import { udpListener } from '../support/strange-listener.ts';

function optionsFor(url: string, more: Partial<ProbeOptions> = {}): ProbeOptions {
  return {
    uris: [parseTurnUri(url)],
    transports: null,
    families: null,
    credential: null,
    callDurationMs: null,
    controls: [],
    nat: null,
    timeoutMs: 5000,
    concurrency: 10,
    env: process.env,
    now: () => new Date(),
    signal: new AbortController().signal,
    ...more,
  };
}

describe('an abort', () => {
  it('ends a probe of a silent server at once, with its reason and nothing left to reject', async () => {
    const port = await udpListener(() => null);
    const stop = new AbortController();
    const unhandled: unknown[] = [];
    const note = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', note);
    onTestFinished(() => void process.off('unhandledRejection', note));
    const running = probe(optionsFor(`turn:127.0.0.1:${port}`, { signal: stop.signal }));
    const reason = new RtcOpsError('interrupted', 'stopped');
    setTimeout(() => stop.abort(reason), 50);
    await expect(running).rejects.toBe(reason);
    await new Promise((resolve) => setImmediate(resolve));
    expect(unhandled).toEqual([]);
  });
});

describe('the round trip', () => {
  it('is not taken from a retransmission on a path that is slower than the first RTO', async () => {
    const delayMs = 700;
    let isOpen = true;
    const server = createSocket('udp4');
    server.on('message', (bytes, { address, port }) => {
      const { method, transactionId } = decodeMessage(bytes);
      const attributes = [put(xorMappedAddress, { address, port })];
      const answer = encodeMessage({ class: 'success', method, transactionId, attributes });
      setTimeout(() => isOpen && server.send(answer, port, address), delayMs);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => {
      isOpen = false;
      server.close();
    });
    const { targets } = await probe(optionsFor(`stun:127.0.0.1:${server.address().port}`));
    const binding = targets[0]?.binding;
    expect(binding).toMatchObject({ state: 'done', value: { sent: 2, rttMs: null } });
  });
});

describe('what was asked for', () => {
  const secret = new Secret('x');

  it('stands in the facts, whatever came of it', async () => {
    const observations = await probe(
      optionsFor('stun:127.0.0.1:9', {
        uris: [],
        callDurationMs: 3000,
        outside: { url: 'udp://127.0.0.1:9', host: '127.0.0.1', port: 9, secret },
        portCount: 8,
        nat: { lifetimeMs: 5000 },
        controls: [parseTurnUri('stun:127.0.0.1:9')],
        families: [6],
      }),
    );
    expect(observations.asked).toEqual({
      callDurationMs: 3000,
      peer: 'udp://127.0.0.1:9',
      ports: 8,
      nat: { lifetimeMs: 5000 },
      controls: ['stun:127.0.0.1:9'],
    });
  });

  it('is nothing but the listeners where no more is wanted', async () => {
    const { asked } = await probe(optionsFor('stun:127.0.0.1:9', { uris: [] }));
    expect(asked).toEqual({ callDurationMs: null, peer: null, ports: null, nat: null, controls: [] });
  });
});

describe('a credential', () => {
  it.each([
    ['1599491771', 1599491771],
    ['1599491771:alice', 1599491771],
    ['86400:alice', null],
    // The name of a static user, not a time.
    ['1001', null],
    ['alice', null],
    ['x:1777593600', 1_777_593_600],
    ['12:x:y', null],
  ])('with the username %s ends at %s', async (username, expiresAt) => {
    const credential = { source: 'given', username, password: new Secret('x') } as const;
    const observations = await probe(optionsFor('stun:127.0.0.1:9', { credential, uris: [] }));
    expect(observations.credential).toEqual({ source: 'given', username, expiresAt });
    expect(JSON.stringify(observations)).not.toContain('"x"');
  });
});
