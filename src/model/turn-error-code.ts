/**
 * The error codes that a TURN client meets, with the reason phrase of the RFC that defines each. Servers may send
 * another phrase or none (coturn sends none from 4.10 on), so a program decides by the code alone.
 */
export const turnErrors = {
  300: { name: 'Try Alternate', source: 'RFC 8489 §14.8' },
  400: { name: 'Bad Request', source: 'RFC 8489 §14.8' },
  401: { name: 'Unauthenticated', source: 'RFC 8489 §14.8' },
  403: { name: 'Forbidden', source: 'RFC 8656 §19' },
  405: { name: 'Mobility Forbidden', source: 'RFC 8016 §3.3' },
  420: { name: 'Unknown Attribute', source: 'RFC 8489 §14.8' },
  437: { name: 'Allocation Mismatch', source: 'RFC 8656 §19' },
  438: { name: 'Stale Nonce', source: 'RFC 8489 §14.8' },
  440: { name: 'Address Family not Supported', source: 'RFC 8656 §19' },
  441: { name: 'Wrong Credentials', source: 'RFC 8656 §19' },
  442: { name: 'Unsupported Transport Protocol', source: 'RFC 8656 §19' },
  443: { name: 'Peer Address Family Mismatch', source: 'RFC 8656 §19' },
  446: { name: 'Connection Already Exists', source: 'RFC 6062 §6.3' },
  447: { name: 'Connection Timeout or Failure', source: 'RFC 6062 §6.3' },
  486: { name: 'Allocation Quota Reached', source: 'RFC 8656 §19' },
  487: { name: 'Role Conflict', source: 'RFC 8445 §7.3.1.1' },
  500: { name: 'Server Error', source: 'RFC 8489 §14.8' },
  508: { name: 'Insufficient Capacity', source: 'RFC 8656 §19' },
} as const;

export type TurnErrorCode = keyof typeof turnErrors;

export function isTurnErrorCode(code: number): code is TurnErrorCode {
  return code in turnErrors;
}

/** `Stale Nonce` for 438; an empty text for a code that no RFC defines. */
export function turnErrorName(code: number): string {
  return isTurnErrorCode(code) ? turnErrors[code].name : '';
}
