import { isIP } from 'node:net';

/** Whether a text is an address, and no name such as those of mDNS candidates (RFC 8828 §5.2). */
export function isIPAddress(text: string): boolean {
  return isIP(text) !== 0;
}
