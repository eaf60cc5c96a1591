import type { Failure } from './observations.ts';
import { printable } from './printable.ts';
import { turnErrorName } from './turn-error-code.ts';

/**
 * Thrown by `net/` and `turn/` where an attempt on the network failed. It is how a `Failure` travels up a
 * call stack; probes catch it and record the failure as a fact.
 */
export class AttemptError extends Error {
  override readonly name = 'AttemptError';
  readonly failure: Failure;

  constructor(failure: Failure) {
    super(describeFailure(failure));
    this.failure = failure;
  }
}

/** One line for a person: what was seen, without a guess at the cause. */
export function describeFailure(failure: Failure): string {
  switch (failure.kind) {
    case 'timeout':
      return `no answer within ${seconds(failure.afterMs)}${failure.sent > 1 ? ` (sent ${failure.sent} times)` : ''}`;
    case 'system':
      return (
        (/^(?:bind|listen) /.test(failure.message) ? bindErrors[failure.code] : undefined) ??
        systemErrors[failure.code] ??
        `${failure.code}: ${failure.message}`
      );
    case 'closed':
      return failure.bytesReceived === 0
        ? 'the connection was closed without an answer'
        : `the connection was closed after ${failure.bytesReceived} ${failure.bytesReceived === 1 ? 'byte' : 'bytes'}`;
    case 'stun-error':
      return failure.code === 0
        ? 'an error response without an error code'
        : `error ${failure.code} ${printable(failure.reason) || turnErrorName(failure.code)}`.trimEnd();
    case 'malformed':
      return `${failure.detail}: ${failure.preview}`;
    case 'integrity':
      return failure.detail;
    case 'tls':
      return `the TLS handshake failed: ${failure.message}`;
    case 'internal':
      return failure.detail;
    default:
      return failure satisfies never;
  }
}

/** What the codes mean where a socket of this machine takes its own address. */
const bindErrors: Readonly<Record<string, string>> = {
  EADDRNOTAVAIL: 'the address is none of this machine (EADDRNOTAVAIL)',
  EACCES: 'this user may not take that port (EACCES)',
};

/** What the operating system's codes mean in this field; ICMP arrives as one of them on a connected UDP socket. */
const systemErrors: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'refused: nothing listens on that port, or a firewall rejects it (ECONNREFUSED)',
  EHOSTUNREACH: 'no route to that host, or a firewall prohibits it (EHOSTUNREACH)',
  ENETUNREACH: 'no route to that network from here (ENETUNREACH)',
  EACCES: 'a firewall forbids it, or it is a broadcast address (EACCES)',
  EPERM: 'a firewall on this machine forbids it (EPERM)',
  ECONNRESET: 'the connection was reset (ECONNRESET)',
  EPIPE: 'the connection was reset (EPIPE)',
  EADDRINUSE: 'another program has the port (EADDRINUSE)',
  EADDRNOTAVAIL: 'this machine has no address of that family (EADDRNOTAVAIL)',
  EAFNOSUPPORT: 'this machine does not speak that address family (EAFNOSUPPORT)',
  ENOTFOUND: 'no such name, or no address for it (ENOTFOUND)',
  ENODATA: 'no address for that name (ENODATA)',
  EAI_AGAIN: 'the name servers of this machine do not answer, or fail (EAI_AGAIN)',
};

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}

/** A `Failure` from an error of node:net, node:dgram or node:dns. */
export function systemFailure(error: NodeJS.ErrnoException): Failure {
  return { kind: 'system', code: error.code ?? 'UNKNOWN', message: error.message };
}

/** The first bytes of something unexpected: text as text, anything else as hexadecimal. */
export function previewOf(bytes: Uint8Array): string {
  const head = bytes.subarray(0, 32);
  const isText =
    head.length > 0 && head.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0d || byte === 0x0a);
  if (!isText) return `${Buffer.from(head.subarray(0, 16)).toString('hex')} (${bytes.length} bytes)`;
  const [line = ''] = Buffer.from(head)
    .toString('latin1')
    .split(/[\r\n]/);
  return JSON.stringify(line);
}
