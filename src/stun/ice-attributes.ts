import { flagCodec, uint32Codec, uint64Codec } from './attribute-value.ts';

/** RFC 8445 §7.1.1: the priority of the peer-reflexive candidate that the check could make. */
export const priority = uint32Codec(0x0024, 'PRIORITY');
/** RFC 8445 §7.1.2. */
export const useCandidate = flagCodec(0x0025, 'USE-CANDIDATE');
/** RFC 8445 §7.1.3: the tie-breaker of a controlled agent. */
export const iceControlled = uint64Codec(0x8029, 'ICE-CONTROLLED');
/** RFC 8445 §7.1.3: the tie-breaker of a controlling agent. */
export const iceControlling = uint64Codec(0x802a, 'ICE-CONTROLLING');
