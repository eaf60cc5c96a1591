import { expect, it } from 'vitest';
import { urisOfHost } from '../../src/config/host-uri.ts';
import { parseConfig } from '../../src/config/parse.ts';
import { formatTurnUri } from '../../src/model/turn-uri.ts';

function urisFor(yaml: string): string[] {
  return urisOfHost('turn.example.org', parseConfig(`realm: example.org\n${yaml}`, 'rtc-ops.yaml')).map(
    formatTurnUri,
  );
}

it('a host has a URI for each transport that is on, at its port', () => {
  const text = `auth: { secret: { file: secret } }
listen: { udp: 3479, tcp: off, tls: 443 }
tls: { cert: /etc/ssl/turn.pem, key: /etc/ssl/turn.key }
`;
  expect(urisFor(text)).toEqual(['turn:turn.example.org:3479', 'turns:turn.example.org:443?transport=tcp']);
});

it('a server of STUN alone has no URI of TURN', () => {
  expect(urisFor('profile: stun-only\n')).toEqual([
    'stun:turn.example.org',
    'stun:turn.example.org?transport=tcp',
  ]);
});
