import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  askProvider,
  type ProviderAccount,
  type ProviderKind,
  type Wish,
} from '../../src/credentials/provider.ts';
import type { ServerCredential } from '../../src/credentials/server-credential.ts';
import { Secret } from '../../src/model/secret.ts';
import { formatTurnUri } from '../../src/model/turn-uri.ts';

const secret = 'the/secret+of=the tests';
const now = new Date('2026-01-02T03:04:05Z');

interface Asked {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A provider on loopback, and what it was asked. */
async function provider(
  answer: (response: ServerResponse) => void,
): Promise<{ endpoint: string; asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const body = await textOf(request);
      asked.push({ method: request.method, url: request.url, headers: request.headers, body });
      answer(response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked };
}

const says =
  (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  (response: ServerResponse): void => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const accounts: Record<ProviderKind, ProviderAccount['settings']> = {
  metered: { app: 'myapp' },
  twilio: { accountSid: 'AC0123' },
  xirsys: { ident: 'me', channel: 'default' },
  cloudflare: { keyId: 'key1' },
};

async function ask(
  kind: ProviderKind,
  endpoint: string,
  { wish = {}, timeoutMs = 5000 }: { wish?: Partial<Wish>; timeoutMs?: number } = {},
): Promise<ServerCredential> {
  const account = { kind, settings: accounts[kind], secret: new Secret(secret), endpoint };
  const options = { now, timeoutMs, signal: new AbortController().signal };
  return askProvider(account, { ttlSeconds: 600, user: undefined, ...wish }, options);
}

function basic(user: string): string {
  return `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
}

const credential = { username: 'u', credential: 'p' };

describe('a provider is asked as it documents, and understood:', () => {
  it('metered', async () => {
    const { endpoint, asked } = await provider(
      says([
        { urls: 'stun:stun.relay.metered.ca:80' },
        { urls: 'turn:global.relay.metered.ca:80', ...credential },
        { urls: 'turns:global.relay.metered.ca:443?transport=tcp', ...credential },
      ]),
    );
    const got = await ask('metered', endpoint);
    expect(asked).toMatchObject([
      { method: 'GET', url: `/api/v1/turn/credentials?apiKey=${encodeURIComponent(secret)}` },
    ]);
    expect(got).toMatchObject({ username: 'u', ttlSeconds: null, expiresAt: null });
    expect(got.password.reveal()).toBe('p');
    expect(got.uris.map(formatTurnUri)).toEqual([
      'stun:stun.relay.metered.ca:80',
      'turn:global.relay.metered.ca:80',
      'turns:global.relay.metered.ca:443?transport=tcp',
    ]);
  });

  it('twilio', async () => {
    const stun = 'stun:global.stun.twilio.com:3478';
    const turn = 'turn:global.turn.twilio.com:3478?transport=udp';
    const { endpoint, asked } = await provider(
      says(
        {
          username: 'u',
          password: 'p',
          ttl: '600',
          ice_servers: [
            { url: stun, urls: stun },
            { url: turn, urls: turn, ...credential },
            { url: 'turn:global.turn.twilio.com:443?transport=tcp', ...credential },
          ],
        },
        201,
      ),
    );
    const got = await ask('twilio', endpoint);
    expect(asked).toMatchObject([
      {
        method: 'POST',
        url: '/2010-04-01/Accounts/AC0123/Tokens.json',
        headers: { authorization: basic('AC0123'), 'content-type': 'application/x-www-form-urlencoded' },
        body: 'Ttl=600',
      },
    ]);
    expect(got).toMatchObject({ username: 'u', ttlSeconds: 600, expiresAt: now.getTime() / 1000 + 600 });
    expect(got.uris).toHaveLength(3);
  });

  it('xirsys', async () => {
    const urls = ['stun:ws-turn1.xirsys.com', 'turn:ws-turn1.xirsys.com:80?transport=udp'];
    const { endpoint, asked } = await provider(says({ v: { iceServers: { urls, ...credential } }, s: 'ok' }));
    const got = await ask('xirsys', endpoint);
    expect(asked).toMatchObject([
      {
        method: 'PUT',
        url: '/_turn/default',
        headers: { authorization: basic('me'), 'content-type': 'application/json' },
        body: '{"format":"urls","expire":"600"}',
      },
    ]);
    expect(got).toMatchObject({ username: 'u', ttlSeconds: 600 });
  });

  it('cloudflare', async () => {
    const iceServers = [
      { urls: ['stun:stun.cloudflare.com:3478', 'stun:stun.cloudflare.com:53'] },
      {
        urls: ['turn:turn.cloudflare.com:3478?transport=udp', 'turns:turn.cloudflare.com:443?transport=tcp'],
        ...credential,
      },
    ];
    const { endpoint, asked } = await provider(says({ iceServers }, 201));
    const got = await ask('cloudflare', endpoint, { wish: { user: 'alice' } });
    expect(asked).toMatchObject([
      {
        method: 'POST',
        url: '/v1/turn/keys/key1/credentials/generate-ice-servers',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: '{"ttl":600,"customIdentifier":"alice"}',
      },
    ]);
    expect(got).toMatchObject({ username: 'u', ttlSeconds: 600 });
    expect(got.uris).toHaveLength(4);
  });
});

describe('what a provider cannot give', () => {
  it.each<[string, ProviderKind, (response: ServerResponse) => void, string, string | undefined]>([
    [
      'a bad key',
      'metered',
      says({ error: 'Invalid API Key' }, 401),
      'refuses (401): Invalid API Key',
      'Is what stands under provider.metered',
    ],
    [
      'a bad token',
      'twilio',
      says({ code: 20003, message: 'Authenticate', status: 401 }, 401),
      'refuses (401): Authenticate',
      'provider.twilio',
    ],
    [
      'a refusal that is none by its status',
      'xirsys',
      says({ v: 'unauthorized', s: 'error' }),
      'refuses (200): unauthorized',
      'provider.xirsys',
    ],
    [
      'an error in a list',
      'cloudflare',
      says({ errors: [{ code: 1, message: 'no such key' }] }, 404),
      'refuses (404): no such key',
      undefined,
    ],
    [
      'a rate limit',
      'cloudflare',
      says('', 429, { 'retry-after': '7' }),
      'refuses (429)',
      'ask again in 7 s',
    ],
    [
      'a rate limit without a time',
      'twilio',
      says({}, 429),
      'refuses (429)',
      'It limits how often it is asked.',
    ],
    ['a fault', 'metered', says('<html>oops</html>', 503), 'refuses (503)', undefined],
    ['what is no JSON', 'metered', says('<html>'), 'answers with something that is not JSON', undefined],
    [
      'JSON cut short',
      'cloudflare',
      says('{"iceServers": ['),
      'answers with something that is not JSON',
      undefined,
    ],
    ['another form', 'cloudflare', says({ servers: [] }), 'is no list of ICE servers', undefined],
    ['no TURN server', 'metered', says([{ urls: 'stun:s.example.com' }]), 'names no TURN server', undefined],
    ['nothing', 'metered', says([]), 'names no TURN server', undefined],
    [
      'a server that is none',
      'metered',
      says([{ urls: 'http://x', ...credential }]),
      'names a server that is none',
      undefined,
    ],
    [
      'no password',
      'metered',
      says([{ urls: 'turn:x', username: 'u' }]),
      'without a username and a credential',
      undefined,
    ],
    [
      'two passwords',
      'metered',
      says([
        { urls: 'turn:x', ...credential },
        { urls: 'turn:y', ...credential, credential: 'q' },
      ]),
      'a credential of its own',
      undefined,
    ],
    [
      'more than is read',
      'metered',
      says('x'.repeat(70_000)),
      'answers with more than 65536 bytes',
      undefined,
    ],
    [
      'a redirection',
      'metered',
      says('', 302, { location: 'http://127.0.0.1:1/' }),
      'cannot be reached: unexpected redirect',
      undefined,
    ],
    [
      'control characters',
      'metered',
      says({ error: 'a\u001b[2Jb' }, 400),
      'refuses (400): a\ufffd[2Jb',
      undefined,
    ],
    [
      'the secret itself',
      'metered',
      says({ error: `bad ${secret}` }, 400),
      'refuses (400): bad [redacted]',
      undefined,
    ],
  ])('%s', async (_what, kind, answer, message, hint) => {
    const { endpoint } = await provider(answer);
    const error: unknown = await ask(kind, endpoint).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'tool-failed',
      message: expect.stringContaining(`provider ${kind} `),
    });
    expect(error).toMatchObject({ message: expect.stringContaining(message) });
    expect(error).toMatchObject({ hint: hint === undefined ? undefined : expect.stringContaining(hint) });
    expect(String(error)).not.toContain(secret);
  });

  it('an answer in time', async () => {
    const { endpoint } = await provider(() => {});
    await expect(ask('metered', endpoint, { timeoutMs: 200 })).rejects.toThrow('did not answer within 0.2 s');
    const { endpoint: trickling } = await provider((response) => void response.writeHead(200).write('['));
    await expect(ask('metered', trickling, { timeoutMs: 200 })).rejects.toThrow(
      'did not answer within 0.2 s',
    );
  });

  it('an answer at all', async () => {
    await expect(ask('metered', 'http://127.0.0.1:1')).rejects.toThrow(
      /cannot be reached: .*(ECONNREFUSED|bad port)/,
    );
  });

  it('a user, where it makes them up', async () => {
    await expect(ask('twilio', 'http://127.0.0.1:1', { wish: { user: 'alice' } })).rejects.toMatchObject({
      code: 'usage',
    });
  });
});
