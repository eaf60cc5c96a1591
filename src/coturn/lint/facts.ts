import type { InterfaceAddress } from '../../model/observations.ts';
import type { CoturnVersion } from '../versions.ts';

/** All that the lint judges by: plain data, so that what was gathered on one machine can be judged on another. */
export interface LintFacts {
  /** The name of the file as messages show it; `-` for standard input. */
  readonly file: string;
  /** What stands in it, undecoded bytes as the characters of their number. */
  readonly text: string;
  readonly coturn: CoturnFacts;
  /** How many people use the relay at once, where that is known. */
  readonly users: number | null;
  /** The machine that the file is for; null when this is not known to be the one at hand. */
  readonly host: HostFacts | null;
  /** ISO 8601: what certificates are judged against. */
  readonly now: string;
}

export interface CoturnFacts {
  /** The known version whose options and behaviour count. */
  readonly version: CoturnVersion;
  /** What is installed, such as 4.18.0; the same as `version` where nothing newer or older is. */
  readonly release: string;
  readonly from: 'given' | 'installed' | 'assumed';
  /** The version of the package of the distribution, such as 4.6.1-1; null where there is none. */
  readonly packaged: string | null;
}

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
