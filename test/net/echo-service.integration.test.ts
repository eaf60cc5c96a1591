import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { Secret } from '../../src/model/secret.ts';
import { encodeEchoRequest } from '../../src/net/echo-message.ts';
import { EchoService } from '../../src/net/echo-service.ts';
import { needs } from '../support/requirements.ts';

// The kernel gives no socket the port 0; a forger writes it all the same.
const fromPort0 = `
import socket, struct, sys
port, payload = int(sys.argv[1]), bytes.fromhex(sys.argv[2])
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
raw.sendto(struct.pack('!HHHH', 0, port, 8 + len(payload), 0) + payload, ('127.0.0.1', 0))
`;

const { describe, it } = needs('root', 'python3');

describe('a datagram from port 0', () => {
  it('is dropped by an outside peer, signed as it is', async () => {
    const secret = new Secret('a secret of the tests');
    const peer = await EchoService.open({ listen: { address: '127.0.0.1', port: 0 }, secret });
    onTestFinished(() => peer.close());
    const request = encodeEchoRequest({ kind: 'hello', nonce: randomBytes(16) }, secret);
    execFileSync('python3', ['-c', fromPort0, `${peer.local.port}`, request.toString('hex')]);
    await expect.poll(() => peer.counts).toEqual({ answered: 0, dropped: 1, limited: 0 });
  });
});
