/** The part of the npm package `stun` 2.1.0 that the tests use; it comes without types. */
declare module 'stun' {
  import type { Socket } from 'node:dgram';
  import type { EventEmitter } from 'node:events';

  interface Address {
    readonly address: string;
    readonly port: number;
    readonly family: 'IPv4' | 'IPv6';
  }

  interface Message {
    readonly type: number;
    readonly transactionId: Buffer;
    readonly count: number;
    getAttribute(type: number): { readonly value: unknown } | undefined;
  }

  interface Request extends Message {
    addAttribute(type: number, ...values: unknown[]): unknown;
    addXorAddress(address: string, port: number): unknown;
    addAddress(address: string, port: number): unknown;
    addAlternateServer(address: string, port: number): unknown;
    addUsername(username: string): unknown;
    addRealm(realm: string): unknown;
    addNonce(nonce: string): unknown;
    addSoftware(software: string): unknown;
    addError(code: number, reason?: string): unknown;
    addUnknownAttributes(types: readonly number[]): unknown;
    addPriority(priority: number): unknown;
    addUseCandidate(): unknown;
    addIceControlling(tieBreaker: Buffer): unknown;
    addMessageIntegrity(key: string | Buffer): boolean;
    addFingerprint(): boolean;
    toBuffer(): Buffer;
  }

  interface Response extends Message {
    getXorAddress(): Address | undefined;
    getAddress(): Address | undefined;
    getAlternateServer(): Address | undefined;
    getUsername(): string | undefined;
    getRealm(): string | undefined;
    getNonce(): string | undefined;
    getSoftware(): string | undefined;
    getUnknownAttributes(): readonly number[] | undefined;
  }

  interface Server extends EventEmitter {
    send(message: Request, port: number, address: string, sent?: (error: Error | null) => void): boolean;
    close(): void;
  }

  const stun: {
    createMessage(type: number, transactionId?: Buffer): Request;
    createServer(options: { readonly type: 'udp4'; readonly socket?: Socket }): Server;
    request(
      url: string,
      options?: { readonly retries?: number; readonly timeout?: number },
    ): Promise<Response>;
    decode(bytes: Buffer): Response;
    encode(message: Message): Buffer;
    validateFingerprint(message: Message): boolean;
    validateMessageIntegrity(message: Message, key: string | Buffer): boolean;
    readonly constants: Readonly<Record<string, number>>;
  };
  export default stun;
}
