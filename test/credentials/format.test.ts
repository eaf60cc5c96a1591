import { describe, expect, it } from 'vitest';
import { credentialFormats, formatCredential, type CredentialFormat } from '../../src/credentials/format.ts';
import { Secret } from '../../src/model/secret.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';

const credential = {
  username: '1767326645:alice',
  password: new Secret('QIb2IP3+G4MWq9Y/uir6zEKIRow='),
  ttlSeconds: 3600,
  expiresAt: 1_767_326_645,
  uris: [parseTurnUri('turn:turn.example.com')],
};

const formats = Object.keys(credentialFormats) as CredentialFormat[];

describe('formatCredential', () => {
  it.each(formats)('%s gives the password out, and ends in one line break', (format) => {
    const text = formatCredential(format, credential);
    expect(decodeURIComponent(text)).toContain('QIb2IP3+G4MWq9Y/uir6zEKIRow=');
    expect(text).not.toContain('redacted');
    expect(text).toMatch(/[^\n]\n$/);
  });

  it.each(['ice-servers', 'env', 'uri'] as const)('%s says nothing without a server', (format) => {
    expect(() => formatCredential(format, { ...credential, uris: [] })).toThrow(
      `the format ${format} names servers, and none is known`,
    );
  });

  it.each(['human', 'json'] as const)('%s does without one', (format) => {
    expect(formatCredential(format, { ...credential, uris: [] })).toContain('1767326645:alice');
  });

  it('gives no credential to servers that take none', () => {
    const text = formatCredential('ice-servers', {
      ...credential,
      uris: [parseTurnUri('stun:s.example.com')],
    });
    expect(JSON.parse(text)).toEqual([{ urls: ['stun:s.example.com'] }]);
  });
});
