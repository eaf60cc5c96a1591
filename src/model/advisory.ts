import { compareVersions } from './release.ts';

/** A published hole of coturn. */
export interface Advisory {
  readonly id: string;
  /** When the fix came out. */
  readonly date: string;
  /** The first release that has it; any older one too where there is none. */
  readonly since?: string;
  readonly fixedIn: string;
  readonly what: string;
}

/** When the two lists below were last held against what is published. */
export const advisoriesAsOf = '2026-11';

/** Known holes, as the releases and the advisories of coturn and the changelogs of Debian name them. */
const advisories = [
  {
    id: 'CVE-2018-4056',
    date: '2019-01',
    fixedIn: '4.5.1.0',
    what: 'SQL can be injected through the login of the web admin',
  },
  {
    id: 'CVE-2020-6061/6062',
    date: '2020-02',
    fixedIn: '4.5.1.2',
    what: 'An HTTP request without credentials reads its memory, or crashes it',
  },
  {
    id: 'CVE-2020-4067',
    date: '2020-06',
    fixedIn: '4.5.1.3',
    what: 'The padding of its answers gives away memory to anybody',
  },
  {
    id: 'CVE-2020-26262',
    date: '2021-01',
    fixedIn: '4.5.2',
    what: 'Users reach the loopback of the server by the peers 0.0.0.0, :: and ::1',
  },
  {
    id: 'CVE-2025-69217',
    date: '2026-01',
    since: '4.6.3',
    fixedIn: '4.8.0',
    what: 'Nonces and relay ports can be foretold',
  },
  {
    id: 'coturn issue 1802',
    date: '2026-02',
    fixedIn: '4.9.0',
    what: 'The web admin accepts wrong passwords',
  },
  {
    id: 'CVE-2026-40613',
    date: '2026-04',
    fixedIn: '4.10.0',
    what: 'One packet without credentials crashes it on ARM64',
  },
  {
    id: 'CVE-2026-43994',
    date: '2026-04',
    fixedIn: '4.10.0',
    what: 'An OAuth token overflows the stack before it is checked',
  },
  {
    id: 'GHSA-v8hj-2xx7-xmp5',
    date: '2026-05',
    fixedIn: '4.12.0',
    what: 'SQL can be injected through the web admin',
  },
  {
    id: 'GHSA-4g7c-p5wg-j4hp',
    date: '2026-06',
    fixedIn: '4.13.0',
    what: 'A user name is taken for a format by the statistics in Redis',
  },
  {
    id: 'coturn 4.13.0 (command line)',
    date: '2026-06',
    fixedIn: '4.13.0',
    what: 'Who is in its command line empties any file that it may write',
  },
  {
    id: 'CVE-2026-62959',
    date: '2026-07',
    fixedIn: '4.15.0',
    what: 'The ACME redirect gives away memory to anybody',
  },
  {
    id: 'CVE-2026-68552',
    date: '2026-07',
    fixedIn: '4.15.0',
    what: 'Messages over TCP can be smuggled past its framing',
  },
  {
    id: 'coturn 4.15.0 (integrity)',
    date: '2026-07',
    fixedIn: '4.15.0',
    what: 'What anybody on the path adds behind the signature of a request counts',
  },
  {
    id: 'CVE-2026-73214',
    date: '2026-08',
    fixedIn: '4.17.0',
    what: 'Anybody exhausts its memory over DTLS',
  },
  {
    id: 'CVE-2026-68555/73216',
    date: '2026-08',
    fixedIn: '4.17.0',
    what: 'Resumed sessions (mobility) grow its memory and pass by quotas',
  },
  {
    id: 'CVE-2026-73215',
    date: '2026-08',
    fixedIn: '4.17.0',
    what: 'One user takes every relay port for good (EVEN-PORT)',
  },
  {
    id: 'coturn issue 2043',
    date: '2026-08',
    since: '4.17.0',
    fixedIn: '4.18.0',
    what: 'Its answers over UDP leave with an IP TTL of 1 and reach nobody beyond the first router',
  },
] as const satisfies readonly Advisory[];

export type AdvisoryId = (typeof advisories)[number]['id'];

/** What a release has by its number. A distribution may have closed any of them under the same number. */
export function holesOf(release: string): (Advisory & { readonly id: AdvisoryId })[] {
  return advisories.filter((each: Advisory) => {
    const { since, fixedIn } = each;
    if (since !== undefined && compareVersions(release, since) < 0) return false;
    return compareVersions(release, fixedIn) < 0;
  });
}

/** A package of a distribution, under the number of a release of coturn. */
export interface PackageRelease {
  readonly version: string;
  readonly distribution: string;
  /** By its changelog. What was published later cannot be closed in it. */
  readonly made: string;
  /** What it has closed under its old number. */
  readonly closes?: readonly AdvisoryId[];
}

/** By their changelogs, but for the first: that is DSA-4829 and DSA-4711. */
const packages: readonly PackageRelease[] = [
  {
    version: '4.5.1.1-1.1+deb10u2',
    distribution: 'Debian 10',
    made: '2021-01',
    closes: ['CVE-2020-6061/6062', 'CVE-2020-4067', 'CVE-2020-26262'],
  },
  { version: '4.5.2-3', distribution: 'Debian 11', made: '2021-03' },
  { version: '4.5.2-3.1', distribution: 'Debian', made: '2022-06' },
  { version: '4.6.1-1', distribution: 'Debian 12', made: '2023-02' },
  { version: '4.6.1-2', distribution: 'Debian 13', made: '2024-04' },
  { version: '4.12.0-1', distribution: 'Debian', made: '2026-06' },
  { version: '4.14.0-1', distribution: 'Debian', made: '2026-07' },
  { version: '4.15.0-1', distribution: 'Debian', made: '2026-07' },
  { version: '4.18.0-1', distribution: 'Debian', made: '2026-10' },
];

/** The packages that are known here and carry the number of this release. */
export function packagesOf(release: string): readonly PackageRelease[] {
  return packages.filter(({ version }) => version.replace(/-[^-]*$/, '') === release);
}

/**
 * Whether a package has a hole of its release closed. Unknown of every package that is not in the list: a revision that
 * is not known here may close any of them.
 *
 * @param packaged `4.6.1-1`, as dpkg tells it; a rebuild without a change (`4.6.1-1build4`, `4.6.1-1+b1`) is what it was
 */
export function packageState(
  packaged: string,
  { id, date }: Pick<Advisory, 'id' | 'date'>,
): 'open' | 'closed' | 'unknown' {
  const revision = packaged.replace(/^\d+:/, '').replace(/(?:build\d+|\+b\d+)$/, '');
  const known = packages.find(({ version }) => version === revision);
  if (known === undefined) return 'unknown';
  if (known.closes?.some((each) => each === id)) return 'closed';
  return known.made < date ? 'open' : 'unknown';
}
