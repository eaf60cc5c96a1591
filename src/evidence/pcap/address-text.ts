import ipaddr from 'ipaddr.js';

/** 4 or 16 bytes as an address; IPv4 within IPv6 stays IPv6. */
export function addressText(bytes: Uint8Array): string {
  return bytes.length === 4 ? bytes.join('.') : ipaddr.fromByteArray([...bytes]).toString();
}
