import { describe, expect, it } from 'vitest';
import { readIceServers } from '../../src/evidence/ice-servers.ts';

const login = { username: '1795310895:alice', credential: 'FuXk' };
const turn = { urls: ['turn:turn.example.com', 'turns:turn.example.com?transport=tcp'], ...login };

function problemsOf(value: unknown): unknown[] {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return readIceServers(text, 'ice.json').facts.problems.map(({ kind, at, instead }) => [kind, at, instead]);
}

describe('what browsers take', () => {
  it.each<[string, unknown]>([
    ['a list', [{ urls: 'stun:stun.example.com' }, turn]],
    ['an object with a list', { iceServers: [turn], ttl: 43_200 }],
    [
      'the answer of a TURN REST API',
      { username: 'u', password: 'p', ttl: 1, uris: ['turn:turn.example.com'] },
    ],
    ['a literal of JavaScript', "[{ urls: 'turn:turn.example.com', username: 'u', credential: 'p', }]"],
  ])('is %s', (_, value) => {
    expect(problemsOf(value)).toEqual([]);
  });

  it('is read with its URLs and the credentials of its first TURN server', () => {
    const other = { urls: 'turn:other.example.com', username: 'bob', credential: 'x' };
    const { facts, uris, credential } = readIceServers(
      JSON.stringify([{ ...other, urls: 'stun:stun.example.com' }, turn, other]),
      'ice.json',
    );
    expect(facts.urls).toEqual(['stun:stun.example.com', ...turn.urls, 'turn:other.example.com']);
    expect(uris.map(({ transport }) => transport)).toEqual(['udp', 'udp', 'tls', 'udp']);
    expect(credential?.username).toBe(login.username);
    expect(credential?.password.reveal()).toBe(login.credential);
    expect(JSON.stringify(facts)).not.toContain(login.credential);
  });
});

describe('what browsers refuse', () => {
  it.each<[string, unknown, unknown[][]]>([
    ['one server without a list', turn, [['refused', '', '[ … ]']]],
    ['an object as iceServers', { iceServers: turn }, [['refused', 'iceServers', 'iceServers: […]']]],
    ['something else', { servers: [turn] }, [['refused', '', '{ iceServers: [ … ] }']]],
    ['a text', '"turn:turn.example.com"', [['refused', '', "[{ urls: 'turn:TURN_SERVER' }]"]]],
    ['a page', '<html>404</html>', [['refused', '', null]]],
    ['broken JSON', '[{ "urls": ', [['refused', '', null]]],
    [
      'a URL as a server',
      ['turn:turn.example.com'],
      [['refused', 'iceServers[0]', "{ urls: 'turn:TURN_SERVER' }"]],
    ],
    ['url for urls', [{ ...login, url: 'turn:turn.example.com' }], [['refused', 'iceServers[0]', 'urls']]],
    ['no URL', [{ ...turn, urls: [] }], [['refused', 'iceServers[0].urls', null]]],
    ['a number', [{ ...turn, urls: [3478] }], [['refused', 'iceServers[0].urls[0]', null]]],
    [
      'slashes',
      [{ ...turn, urls: 'turn://turn.example.com:3478' }],
      [['refused', 'iceServers[0].urls', 'turn:turn.example.com:3478']],
    ],
    [
      'another scheme',
      [{ ...turn, urls: 'https://turn.example.com' }],
      [['refused', 'iceServers[0].urls', expect.anything()]],
    ],
    ['no credential', [{ ...turn, credential: undefined }], [['refused', 'iceServers[0]', 'credential']]],
    ['an empty username', [{ ...turn, username: '' }], [['refused', 'iceServers[0]', 'username']]],
    [
      'a credential that is no text',
      [{ ...turn, credential: 7 }],
      [['refused', 'iceServers[0].credential', null]],
    ],
  ])('is %s', (_, value, problems) => {
    expect(problemsOf(value)).toEqual(problems);
  });
});

it('tells TURN over DTLS, which is no error of form', () => {
  const urls = ['turns:turn.example.com:5349?transport=udp', 'turn:turn.example.com'];
  expect(problemsOf([{ ...turn, urls }])).toEqual([
    ['dtls', 'iceServers[0].urls[0]', 'turns:turn.example.com:5349?transport=tcp'],
  ]);
});

it('repeats no password', () => {
  const texts = [
    '[{ "urls": "turn:a.example", "username": "u", "credential": "hidden" ]',
    '{"credential": "hidden", "urls": ["turns:u:hidden@a.example?transport=udp"]}',
    'credential=hidden',
  ];
  for (const text of texts)
    expect(JSON.stringify(readIceServers(text, 'ice.json').facts)).not.toContain('hidden');
});

it('tells of a list without a TURN server', () => {
  expect(problemsOf([{ urls: 'stun:stun.example.com' }])).toEqual([['no-turn', '', 'turn:TURN_SERVER']]);
  expect(problemsOf([])).toEqual([['no-turn', '', 'turn:TURN_SERVER']]);
});
