import { StunDecodeError } from '../../src/stun/decode-error.ts';

/** The StunDecodeError that `work` throws, or null when it throws nothing; anything else that it throws goes on. */
export function decodeErrorOf(work: () => unknown): StunDecodeError | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof StunDecodeError) {
      return error;
    }
    throw error;
  }
}
