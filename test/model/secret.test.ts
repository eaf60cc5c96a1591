import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from '../../src/model/secret.ts';

const value = 'correct horse battery staple';
const secret = new Secret(value);
// As it would get into a text by mistake.
const text = secret as unknown as string;

describe('a Secret', () => {
  it('gives its value when asked for it, and only then', () => {
    expect(secret.reveal()).toBe(value);
  });

  it.each<[string, () => string]>([
    ['a template', () => `secret: ${text}`],
    ['concatenation', () => 'secret: ' + text],
    ['String()', () => String(secret)],
    ['toString()', () => secret.toString()],
    ['toLocaleString()', () => secret.toLocaleString()],
    ['JSON', () => JSON.stringify({ nested: [secret] })],
    ['inspect', () => inspect({ nested: { secret } }, { depth: null, showHidden: true, getters: true })],
    ['format', () => format('%s %o %O %j', secret, secret, secret, secret)],
    ['its keys', () => JSON.stringify([Object.entries(secret), Object.getOwnPropertyNames(secret)])],
    ['a copy', () => JSON.stringify([Object.assign({}, secret), structuredClone(secret)])],
    ['an error', () => inspect(new Error(`wrong: ${text}`, { cause: secret }))],
    ['join', () => [secret].join()],
  ])('does not leak by %s', (_way, leak) => {
    expect(leak()).not.toContain('horse');
  });

  it('says that something was left out', () => {
    expect(`${text} ${JSON.stringify(secret)} ${inspect(secret)}`).toBe('[redacted] "[redacted]" [redacted]');
  });
});
