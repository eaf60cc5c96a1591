import { createServer, type SecureContextOptions } from 'node:tls';
import { connect, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { clientHello, serverFlight, tlsVersion, type HelloOptions } from '../../src/net/client-hello.ts';
import { certificate } from '../support/certificates.ts';

const dhe = new Set([0x9e, 0x9f]);
const today = [0x1301, 0x1302, 0xc02b, 0xc02f, 0xc02c, 0xc030];

/** What Node's own TLS server answers to a hello. */
async function answer(hello: Omit<HelloOptions, 'servername'>, options: SecureContextOptions = {}) {
  const { cert, key } = await certificate({ commonName: 'localhost', names: ['127.0.0.1'] });
  const server = createServer({ cert, key, ...options });
  server.on('tlsClientError', () => {});
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  socket.write(clientHello({ ...hello, servername: 'localhost' }));
  let bytes = Buffer.alloc(0);
  for await (const part of socket as AsyncIterable<Buffer>) {
    // Byte by byte, as a slow network may bring it.
    for (const byte of part) {
      bytes = Buffer.concat([bytes, Buffer.from([byte])]);
      const flight = serverFlight(bytes, dhe);
      if (flight !== null) return flight;
    }
  }
  return null;
}

describe('a ClientHello of our own', () => {
  it('is answered by a server with TLS 1.3', async () => {
    const flight = await answer({ version: tlsVersion.tls13, suites: today });
    expect(flight).toMatchObject({ kind: 'accepted', version: tlsVersion.tls13, dhBits: null });
  });

  it('is answered by one with TLS 1.2, to its last word', async () => {
    const flight = await answer({ version: tlsVersion.tls13, suites: today }, { maxVersion: 'TLSv1.2' });
    expect(flight).toMatchObject({ kind: 'accepted', version: tlsVersion.tls12 });
    expect(today).toContain(flight?.kind === 'accepted' ? flight.suite : 0);
  });

  it.each([
    [tlsVersion.tls10, 'TLSv1'],
    [tlsVersion.tls11, 'TLSv1.1'],
  ] as const)('with %i is refused today, and accepted by a server of old', async (version, name) => {
    const hello = { version, suites: [0xc009, 0xc00a, 0xc013, 0xc014, 0x2f] };
    expect(await answer(hello)).toMatchObject({ kind: 'refused' });
    const old = { minVersion: name, ciphers: 'ALL:@SECLEVEL=0' } as const;
    expect(await answer(hello, old)).toMatchObject({ kind: 'accepted', version });
  });

  it('measures the group of Diffie-Hellman', async () => {
    const { cert, key } = await certificate({ commonName: 'localhost', names: [], keyType: 'rsa' });
    const hello = { version: tlsVersion.tls12, suites: [0x9e, 0x9f] };
    const flight = await answer(hello, { cert, key, ciphers: 'DHE+AESGCM', dhparam: 'auto' });
    expect(flight).toMatchObject({ kind: 'accepted', dhBits: 2048 });
  });

  it('is refused where no suite is in common', async () => {
    const flight = await answer({ version: tlsVersion.tls12, suites: [0x05] });
    expect(flight).toEqual({ kind: 'refused', alert: 40 });
  });
});

describe('what is no answer to it', () => {
  it.each([
    ['text', Buffer.from('HTTP/1.1 400 Bad Request\r\n')],
    ['a STUN message', Buffer.from('0101000c2112a442', 'hex')],
    ['a ServerHello of one byte', Buffer.from('1603030005020000010f', 'hex')],
  ])('%s', (_, bytes) => {
    expect(serverFlight(bytes, dhe)).toEqual({ kind: 'not-tls' });
  });

  it('a ServerHello alone, as long as the rest of the flight is missing', () => {
    const body = Buffer.concat([
      Buffer.from('0303', 'hex'),
      Buffer.alloc(32),
      Buffer.from('00c02f00', 'hex'),
    ]);
    const hello = Buffer.concat([Buffer.from([2, 0, 0, body.length]), body]);
    const record = Buffer.concat([Buffer.from([22, 3, 3, 0, hello.length]), hello]);
    expect(serverFlight(record, dhe)).toBeNull();
  });
});
