import { AttemptError } from '../../src/model/failure.ts';
import type { Failure } from '../../src/model/observations.ts';

/** The failure by which an attempt on the network was rejected; anything else that happens is thrown. */
export async function failureOf(attempt: Promise<unknown>): Promise<Failure> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof AttemptError) return error.failure;
    throw error;
  }
  throw new Error('it succeeded');
}
