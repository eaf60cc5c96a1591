import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import stun from 'stun';
import { afterEach, describe, expect, it } from 'vitest';
import { mappedAddress, xorMappedAddress } from '../../src/stun/address-attributes.ts';
import { put, read } from '../../src/stun/attribute.ts';
import { nonce, realm, username } from '../../src/stun/authentication-attributes.ts';
import { iceControlling, priority, useCandidate } from '../../src/stun/ice-attributes.ts';
import { longTermKey, verifyFingerprint, verifyIntegrity } from '../../src/stun/integrity.ts';
import { errorCode, software, unknownAttributes } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method, newTransactionId } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';

// The npm package `stun` 2.1.0 as a second implementation, where it is right. It decodes error codes wrongly (401 as 404),
// drops repeated attributes, and checks HMAC and CRC on a new encoding, which fails on padding other than zeros.

function constant(name: string): number {
  const value = stun.constants[name];
  if (value === undefined) {
    throw new Error(`the package stun has no constant ${name}`);
  }
  return value;
}

const key = Buffer.from(longTermKey('alice', 'example.org', 'secret'));
const addresses = ['192.0.2.1', '255.255.255.255', '2001:db8:1234:5678:11:2233:4455:6677', 'fe80::1'];

describe('it decodes what we encode', () => {
  it('texts, numbers, integrity and fingerprint', () => {
    const transactionId = newTransactionId();
    const bytes = encodeMessage({
      class: 'request',
      method: method.refresh,
      transactionId,
      attributes: [
        put(software, 'rtc-ops'),
        put(lifetime, 600),
        put(username, 'alice'),
        put(realm, 'example.org'),
        put(nonce, 'f//499k954d6OL34oL9FSTvy64sA'),
      ],
      integrity: { key },
      fingerprint: true,
    });
    const message = stun.decode(Buffer.from(bytes));
    expect(message.type).toBe(constant('STUN_REFRESH_REQUEST'));
    expect([...message.transactionId]).toEqual([...transactionId]);
    expect(message.count).toBe(7);
    expect(message.getSoftware()).toBe('rtc-ops');
    expect(message.getUsername()).toBe('alice');
    expect(message.getRealm()).toBe('example.org');
    expect(message.getNonce()).toBe('f//499k954d6OL34oL9FSTvy64sA');
    expect(message.getAttribute(constant('STUN_ATTR_LIFETIME'))?.value).toBe(600);
    expect(stun.validateFingerprint(message)).toBe(true);
    expect(stun.validateMessageIntegrity(message, key)).toBe(true);
    expect(stun.validateMessageIntegrity(message, Buffer.from('another key'))).toBe(false);
  });

  it.each(addresses)('the address %s', (address) => {
    const bytes = encodeMessage({
      class: 'success',
      method: method.binding,
      attributes: [
        put(xorMappedAddress, { address, port: 40000 }),
        put(mappedAddress, { address, port: 40001 }),
      ],
    });
    const message = stun.decode(Buffer.from(bytes));
    expect(message.getXorAddress()).toMatchObject({ address, port: 40000 });
    expect(message.getAddress()).toMatchObject({ address, port: 40001 });
  });

  it('a list of unknown attributes', () => {
    const attributes = [put(unknownAttributes, [0x24, 0x7ffe, 0x1a])];
    const bytes = encodeMessage({ class: 'error', method: method.allocate, attributes });
    expect(stun.decode(Buffer.from(bytes)).getUnknownAttributes()).toEqual([0x24, 0x7ffe, 0x1a]);
  });
});

describe('we decode what it encodes', () => {
  it('texts, numbers, integrity and fingerprint', () => {
    const request = stun.createMessage(constant('STUN_BINDING_REQUEST'));
    request.addSoftware('another');
    request.addUsername('alice:bob');
    request.addPriority(0x6e0001ff);
    request.addUseCandidate();
    request.addIceControlling(Buffer.from('932ff9b151263b36', 'hex'));
    request.addMessageIntegrity(key);
    request.addFingerprint();
    const message = decodeMessage(request.toBuffer());
    expect(message).toMatchObject({ class: 'request', method: method.binding });
    expect([...message.transactionId]).toEqual([...request.transactionId]);
    expect(read(message, software)).toBe('another');
    expect(read(message, username)).toBe('alice:bob');
    expect(read(message, priority)).toBe(0x6e0001ff);
    expect(read(message, useCandidate)).toBe(true);
    expect(read(message, iceControlling)).toBe(0x932ff9b151263b36n);
    expect(verifyIntegrity(message, key)).toBe('valid');
    expect(verifyIntegrity(message, Buffer.from('another key'))).toBe('invalid');
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it.each(addresses)('the address %s', (address) => {
    const response = stun.createMessage(constant('STUN_BINDING_RESPONSE'));
    response.addXorAddress(address, 40000);
    response.addAddress(address, 40001);
    const message = decodeMessage(response.toBuffer());
    expect(read(message, xorMappedAddress)).toEqual({ address, port: 40000 });
    expect(read(message, mappedAddress)).toEqual({ address, port: 40001 });
  });

  it.each([300, 400, 401, 438, 486, 508, 699])('error %i', (code) => {
    const response = stun.createMessage(constant('STUN_ALLOCATE_ERROR_RESPONSE'));
    response.addError(code, 'Some reason');
    response.addRealm('example.org');
    response.addNonce('nonce');
    response.addUnknownAttributes([0x24, 0x7ffe]);
    const message = decodeMessage(response.toBuffer());
    expect(message).toMatchObject({ class: 'error', method: method.allocate });
    expect(read(message, errorCode)).toEqual({ code, reason: 'Some reason' });
    expect(read(message, realm)).toBe('example.org');
    expect(read(message, nonce)).toBe('nonce');
    expect(read(message, unknownAttributes)).toEqual([0x24, 0x7ffe]);
  });
});

describe('over UDP', () => {
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) {
      socket.close();
    }
  });

  async function bound(): Promise<Socket> {
    const socket = createSocket('udp4');
    sockets.push(socket);
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    return socket;
  }

  it('its server answers our request', async () => {
    const serverSocket = await bound();
    const server = stun.createServer({ type: 'udp4', socket: serverSocket });
    server.on('bindingRequest', (request: { transactionId: Buffer }, from: AddressInfo) => {
      const response = stun.createMessage(constant('STUN_BINDING_RESPONSE'), request.transactionId);
      response.addXorAddress(from.address, from.port);
      response.addFingerprint();
      server.send(response, from.port, from.address);
    });

    const client = await bound();
    const request = encodeMessage({ class: 'request', method: method.binding, fingerprint: true });
    client.send(request, serverSocket.address().port, '127.0.0.1');
    const [bytes]: Buffer[] = await once(client, 'message');
    server.close();

    const message = decodeMessage(bytes ?? Buffer.of());
    expect(message.class).toBe('success');
    expect([...message.transactionId]).toEqual([...request.subarray(8, 20)]);
    expect(read(message, xorMappedAddress)).toEqual({ address: '127.0.0.1', port: client.address().port });
    expect(verifyFingerprint(message)).toBe('valid');
  });

  it('its client takes our answer', async () => {
    const server = await bound();
    server.on('message', (bytes, from) => {
      const { transactionId } = decodeMessage(bytes);
      const attributes = [put(xorMappedAddress, { address: from.address, port: from.port })];
      const answer = encodeMessage({ class: 'success', method: method.binding, transactionId, attributes });
      server.send(answer, from.port, from.address);
    });
    const response = await stun.request(`stun://127.0.0.1:${server.address().port}`, { retries: 1 });
    expect(response.getXorAddress()?.address).toBe('127.0.0.1');
  });
});
