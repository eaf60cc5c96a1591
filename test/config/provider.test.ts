import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/parse.ts';
import { formatTurnUri } from '../../src/model/turn-uri.ts';

describe('provider', () => {
  it('needs no realm and no hosts', () => {
    const { provider } = parseConfig('provider: { cloudflare: { keyId: k1, apiToken: { env: T } } }', 'f');
    expect(provider).toEqual({
      kind: 'cloudflare',
      settings: { keyId: 'k1' },
      secret: { env: 'T' },
      secretKey: 'apiToken',
      endpoint: null,
    });
  });

  it('is Metered, Twilio and Xirsys by their own words', () => {
    const kinds = [
      'metered: { app: a, apiKey: { file: s } }',
      'twilio: { accountSid: AC1, authToken: { file: s } }',
      'xirsys: { ident: me, channel: c, secret: { file: s } }',
    ].map((text) => parseConfig(`provider: { ${text} }`, 'f').provider);
    expect(kinds).toMatchObject([
      { kind: 'metered', settings: { app: 'a' }, secretKey: 'apiKey' },
      { kind: 'twilio', settings: { accountSid: 'AC1' }, secretKey: 'authToken' },
      { kind: 'xirsys', settings: { ident: 'me', channel: 'c' }, secretKey: 'secret' },
    ]);
  });

  it('is static, with public STUN servers by name', () => {
    const text =
      'provider: { static: { urls: [google, openrelay, turn:t.example.com], username: u, password: { file: p } } }';
    const { provider } = parseConfig(text, 'f');
    if (provider?.kind !== 'static') throw new Error('not static');
    expect(provider.uris.map(formatTurnUri)).toEqual([
      'stun:stun.l.google.com:19302',
      'stun:openrelay.metered.ca:80',
      'turn:t.example.com',
    ]);
    expect(provider.user).toEqual({ name: 'u', password: { file: 'p' } });
  });

  it.each([
    ['provider: {}', 'f:1:11 provider: must be one of metered, twilio, xirsys, cloudflare and static'],
    ['provider: { metred: {} }', 'provider.metred: there is no such key; did you mean metered?'],
    ['provider: { metered: { app: a } }', 'provider.metered.apiKey: is missing'],
    ['provider: { metered: { app: a/b, apiKey: { env: K } } }', 'provider.metered.app: must be letters'],
    ['provider: { metered: { app: a, apiKey: s3cret } }', 'provider.metered.apiKey: must be { file: PATH }'],
    [
      'provider: { metered: { app: a, apiKey: { env: K }, endpoint: "http://example.com" } }',
      'endpoint: must be a URL that begins with https://',
    ],
    ['provider: { static: { urls: [http://x] } }', 'provider.static.urls[0]: must be a turn: or stun: URI'],
    [
      'provider: { static: { urls: [turn:x] } }',
      'provider.static: needs username and password for its turn: URIs',
    ],
    [
      'provider: { static: { urls: [google], username: u } }',
      'provider.static: needs username and password, or neither',
    ],
    ['provider: { static: { urls: [google] } }\nhosts: [x]', 'f:2:8 hosts: stands beside provider'],
    [
      'provider: { static: { urls: [google] } }\nauth: { secret: { env: S } }',
      'auth: stands beside provider',
    ],
    ['profile: stun-only', 'f:1:1 realm: is missing'],
  ])('%s', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message);
  });
});
