import type { DtlsFacts } from '../../model/capture-facts.ts';
import { alertName } from './tls-alert.ts';

const record = { alert: 21, handshake: 22 } as const;
const message = { clientHello: 1 } as const;
const headerBytes = 13;
const mostAlerts = 4;

/** How far a DTLS handshake gets, by what stands in clear in its records (RFC 9147 §4, RFC 6347 §4.1). */
export class DtlsProgress {
  #client: 'a' | 'b' | null = null;
  #clientHellos = 0;
  readonly #hasSpoken = { a: false, b: false };
  readonly #hasEncrypted = { a: false, b: false };
  readonly #alerts: string[] = [];
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;
  #isSeen = false;

  take(bytes: Uint8Array, start: number, end: number, atMs: number | null, isFromA: boolean): void {
    const side = isFromA ? 'a' : 'b';
    for (let at = start; at + headerBytes <= end;) {
      const type = bytes[at] ?? 0;
      // The unified header of DTLS 1.3 is for encrypted records alone (RFC 9147 §4).
      if (type >= 32) {
        this.#seen(atMs);
        this.#hasEncrypted[side] = true;
        return;
      }
      if (bytes[at + 1] !== 0xfe || type < 20 || type > 25) return;
      this.#seen(atMs);
      const epoch = ((bytes[at + 3] ?? 0) << 8) | (bytes[at + 4] ?? 0);
      const body = at + headerBytes;
      if (epoch > 0) this.#hasEncrypted[side] = true;
      else if (type === record.handshake) this.#handshake(bytes[body] ?? 0, side);
      else if (type === record.alert && body + 2 <= end) this.#alert(bytes[body + 1] ?? 0, side);
      at = body + (((bytes[at + 11] ?? 0) << 8) | (bytes[at + 12] ?? 0));
    }
  }

  #seen(atMs: number | null): void {
    this.#isSeen = true;
    this.#firstAtMs ??= atMs;
    this.#lastAtMs = atMs;
  }

  #handshake(type: number, side: 'a' | 'b'): void {
    this.#hasSpoken[side] = true;
    if (type !== message.clientHello) return;
    this.#client ??= side;
    if (this.#client === side) this.#clientHellos++;
  }

  #alert(description: number, side: 'a' | 'b'): void {
    this.#hasSpoken[side] = true;
    if (this.#alerts.length < mostAlerts) this.#alerts.push(`${alertName(description)} from ${side}`);
  }

  /** Null when there was none. */
  facts(): DtlsFacts | null {
    if (!this.#isSeen) return null;
    const other = this.#client === 'a' ? 'b' : 'a';
    return {
      client: this.#client,
      clientHellos: this.#clientHellos,
      isAnswered: this.#hasSpoken[other] || this.#hasEncrypted[other],
      isEncrypted: this.#hasEncrypted.a && this.#hasEncrypted.b,
      alerts: [...this.#alerts],
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
    };
  }
}
