/**
 * What an audit asks a TLS listener for, one handshake each: old versions, and suites that RFC 9325 §4 and RFC 7465 rule
 * out. `today` is what clients offer now; its answer shows that the listener is there to refuse the others.
 */
export const tlsOffers = {
  today: 'what clients offer today',
  'ssl-3.0': 'SSL 3.0',
  'tls-1.0': 'TLS 1.0',
  'tls-1.1': 'TLS 1.1',
  null: 'no encryption',
  anonymous: 'no certificate',
  export: 'export keys of 40 bits',
  des: 'DES',
  rc4: 'RC4',
  '3des': '3DES',
  'rsa-key-exchange': 'RSA key exchange',
  dhe: 'Diffie-Hellman',
} as const;

export type TlsOfferId = keyof typeof tlsOffers;

export const legacyTlsOffers = ['ssl-3.0', 'tls-1.0', 'tls-1.1'] as const satisfies readonly TlsOfferId[];

/** Each is broken, or hides nothing. */
export const brokenSuiteOffers = [
  'null',
  'anonymous',
  'export',
  'des',
  'rc4',
  '3des',
] as const satisfies readonly TlsOfferId[];

/** What came of one offer. A version and a suite are numbers of the IANA registries. */
export type TlsAnswer =
  | {
      readonly kind: 'accepted';
      readonly version: number;
      readonly suite: number;
      /** Null with another key exchange than finite-field Diffie-Hellman. */
      readonly dhBits: number | null;
    }
  | { readonly kind: 'refused'; readonly alert: number }
  /** The connection ended, or nothing came: a refusal of a listener that answers other offers, and else nothing. */
  | { readonly kind: 'closed' | 'silent' }
  /** It says nothing about TLS: what came was something else, or the connection failed. */
  | { readonly kind: 'unclear'; readonly because: string };

export interface TlsOfferFacts {
  readonly offer: TlsOfferId;
  readonly answer: TlsAnswer;
}

/** Forward secrecy and authenticated encryption alone, as OpenSSL writes it; TLS 1.3 is not touched by it. */
export const soundCiphers = 'ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM';
