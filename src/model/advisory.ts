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

/** Known holes from 4.5.2 on, as the releases and the advisories of coturn name them. */
const advisories = [
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
    id: 'CVE-2026-73214',
    date: '2026-08',
    fixedIn: '4.17.0',
    what: 'Anybody exhausts its memory over DTLS',
  },
  {
    id: 'coturn 4.16.0, mobility',
    date: '2026-07',
    fixedIn: '4.17.0',
    what: 'Resumed sessions grow its memory and pass by quotas',
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
