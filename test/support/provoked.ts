import { findingCodes, type FindingCode } from '../../src/model/finding.ts';

/**
 * Which findings the rules of a test file gave. A test that asks at its end for those that are `missing` holds that each
 * code is made by a rule out of facts: a code that is only named somewhere does not count.
 */
export class ProvokedFindings {
  readonly #codes = new Set<string>();

  /** `judge` as it is; the findings of what it gives, wherever they stand in it, are noted. */
  watch<A extends readonly unknown[], R>(judge: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      const judged = judge(...args);
      this.#note(judged);
      return judged;
    };
  }

  missing(codes: readonly string[]): string[] {
    return codes.filter((code) => !this.#codes.has(code));
  }

  #note(value: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    if ('code' in value && 'evidence' in value && isFindingCode(value.code)) this.#codes.add(value.code);
    for (const part of Object.values(value)) this.#note(part);
  }
}

function isFindingCode(code: unknown): code is FindingCode {
  return findingCodes.some((each) => each === code);
}

/** What a real coturn is made to log in `server-log.integration.test.ts`, which holds that it provokes each of them. */
export const loggedByCoturn: readonly string[] = [
  'LOG_LINES_FORGED',
  'LOG_CREDENTIALS_EXPIRED',
  'LOG_CREDENTIALS_WRONG',
  'LOG_USERS_UNKNOWN',
  'LOG_CREDENTIALS_MALFORMED',
  'LOG_QUOTA_REACHED',
  'LOG_PORTS_EXHAUSTED',
  'LOG_ALLOCATIONS_REFUSED',
  'LOG_PEERS_DENIED',
  'LOG_PRIVATE_PEERS_DENIED',
  'LOG_PEERS_PRIVATE',
  'LOG_TLS_HANDSHAKES_FAILED',
];

/** What a call shows beside a log or a capture alone; `join.test.ts` holds that it provokes each of them. */
export const joinedWithLog: readonly string[] = ['TURN_PERMISSION_DENIED', 'TURN_RELAY_SILENT'];
