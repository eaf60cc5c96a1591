import { performance } from 'node:perf_hooks';
import stunPackage from 'stun';
import { put, read } from '../../src/stun/attribute.ts';
import { nonce, realm, username } from '../../src/stun/authentication-attributes.ts';
import { longTermKey, verifyFingerprint, verifyIntegrity } from '../../src/stun/integrity.ts';
import { software } from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method, newTransactionId } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';

/** An authenticated Refresh: what a client sends again and again. Both codecs get the same. */
const parts = {
  software: 'rtc-ops',
  lifetime: 600,
  username: '1599491771:alice',
  realm: 'example.org',
  nonce: 'obMatJos2gAAAadl7W7PeDU4hKE72jda',
};
const key = Buffer.from(longTermKey(parts.username, parts.realm, 'password'));

function ours(): void {
  const bytes = encodeMessage({
    class: 'request',
    method: method.refresh,
    transactionId: newTransactionId(),
    attributes: [
      put(software, parts.software),
      put(lifetime, parts.lifetime),
      put(username, parts.username),
      put(realm, parts.realm),
      put(nonce, parts.nonce),
    ],
    integrity: { key },
    fingerprint: true,
  });
  const message = decodeMessage(bytes);
  const right =
    verifyFingerprint(message) === 'valid' &&
    verifyIntegrity(message, key) === 'valid' &&
    read(message, nonce) === parts.nonce &&
    read(message, username) === parts.username;
  if (!right) {
    throw new Error('our codec does not read what it wrote');
  }
}

function theirs(): void {
  const request = stunPackage.createMessage(stunPackage.constants['STUN_REFRESH_REQUEST'] ?? 0);
  request.addSoftware(parts.software);
  request.addAttribute(stunPackage.constants['STUN_ATTR_LIFETIME'] ?? 0, parts.lifetime);
  request.addUsername(parts.username);
  request.addRealm(parts.realm);
  request.addNonce(parts.nonce);
  request.addMessageIntegrity(key);
  request.addFingerprint();
  const message = stunPackage.decode(request.toBuffer());
  const right =
    stunPackage.validateFingerprint(message) &&
    stunPackage.validateMessageIntegrity(message, key) &&
    message.getNonce() === parts.nonce &&
    message.getUsername() === parts.username;
  if (!right) {
    throw new Error('the package stun does not read what it wrote');
  }
}

const rounds = 9;
const messagesPerRound = 2000;

function messagesPerSecond(work: () => void): number {
  const start = performance.now();
  for (let count = 0; count < messagesPerRound; count++) {
    work();
  }
  return (messagesPerRound / (performance.now() - start)) * 1000;
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/**
 * Encode with integrity and fingerprint, decode and verify, against the npm package `stun` in the same run: rounds
 * take turns, so that a busy machine slows both; the first of each warms up and is not counted.
 */
export async function codecBench(): Promise<{
  name: string;
  ours: number;
  theirs: number;
  unit: string;
  ratio: number;
}> {
  const speeds: { ours: number[]; theirs: number[] } = { ours: [], theirs: [] };
  for (let round = 0; round <= rounds; round++) {
    const ourSpeed = messagesPerSecond(ours);
    const theirSpeed = messagesPerSecond(theirs);
    if (round > 0) {
      speeds.ours.push(ourSpeed);
      speeds.theirs.push(theirSpeed);
    }
  }
  const result = { ours: median(speeds.ours), theirs: median(speeds.theirs) };
  return { name: 'STUN codec', ...result, unit: 'messages/s', ratio: result.ours / result.theirs };
}
