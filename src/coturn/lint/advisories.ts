import { compareVersions } from '../versions.ts';
import { isSet, lastOf, note, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';

interface Advisory {
  readonly id: string;
  /** When the fix came out. */
  readonly date: string;
  readonly since?: string;
  readonly fixedIn: string;
  readonly what: string;
  /** Whether the file turns on what is affected; always, where there is none. */
  readonly concerns?: (source: Source) => boolean;
}

const hasDtls = (source: Source): boolean =>
  compareVersions(source.facts.coturn.version, '4.17.0') >= 0
    ? isSet(source, 'dtls')
    : !isSet(source, 'no-dtls') && lastOf(source, 'cert') !== undefined;
const relaysTraffic = (source: Source): boolean => !isSet(source, 'stun-only');
const webAdmin = (source: Source): boolean => isSet(source, 'web-admin');

/** Known holes from 4.5.2 on, as the releases and the advisories of coturn name them. */
const advisories: readonly Advisory[] = [
  {
    id: 'CVE-2025-69217',
    date: '2026-01',
    since: '4.6.3',
    fixedIn: '4.8.0',
    what: 'Nonces and relay ports can be foretold',
    concerns: relaysTraffic,
  },
  {
    id: 'coturn issue 1802',
    date: '2026-02',
    fixedIn: '4.9.0',
    what: 'The web admin accepts wrong passwords',
    concerns: webAdmin,
  },
  {
    id: 'CVE-2026-40613',
    date: '2026-04',
    fixedIn: '4.10.0',
    what: 'One packet without credentials crashes it on ARM64',
    concerns: ({ facts }) => facts.host?.architecture === 'arm64',
  },
  {
    id: 'CVE-2026-43994',
    date: '2026-04',
    fixedIn: '4.10.0',
    what: 'An OAuth token overflows the stack before it is checked',
    concerns: (source) => isSet(source, 'oauth'),
  },
  {
    id: 'GHSA-v8hj-2xx7-xmp5',
    date: '2026-05',
    fixedIn: '4.12.0',
    what: 'SQL can be injected through the web admin',
    concerns: webAdmin,
  },
  {
    id: 'GHSA-4g7c-p5wg-j4hp',
    date: '2026-06',
    fixedIn: '4.13.0',
    what: 'A user name is taken for a format by the statistics in Redis',
    concerns: (source) => lastOf(source, 'redis-statsdb') !== undefined,
  },
  {
    id: 'CVE-2026-62959',
    date: '2026-07',
    fixedIn: '4.15.0',
    what: 'The ACME redirect gives away memory to anybody',
    concerns: (source) => lastOf(source, 'acme-redirect') !== undefined,
  },
  {
    id: 'CVE-2026-68552',
    date: '2026-07',
    fixedIn: '4.15.0',
    what: 'Messages over TCP can be smuggled past its framing',
    concerns: (source) => !isSet(source, 'no-tcp') || !isSet(source, 'no-tls'),
  },
  {
    id: 'CVE-2026-73214',
    date: '2026-08',
    fixedIn: '4.17.0',
    what: 'Anybody exhausts its memory over DTLS',
    concerns: hasDtls,
  },
  {
    id: 'coturn 4.16.0, mobility',
    date: '2026-07',
    fixedIn: '4.17.0',
    what: 'Resumed sessions grow its memory and pass by quotas',
    concerns: (source) => isSet(source, 'mobility'),
  },
  {
    id: 'coturn issue 2043',
    date: '2026-08',
    since: '4.17.0',
    fixedIn: '4.18.0',
    what: 'Its answers over UDP leave with an IP TTL of 1 and reach nobody beyond the first router',
    concerns: (source) => !isSet(source, 'no-udp'),
  },
];

/**
 * Holes of the version in use that the file leaves open. An assumed version is none in use. A package with a security
 * revision behind its number (4.6.1-1+deb12u1) may have any of them closed.
 */
export function advisoryFindings(source: Source): LintFinding[] {
  const { release, from, packaged } = source.facts.coturn;
  if (from === 'assumed') return [];
  const mayBePatched = packaged === null ? from === 'given' : isSecurityRevision(packaged);
  return advisories.flatMap(({ id, date, since, fixedIn, what, concerns }) => {
    if (compareVersions(release, fixedIn) >= 0) return [];
    if (since !== undefined && compareVersions(release, since) < 0) return [];
    if (concerns !== undefined && !concerns(source)) return [];
    const evidence = {
      ...wholeFile(source),
      version: release,
      advisory: id,
      date,
      fixedIn,
      what,
      mayBePatched,
    };
    return [note('VERSION_VULNERABLE', evidence, { severity: mayBePatched ? 'info' : 'warning' })];
  });
}

/** `4.6.1-1+deb12u1`, `4.5.2-3.1ubuntu0.22.04.2`: what Debian and Ubuntu call their security updates. */
function isSecurityRevision(packaged: string): boolean {
  return /\+deb\d+u\d+|ubuntu\d+(?:\.\d+)+/.test(packaged);
}
