import * as fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import type { Endpoint, Family } from '../../src/model/endpoint.ts';
import * as address from '../../src/stun/address-attributes.ts';
import {
  knownAttribute,
  knownAttributes,
  unknownRequiredAttributes,
} from '../../src/stun/attribute-registry.ts';
import { put, putRaw, read, type AttributeCodec } from '../../src/stun/attribute.ts';
import * as authentication from '../../src/stun/authentication-attributes.ts';
import * as discovery from '../../src/stun/discovery-attributes.ts';
import * as ice from '../../src/stun/ice-attributes.ts';
import * as general from '../../src/stun/message-attributes.ts';
import { decodeMessage, encodeMessage, method } from '../../src/stun/message.ts';
import * as relay from '../../src/stun/relay-attributes.ts';
import { decodeErrorOf } from './decode-error-of.ts';

interface Sample {
  readonly name: string;
  readonly type: number;
  /** Encodes a value, decodes it out of a message, and compares. */
  readonly roundTrip: fc.IPropertyWithHooks<[unknown]>;
}

/** One codec with the values that it has to carry; `same` where equal values can be spelled in two ways. */
function sample<T>(
  codec: AttributeCodec<T>,
  values: fc.Arbitrary<T>,
  same: (value: T) => unknown = (value) => value,
): Sample {
  const roundTrip = fc.property(values, (value) => {
    // Neighbours on both sides, so that a wrong length shows.
    const attributes = [
      putRaw(0xffee, Uint8Array.of(1)),
      put(codec, value),
      putRaw(0xffef, Uint8Array.of(2)),
    ];
    const bytes = encodeMessage({ class: 'request', method: method.binding, attributes });
    const message = decodeMessage(bytes);
    expect(message.attributes.map(({ type }) => type)).toEqual([0xffee, codec.type, 0xffef]);
    const decoded = read(message, codec);
    expect(decoded === undefined ? undefined : same(decoded)).toEqual(same(value));
  });
  return { name: codec.name, type: codec.type, roundTrip };
}

const uint16 = fc.integer({ min: 0, max: 0xffff });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint64 = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const family = fc.constantFrom<Family>(4, 6);
const flag = fc.constant<true>(true);
const octets = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const someBytes = fc.uint8Array({ maxLength: 300 });
const text = fc.string({ unit: 'grapheme', maxLength: 30 });
const plainBytes = (value: Uint8Array) => [...value];

const ipv6 = fc
  .oneof(octets(16), fc.array(fc.constantFrom(0, 0, 0, 0xff), { minLength: 16, maxLength: 16 }))
  .map((bytes) => new ipaddr.IPv6([...bytes]).toString());
const endpoint: fc.Arbitrary<Endpoint> = fc.record({ address: fc.oneof(fc.ipV4(), ipv6), port: uint16 });
const sameEndpoint = (value: Endpoint) => [ipaddr.parse(value.address).toByteArray(), value.port];

const error = fc.record({ code: fc.integer({ min: 300, max: 699 }), reason: text });
const algorithm = fc.record({ number: uint16, parameters: fc.uint8Array({ maxLength: 9 }) });
const sameAlgorithm = (value: authentication.PasswordAlgorithm) => [value.number, ...value.parameters];

const samples: Sample[] = [
  sample(address.mappedAddress, endpoint, sameEndpoint),
  sample(address.xorMappedAddress, endpoint, sameEndpoint),
  sample(address.xorPeerAddress, endpoint, sameEndpoint),
  sample(address.xorRelayedAddress, endpoint, sameEndpoint),
  sample(address.alternateServer, endpoint, sameEndpoint),
  sample(address.responseOrigin, endpoint, sameEndpoint),
  sample(address.otherAddress, endpoint, sameEndpoint),
  sample(address.changedAddress, endpoint, sameEndpoint),
  sample(
    authentication.username,
    text.map((value) => value.replaceAll(/\p{Zs}/gu, ' ').normalize('NFC')),
  ),
  sample(authentication.userhash, octets(32), plainBytes),
  sample(authentication.realm, text),
  sample(authentication.nonce, text),
  sample(authentication.passwordAlgorithm, algorithm, sameAlgorithm),
  sample(authentication.passwordAlgorithms, fc.array(algorithm, { maxLength: 5 }), (values) =>
    values.map(sameAlgorithm),
  ),
  sample(authentication.messageIntegrity, octets(20), plainBytes),
  sample(authentication.messageIntegritySha256, octets(32), plainBytes),
  sample(authentication.thirdPartyAuthorization, text),
  sample(authentication.accessToken, someBytes, plainBytes),
  sample(general.errorCode, error),
  sample(general.unknownAttributes, fc.array(uint16, { maxLength: 40 })),
  sample(general.software, text),
  sample(general.alternateDomain, fc.domain()),
  sample(general.fingerprint, uint32),
  sample(relay.lifetime, uint32),
  sample(relay.data, someBytes, plainBytes),
  sample(relay.channelNumber, fc.integer({ min: 0x4000, max: 0x4fff })),
  sample(relay.requestedTransport, fc.integer({ min: 0, max: 255 })),
  sample(relay.requestedAddressFamily, family),
  sample(relay.additionalAddressFamily, family),
  sample(
    relay.addressErrorCode,
    fc.tuple(error, family).map(([value, of]) => ({ ...value, family: of })),
  ),
  sample(relay.evenPort, fc.record({ reserveNext: fc.boolean() })),
  sample(relay.dontFragment, flag),
  sample(relay.reservationToken, octets(8), plainBytes),
  sample(
    relay.icmp,
    fc.record({
      type: fc.integer({ min: 0, max: 255 }),
      code: fc.integer({ min: 0, max: 255 }),
      errorData: uint32,
    }),
  ),
  sample(relay.mobilityTicket, someBytes, plainBytes),
  sample(relay.connectionId, uint32),
  sample(discovery.changeRequest, fc.record({ address: fc.boolean(), port: fc.boolean() })),
  sample(discovery.responsePort, uint16),
  sample(discovery.padding, fc.integer({ min: 0, max: 1500 })),
  sample(ice.priority, uint32),
  sample(ice.useCandidate, flag),
  sample(ice.iceControlled, uint64),
  sample(ice.iceControlling, uint64),
];

describe('every attribute', () => {
  it('has a sample here, a type of its own and a name of its own', () => {
    expect(new Set(samples.map(({ type }) => type))).toEqual(
      new Set(knownAttributes.map(({ type }) => type)),
    );
    expect(samples).toHaveLength(knownAttributes.length);
    expect(new Set(knownAttributes.map(({ type }) => type)).size).toBe(knownAttributes.length);
    expect(new Set(knownAttributes.map(({ name }) => name)).size).toBe(knownAttributes.length);
  });

  it('is exported by its module and listed in the registry', () => {
    const modules = [address, authentication, discovery, general, ice, relay];
    const codecs = modules.flatMap((module) => Object.values(module)).filter((value) => Object(value).decode);
    expect(new Set(codecs)).toEqual(new Set(knownAttributes));
  });

  it.each(samples)('$name comes back as it was put', ({ roundTrip }) => {
    fc.assert(roundTrip);
  });

  it.each(knownAttributes)(
    '$name: any bytes are a value or a StunDecodeError within the message',
    (codec) => {
      const value = fc.oneof(
        fc.uint8Array({ maxLength: 40 }),
        fc.constantFrom(0, 1, 2, 4, 8, 16, 20, 32).chain((length) => octets(length)),
      );
      fc.assert(
        fc.property(value, (bytes) => {
          const encoded = encodeMessage({
            class: 'error',
            method: method.allocate,
            attributes: [putRaw(codec.type, bytes)],
          });
          const failure = decodeErrorOf(() => read(decodeMessage(encoded), codec));
          if (failure !== null) {
            expect(failure.reason).toBe('attribute-value');
            expect(failure.message).toMatch(`${codec.name}: `);
            expect(failure.offset).toBeGreaterThanOrEqual(24);
            expect(failure.offset).toBeLessThanOrEqual(24 + bytes.length);
          }
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('knownAttribute', () => {
  it('finds a codec by its type', () => {
    expect(knownAttribute(0x0020)?.name).toBe('XOR-MAPPED-ADDRESS');
    expect(knownAttribute(0x7ffe)).toBeUndefined();
  });

  // The types by number, from the IANA registry "STUN Attributes".
  it.each([
    ['0x0001', 'MAPPED-ADDRESS'],
    ['0x0003', 'CHANGE-REQUEST'],
    // Reserved there since RFC 5389; the name is that of RFC 3489 §11.2.
    ['0x0005', 'CHANGED-ADDRESS'],
    ['0x0006', 'USERNAME'],
    ['0x0008', 'MESSAGE-INTEGRITY'],
    ['0x0009', 'ERROR-CODE'],
    ['0x000a', 'UNKNOWN-ATTRIBUTES'],
    ['0x000c', 'CHANNEL-NUMBER'],
    ['0x000d', 'LIFETIME'],
    ['0x0012', 'XOR-PEER-ADDRESS'],
    ['0x0013', 'DATA'],
    ['0x0014', 'REALM'],
    ['0x0015', 'NONCE'],
    ['0x0016', 'XOR-RELAYED-ADDRESS'],
    ['0x0017', 'REQUESTED-ADDRESS-FAMILY'],
    ['0x0018', 'EVEN-PORT'],
    ['0x0019', 'REQUESTED-TRANSPORT'],
    ['0x001a', 'DONT-FRAGMENT'],
    ['0x001b', 'ACCESS-TOKEN'],
    ['0x001c', 'MESSAGE-INTEGRITY-SHA256'],
    ['0x001d', 'PASSWORD-ALGORITHM'],
    ['0x001e', 'USERHASH'],
    ['0x0020', 'XOR-MAPPED-ADDRESS'],
    ['0x0022', 'RESERVATION-TOKEN'],
    ['0x0024', 'PRIORITY'],
    ['0x0025', 'USE-CANDIDATE'],
    ['0x0026', 'PADDING'],
    ['0x0027', 'RESPONSE-PORT'],
    ['0x002a', 'CONNECTION-ID'],
    ['0x8000', 'ADDITIONAL-ADDRESS-FAMILY'],
    ['0x8001', 'ADDRESS-ERROR-CODE'],
    ['0x8002', 'PASSWORD-ALGORITHMS'],
    ['0x8003', 'ALTERNATE-DOMAIN'],
    ['0x8004', 'ICMP'],
    ['0x8022', 'SOFTWARE'],
    ['0x8023', 'ALTERNATE-SERVER'],
    ['0x8028', 'FINGERPRINT'],
    ['0x8029', 'ICE-CONTROLLED'],
    ['0x802a', 'ICE-CONTROLLING'],
    ['0x802b', 'RESPONSE-ORIGIN'],
    ['0x802c', 'OTHER-ADDRESS'],
    ['0x802e', 'THIRD-PARTY-AUTHORIZATION'],
    ['0x8030', 'MOBILITY-TICKET'],
  ])('%s is %s', (type, name) => {
    expect(knownAttribute(Number(type))?.name).toBe(name);
    expect(knownAttributes).toHaveLength(43);
  });
});

describe('unknownRequiredAttributes', () => {
  const decode = (...types: number[]) =>
    decodeMessage(
      encodeMessage({
        class: 'success',
        method: method.binding,
        attributes: types.map((type) => putRaw(type, new Uint8Array(4))),
      }),
    );

  it('names the ones below 0x8000, each once', () => {
    expect(unknownRequiredAttributes(decode(0x7ffe, 0x000d, 0x0002, 0x7ffe, 0xfffe, 0x8000))).toEqual([
      0x7ffe, 0x0002,
    ]);
  });

  it('does not count what stands behind the integrity', () => {
    expect(unknownRequiredAttributes(decode(0x000d, 0x0008, 0x7ffe))).toEqual([]);
  });
});
