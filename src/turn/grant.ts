import { familyOf, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError, previewOf } from '../model/failure.ts';
import { xorMappedAddress, xorRelayedAddress } from '../stun/address-attributes.ts';
import { read } from '../stun/attribute.ts';
import type { StunMessage } from '../stun/message.ts';
import { lifetime } from '../stun/relay-attributes.ts';
import { reading } from './session.ts';

/** What a server gives with an Allocate success response (RFC 8656 §7.2). */
export interface Grant {
  readonly relayed: Endpoint;
  readonly mapped: Endpoint | null;
  readonly lifetimeSeconds: number;
}

/** @throws AttemptError `malformed` when it is not what was asked for */
export function grantIn(response: StunMessage, family: Family | undefined): Grant {
  const unusable = (detail: string): AttemptError =>
    new AttemptError({ kind: 'malformed', detail, preview: previewOf(response.bytes) });
  return reading(response, () => {
    const relayed = read(response, xorRelayedAddress);
    const lifetimeSeconds = read(response, lifetime);
    if (relayed === undefined || !lifetimeSeconds) {
      const missing = relayed === undefined ? 'XOR-RELAYED-ADDRESS' : 'LIFETIME';
      throw unusable(`the Allocate success response has no ${missing} (RFC 8656 §7.2)`);
    }
    if (family !== undefined && familyOf(relayed.address) !== family) {
      throw unusable(`asked for an IPv${family} relay address, the server gave ${relayed.address}`);
    }
    return { relayed, mapped: read(response, xorMappedAddress) ?? null, lifetimeSeconds };
  });
}
