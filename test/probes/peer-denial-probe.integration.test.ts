import { expect, it } from 'vitest';
import { issueCredential } from '../../src/credentials/issue.ts';
import { Secret } from '../../src/model/secret.ts';
import {
  forbiddenPeers,
  probePeerDenial,
  type PeerDenialOptions,
} from '../../src/probes/peer-denial-probe.ts';
import { loopbackServer, secret } from '../support/loopback-server.ts';
import { needs } from '../support/requirements.ts';

function asking(port: number, peers: readonly string[], shared = secret): PeerDenialOptions {
  const credential = issueCredential({
    secret: new Secret(shared),
    user: 'u',
    ttlSeconds: 60,
    now: new Date(),
  });
  const server = { transport: 'udp', endpoint: { address: '127.0.0.1', port }, verifyTls: false } as const;
  return { server, credential, family: 4, peers, timeoutMs: 3000, signal: new AbortController().signal };
}

needs('coturn').describe('what users of a relay reach', () => {
  it('is told peer by peer', async () => {
    const { port } = await loopbackServer(['denied-peer-ip=10.0.0.0-10.255.255.255']);
    expect(await probePeerDenial(asking(port, ['10.0.0.1', '192.168.0.1', 'fc00::1']))).toEqual([
      { peer: '10.0.0.1', denied: true, because: null },
      { peer: '192.168.0.1', denied: false, because: null },
    ]);
  });

  it('is unknown where nobody is let in', async () => {
    const { port } = await loopbackServer();
    const denials = await probePeerDenial(asking(port, forbiddenPeers[4], 'another-secret'));
    expect(denials).toHaveLength(forbiddenPeers[4].length);
    expect(denials[0]).toEqual({
      peer: '127.0.0.1',
      denied: null,
      because: expect.stringContaining('401') as string,
    });
  });
});
