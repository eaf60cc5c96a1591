import { describe, expect, it } from 'vitest';
import {
  alternateDomain,
  errorCode,
  software,
  unknownAttributes,
} from '../../src/stun/message-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

const transactionId = new Uint8Array(12);

describe('ERROR-CODE', () => {
  it.each([
    [{ code: 401, reason: 'Unauthorized' }, '00000401' + Buffer.from('Unauthorized').toString('hex')],
    [{ code: 438, reason: '' }, '00000426'],
    [{ code: 300, reason: '' }, '00000300'],
    [{ code: 699, reason: 'é' }, '00000663c3a9'],
  ])('%j', (value, hex) => {
    expect(Buffer.from(errorCode.encode(value, transactionId)).toString('hex')).toBe(hex);
    expect(errorCode.decode(Buffer.from(hex, 'hex'), transactionId)).toEqual(value);
  });

  it('ignores the reserved bits', () => {
    expect(errorCode.decode(Buffer.from('fffffc26', 'hex'), transactionId).code).toBe(438);
  });

  it('gives the code even when the reason is not UTF-8', () => {
    const value = errorCode.decode(Buffer.from('00000401ff41', 'hex'), transactionId);
    expect(value).toEqual({ code: 401, reason: '\ufffdA' });
  });

  it.each(['', '000004', '00000201', '00000701', '00000000', '00000464', '000004ff'])('refuses %j', (hex) => {
    const decode = () => errorCode.decode(Buffer.from(hex, 'hex'), transactionId);
    expect(decodeErrorOf(decode)?.reason).toBe('attribute-value');
  });

  it.each([299, 700, 0, 401.5])('refuses to encode %d', (code) => {
    expect(() => errorCode.encode({ code, reason: '' }, transactionId)).toThrow(RangeError);
  });
});

describe('UNKNOWN-ATTRIBUTES', () => {
  it('is a list of types; a third one brings padding, not a fourth', () => {
    const encoded = unknownAttributes.encode([0x0024, 0x8000, 0xffff], transactionId);
    expect(Buffer.from(encoded).toString('hex')).toBe('00248000ffff');
  });

  it('refuses half a type', () => {
    expect(decodeErrorOf(() => unknownAttributes.decode(new Uint8Array(3), transactionId))?.reason).toBe(
      'attribute-value',
    );
    expect(() => unknownAttributes.encode([0x10000], transactionId)).toThrow(RangeError);
  });
});

describe('SOFTWARE', () => {
  it('never fails to decode: only people read it', () => {
    expect(software.decode(Uint8Array.of(0x43, 0xff), transactionId)).toBe('C\ufffd');
    expect(software.decode(new Uint8Array(2000).fill(0x43), transactionId)).toHaveLength(2000);
  });

  it('has at most 509 bytes when we send it', () => {
    expect(() => software.encode('x'.repeat(510), transactionId)).toThrow(RangeError);
  });
});

describe('ALTERNATE-DOMAIN', () => {
  it('has at most 255 bytes', () => {
    expect(alternateDomain.encode('x'.repeat(255), transactionId)).toHaveLength(255);
    expect(() => alternateDomain.encode('x'.repeat(256), transactionId)).toThrow(RangeError);
  });
});
