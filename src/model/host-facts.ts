import type { InterfaceAddress } from './observations.ts';

/** What the machine that is to run coturn is like. */
export interface HostFacts {
  readonly addresses: readonly InterfaceAddress[];
  /** The name of the processor architecture as Node has it, such as x64 or arm64. */
  readonly architecture: string;
  /** Null when no service runs coturn here. */
  readonly service: ServiceFacts | null;
  /** The configuration file itself. */
  readonly own: PathFacts;
  /** Certificate and key, by the path as it stands in the configuration. */
  readonly files: Readonly<Record<string, PathFacts>>;
}

/** What starts coturn, and as whom. */
export interface ServiceFacts {
  readonly unit: string;
  readonly user: string;
  readonly uid: number;
  readonly gids: readonly number[];
  /** The lowest port that it may open: 0 with CAP_NET_BIND_SERVICE, else mostly 1024; null when that is not known. */
  readonly lowestPort: number | null;
}

/** A file, or a directory on the way to it. */
export interface NodeFacts {
  readonly path: string;
  readonly uid: number;
  readonly gid: number;
  /** The permission bits, such as 0o640. */
  readonly mode: number;
}

export interface PathFacts {
  /** Why it could not be looked at, as a code of the system (ENOENT, EACCES); null when it could. */
  readonly error: string | null;
  /** From the root down to the file itself, of the path behind all symbolic links. */
  readonly nodes: readonly NodeFacts[];
  readonly pem: PemFacts | null;
}

/** What a PEM file holds. Of a key no more than the fingerprint of its public half. */
export interface PemFacts {
  /** Why it could not be read; null when it could. */
  readonly error: string | null;
  readonly certificates: readonly PemCertificate[];
  /** SHA-256 of the public key; null when there is no key, or it needs a password. */
  readonly keyFingerprint: string | null;
  readonly isEncrypted: boolean;
}

export interface PemCertificate {
  readonly subject: string;
  readonly notAfter: string;
  readonly selfIssued: boolean;
  /** Where the certificate says that its issuer's is to be had, as public authorities do. */
  readonly namesIssuerUrl: boolean;
  readonly keyFingerprint: string;
}
