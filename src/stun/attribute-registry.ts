import {
  alternateServer,
  changedAddress,
  mappedAddress,
  otherAddress,
  responseOrigin,
  xorMappedAddress,
  xorPeerAddress,
  xorRelayedAddress,
} from './address-attributes.ts';
import { countingAttributes, type AttributeDecoder, type AttributeList } from './attribute.ts';
import {
  accessToken,
  messageIntegrity,
  messageIntegritySha256,
  nonce,
  passwordAlgorithm,
  passwordAlgorithms,
  realm,
  thirdPartyAuthorization,
  userhash,
  username,
} from './authentication-attributes.ts';
import { changeRequest, padding, responsePort } from './discovery-attributes.ts';
import { iceControlled, iceControlling, priority, useCandidate } from './ice-attributes.ts';
import {
  alternateDomain,
  errorCode,
  fingerprint,
  software,
  unknownAttributes,
} from './message-attributes.ts';
import {
  additionalAddressFamily,
  addressErrorCode,
  channelNumber,
  connectionId,
  data,
  dontFragment,
  evenPort,
  icmp,
  lifetime,
  mobilityTicket,
  requestedAddressFamily,
  requestedTransport,
  reservationToken,
} from './relay-attributes.ts';

/** Every attribute that has a codec here. */
export const knownAttributes: readonly AttributeDecoder<unknown>[] = [
  mappedAddress,
  xorMappedAddress,
  xorPeerAddress,
  xorRelayedAddress,
  alternateServer,
  responseOrigin,
  otherAddress,
  changedAddress,
  username,
  userhash,
  realm,
  nonce,
  passwordAlgorithm,
  passwordAlgorithms,
  messageIntegrity,
  messageIntegritySha256,
  thirdPartyAuthorization,
  accessToken,
  errorCode,
  unknownAttributes,
  software,
  alternateDomain,
  fingerprint,
  lifetime,
  data,
  channelNumber,
  requestedTransport,
  requestedAddressFamily,
  additionalAddressFamily,
  addressErrorCode,
  evenPort,
  dontFragment,
  reservationToken,
  icmp,
  mobilityTicket,
  connectionId,
  changeRequest,
  responsePort,
  padding,
  priority,
  useCandidate,
  iceControlled,
  iceControlling,
];

const codecOfType = new Map(knownAttributes.map((codec) => [codec.type, codec]));

/** The codec of an attribute type, or undefined where the type is not known here. */
export function knownAttribute(type: number): AttributeDecoder<unknown> | undefined {
  return codecOfType.get(type);
}

/**
 * The types below 0x8000 that are not known here, each once and in order of appearance. A message that has any cannot
 * be processed: a request gets a 420, a response counts as a failed transaction (RFC 8489 §6.3).
 */
export function unknownRequiredAttributes(message: AttributeList): number[] {
  const types = countingAttributes(message).map(({ type }) => type);
  return [...new Set(types.filter((type) => type < 0x8000 && !codecOfType.has(type)))];
}
