import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { checkCredential } from '../../src/credentials/check.ts';
import { Secret } from '../../src/model/secret.ts';
import { rtcOps } from '../support/cli.ts';
import { startService, type RunningService } from '../support/credential-service.ts';
import { directoryWith } from '../support/temporary.ts';

const secret = 'the-secret-of-the-tests';
const newSecret = 'the-new-secret-of-the-tests';
const web = '0123456789abcdef0123456789abcdef';
const slow = 'fedcba9876543210fedcba9876543210';

const files = { secret, keys: `web ${web}\nslow ${slow} ttl=10m rate=2/h\n` };
const options = ['--secret-file', 'secret', '--api-keys', 'keys', '--url', 'turn.example.com', '--ttl', '1h'];

interface Issued {
  readonly username: string;
  readonly password: string;
  readonly ttl: number;
  readonly uris: readonly string[];
}

const form = 'application/x-www-form-urlencoded';
const withKey = { headers: { authorization: `Bearer ${web}` } };

async function issued(response: Response, with_ = secret): Promise<Issued> {
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body = (await response.json()) as Issued;
  const { valid } = checkCredential({
    username: body.username,
    password: new Secret(body.password),
    secrets: [new Secret(with_)],
    now: new Date(),
  });
  expect(valid).toBe(true);
  return body;
}

function post(url: string, type: string, body: string): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'content-type': type }, body });
}

describe('the TURN REST API', () => {
  it('does not repeat the key of a request whose path it cannot read', async () => {
    const { url } = await startService(files, options);
    const answer = await fetch(`${url}/%zz?key=${web}`);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toEqual({ error: 'the path cannot be read' });
  });

  it('answers as the draft has it, however the parameters and the key come', async () => {
    const { url } = await startService(files, options);
    const headers = { 'x-api-key': web };
    const query = 'service=turn&username=alice';
    const answers = [
      await fetch(`${url}/?${query}`, withKey),
      await fetch(`${url}/?${query}`, { headers }),
      await fetch(`${url}/?${query}&key=${web}`),
      await fetch(`${url}/?${query}&api=${web}`),
      await fetch(`${url}/?${query}`, { method: 'POST', headers }),
      await post(`${url}/`, form, `${query}&key=${web}`),
      await post(
        `${url}/`,
        'application/json',
        JSON.stringify({ service: 'turn', username: 'alice', key: web }),
      ),
    ];
    for (const answer of answers) {
      expect(await issued(answer)).toEqual({
        username: expect.stringMatching(/^\d+:alice$/),
        password: expect.any(String),
        ttl: 3600,
        uris: [
          'turn:turn.example.com',
          'turn:turn.example.com?transport=tcp',
          'turns:turn.example.com?transport=tcp',
        ],
      });
    }
  });

  it('needs no user, gives the lifetime that is asked for, and no more than it may', async () => {
    const { url } = await startService(files, options);
    const asked = async (query: string, key = web): Promise<Issued> =>
      issued(await fetch(`${url}/?service=turn&${query}&key=${key}`));
    expect((await asked('username=')).username).toMatch(/^\d+$/);
    expect((await asked('ttl=60')).ttl).toBe(60);
    expect((await asked('ttl=86400')).ttl).toBe(3600);
    expect((await asked('ttl=86400', slow)).ttl).toBe(600);
  });

  it('gives iceServers that an RTCPeerConnection takes', async () => {
    const { url } = await startService(files, options);
    const body: unknown = await (await fetch(`${url}/ice-servers?username=alice`, withKey)).json();
    expect(body).toMatchObject({
      iceServers: [{ username: expect.stringMatching(/:alice$/), credential: expect.any(String) }],
      ttl: 3600,
      expiresAt: expect.any(Number),
    });
  });

  it.each([
    ['no key', '/?service=turn', {}, 401, 'an API key is needed'],
    [
      'an unknown key',
      '/?service=turn',
      { headers: { 'x-api-key': `${web}0` } },
      401,
      'an API key is needed',
    ],
    ['no key for figures', '/metrics', {}, 401, 'an API key is needed'],
    ['another service', '/?service=stun', withKey, 400, 'service must be turn'],
    ['no service', '/', withKey, 400, 'service must be turn'],
    ['a user with a colon', '/?service=turn&username=a:b', withKey, 400, 'a colon parts'],
    ['two users', '/?service=turn&username=a&username=b', withKey, 400, 'username must be one text'],
    ['a lifetime of nothing', '/?service=turn&ttl=0', withKey, 400, 'ttl must be whole seconds'],
    ['another path', '/turn', withKey, 404, 'there is nothing here'],
    ['another method', '/', { ...withKey, method: 'DELETE' }, 404, 'there is nothing here'],
    [
      'a long body',
      '/',
      { method: 'POST', headers: { ...withKey.headers, 'content-type': form }, body: 'x'.repeat(5000) },
      413,
      'too large',
    ],
    ['a body of another kind', '/', { ...withKey, method: 'POST', body: 'x' }, 415, 'Unsupported Media Type'],
    ['a head that is too long', '/', { headers: { 'x-long': 'x'.repeat(9000) } }, 431, ''],
  ])('refuses %s', async (_what, path, init, status, error) => {
    const { url } = await startService(files, options);
    const answer = await fetch(`${url}${path}`, init);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(error);
  });

  it('holds each key to its rate', async () => {
    const { url } = await startService(files, options);
    const statuses: number[] = [];
    for (let round = 0; round < 4; round++) {
      statuses.push((await fetch(`${url}/?service=turn&key=${slow}`)).status);
    }
    expect(statuses).toEqual([200, 200, 429, 429]);
    expect((await fetch(`${url}/?service=turn`, withKey)).status).toBe(200);
  });

  it('lets pages of the listed origins ask, and no others', async () => {
    const { url } = await startService(files, [...options, '--cors', 'https://app.example.com']);
    const allowed = async (origin: string): Promise<string | null> =>
      (await fetch(`${url}/ice-servers`, { headers: { ...withKey.headers, origin } })).headers.get(
        'access-control-allow-origin',
      );
    expect(await allowed('https://app.example.com')).toBe('https://app.example.com');
    expect(await allowed('https://evil.example.com')).toBeNull();
    const preflight = await fetch(`${url}/ice-servers`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example.com', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization');
  });
});

describe('the service', () => {
  it('reads secret and keys again on SIGHUP, and keeps what it has when that fails', async () => {
    const service = await startService(files, options);
    await service.write('secret', newSecret);
    await issued(await fetch(`${service.url}/?service=turn`, withKey));
    await hungUp(service, 'read the secret and the API keys again');
    await issued(await fetch(`${service.url}/?service=turn`, withKey), newSecret);

    await service.write('keys', `web ${web} ttl=oops\n`);
    await hungUp(service, 'not reloaded, what was read before stays in use: keys:1 ttl of web');
    await issued(await fetch(`${service.url}/?service=turn`, withKey), newSecret);
    expect(await figure(service, 'rtc_ops_credentials_reload_success')).toBe(0);

    await service.write('keys', `mobile ${slow}\n`);
    service.signal('SIGHUP');
    await expect.poll(async () => (await fetch(`${service.url}/?service=turn`, withKey)).status).toBe(401);
  });

  it('answers what is under way when it is told to stop, and ends with 0', async () => {
    const service = await startService(files, options);
    const socket = connect(service.port, '127.0.0.1').setEncoding('utf8');
    let answer = '';
    socket.on('data', (chunk: string) => (answer += chunk));
    socket.write(
      `POST / HTTP/1.1\r\nhost: x\r\nx-api-key: ${web}\r\ncontent-type: ${form}\r\ncontent-length: 12\r\n\r\nservice=`,
    );
    await sleep(200);
    service.signal('SIGTERM');
    await sleep(200);
    await expect(fetch(service.url)).rejects.toThrow('fetch failed');
    socket.write('turn');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 (200|503)/);
    expect(await service.ended).toBe(0);
    expect(service.output()).toContain('stopped');
  });

  it('is looked after without a key, and counts by the names of the keys', async () => {
    const service = await startService(files, options);
    expect(await (await fetch(`${service.url}/healthz`)).json()).toEqual({ status: 'ok' });
    await fetch(`${service.url}/?service=turn`, withKey);
    await fetch(`${service.url}/?service=turn`);
    await fetch(`${service.url}/no/such/path`);
    expect(await figure(service, 'rtc_ops_credentials_issued_total{key="web"}')).toBe(1);
    expect(await figure(service, 'rtc_ops_credentials_requests_total{route="/",status="401"}')).toBe(1);
    expect(await figure(service, 'rtc_ops_credentials_requests_total{route="none",status="404"}')).toBe(1);
    // All of the above, what asked for figures included.
    expect(await figure(service, 'rtc_ops_credentials_request_duration_seconds_count')).toBe(7);
  });

  it('writes no secret, no key and no password, whatever happens', async () => {
    const service = await startService(files, [...options, '--format', 'json']);
    const { url } = service;
    const { password } = await issued(await fetch(`${url}/?service=turn&key=${web}`));
    await fetch(`${url}/${web}?key=${web}`);
    await fetch(`${url}/?service=turn&username=${web}:x`, withKey);
    await post(`${url}/`, 'application/json', `{"key": "${web}"`);
    await service.write('keys', `web ${web} ${slow}\n`);
    service.signal('SIGHUP');
    await expect.poll(service.output).toContain('not-reloaded');
    const figures = await (await fetch(`${url}/metrics`, withKey)).text();
    service.signal('SIGINT');
    expect(await service.ended).toBe(0);
    for (const hidden of [secret, web, slow, password]) {
      expect(service.output()).not.toContain(hidden);
      expect(figures).not.toContain(hidden);
    }
    const events = service
      .output()
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string });
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['ready', 'answered', 'stopped']),
    );
  });

  it.each<[string[], string, number]>([
    [['--listen', '0.0.0.0:0'], 'without API keys, whoever reaches 0.0.0.0:0 gets credentials', 2],
    [['--listen', 'localhost:1'], 'Write ADDRESS:PORT', 2],
    [['--listen', '192.0.2.1:9', '--api-keys', 'good'], '--listen 192.0.2.1:9: listen EADDRNOTAVAIL', 2],
    [['--api-keys', 'missing'], 'the file of API keys', 2],
    [['--api-keys', 'bad'], 'bad:1 web has no key', 3],
    [['--cors', 'https://app.example.com/'], 'Write an origin such as', 2],
    [['--rate', '10'], 'Write a rate such as 10/s', 2],
  ])('refuses %j', async (args, message, code) => {
    const cwd = await directoryWith({ secret, bad: 'web\n', good: `web ${web}\n` });
    const run = await rtcOps(
      [
        'credentials',
        'serve',
        '--secret-file',
        'secret',
        '--url',
        'turn:t',
        '--listen',
        '127.0.0.1:0',
        ...args,
      ],
      { cwd },
    );
    expect(run.stderr).toContain(message);
    expect(run.exitCode).toBe(code);
  });

  it('needs a server to tell of', async () => {
    const cwd = await directoryWith({ secret });
    const run = await rtcOps(['credentials', 'serve', '--secret-file', 'secret'], { cwd });
    expect(run.stderr).toContain('no server is known that the credentials would be for');
    expect(run.exitCode).toBe(2);
  });
});

async function hungUp(service: RunningService, words: string): Promise<void> {
  service.signal('SIGHUP');
  await expect.poll(service.output).toContain(words);
}

async function figure({ url }: RunningService, series: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, withKey)).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1));
}
