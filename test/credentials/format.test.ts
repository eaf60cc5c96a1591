import { describe, expect, it } from 'vitest';
import {
  credentialFormats,
  credentialLines,
  formatCredential,
  isForIssuer,
  type CredentialFormat,
} from '../../src/credentials/format.ts';
import type { ServerCredential } from '../../src/credentials/server-credential.ts';
import { Secret } from '../../src/model/secret.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';

const credential: ServerCredential = {
  username: '1767326645:alice',
  password: new Secret('QIb2IP3+G4MWq9Y/uir6zEKIRow='),
  ttlSeconds: 3600,
  expiresAt: 1_767_326_645,
  uris: [parseTurnUri('turn:turn.example.com')],
  sharedSecret: new Secret('the shared secret'),
};
// As a hosted provider gives it.
const foreign: ServerCredential = { ...credential, ttlSeconds: null, expiresAt: null, sharedSecret: null };

const formats = Object.keys(credentialFormats) as CredentialFormat[];
const forIssuers = formats.filter(isForIssuer);
const forUsers = formats.filter((format) => !isForIssuer(format));

describe('formatCredential', () => {
  it.each(forUsers)('%s gives the password out and not the secret, and ends in one line break', (format) => {
    const text = formatCredential(format, credential);
    expect(decodeURIComponent(text)).toContain('QIb2IP3+G4MWq9Y/uir6zEKIRow=');
    expect(text).not.toContain('the shared secret');
    expect(text).not.toContain('redacted');
    expect(text).toMatch(/[^\n]\n$/);
  });

  it.each(forIssuers)('%s gives the secret out, and no credential that would end', (format) => {
    const text = formatCredential(format, credential);
    expect(text).toContain('the shared secret');
    expect(text).not.toContain('QIb2IP3');
    expect(text).toMatch(/[^\n]\n$/);
  });

  it.each(formats.filter((format) => format !== 'nextcloud'))(
    '%s takes what somebody else issued',
    (format) => {
      const text = formatCredential(format, foreign);
      expect(decodeURIComponent(text)).toContain('QIb2IP3+G4MWq9Y/uir6zEKIRow=');
      expect(text).not.toMatch(/undefined|NaN/);
    },
  );

  it('nextcloud has no place for what somebody else issued', () => {
    expect(() => formatCredential('nextcloud', foreign)).toThrow('takes a shared secret and no credential');
  });

  it.each(formats.filter((format) => format !== 'human' && format !== 'json'))(
    '%s says nothing without a server',
    (format) => {
      expect(() => formatCredential(format, { ...credential, uris: [] })).toThrow(
        `the format ${format} names servers, and none is known`,
      );
    },
  );

  it.each(['human', 'json'] as const)('%s does without one', (format) => {
    expect(formatCredential(format, { ...credential, uris: [] })).toContain('1767326645:alice');
  });

  it.each(formats)('%s refuses a line break in a value', (format) => {
    for (const sign of ['\n', '\r', '\0', '\u2028']) {
      const broken = { ...foreign, password: new Secret(`a${sign}b`) };
      expect(() => formatCredential(format, broken)).toThrow(
        'the password has a line break or another control character in it',
      );
    }
  });

  it('gives no credential to servers that take none', () => {
    const text = formatCredential('ice-servers', {
      ...credential,
      uris: [parseTurnUri('stun:s.example.com')],
    });
    expect(JSON.parse(text)).toEqual([{ urls: ['stun:s.example.com'] }]);
  });
});

describe('credentialLines', () => {
  it.each(['human', 'json', 'ice-servers', 'uri'] as const)('%s takes one line for each', (format) => {
    expect(credentialLines(format, credential)(credential)).toMatch(/^[^\n]+\n$/);
  });

  it.each(['env', 'dart', 'synapse'] as const)('%s is a file with one credential', (format) => {
    expect(() => credentialLines(format, credential)).toThrow(
      expect.objectContaining({ hint: 'Take one of human, json, ice-servers, uri.' }),
    );
  });
});
