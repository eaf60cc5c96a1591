import type { HostFacts } from '../../model/host-facts.ts';
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
