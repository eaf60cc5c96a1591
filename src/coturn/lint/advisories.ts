import { holesOf, type AdvisoryId } from '../../model/advisory.ts';
import { compareVersions } from '../../model/release.ts';
import { isSet, lastOf, note, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';

const hasDtls = (source: Source): boolean =>
  compareVersions(source.facts.coturn.version, '4.17.0') >= 0
    ? isSet(source, 'dtls')
    : !isSet(source, 'no-dtls') && lastOf(source, 'cert') !== undefined;
const relaysTraffic = (source: Source): boolean => !isSet(source, 'stun-only');
const webAdmin = (source: Source): boolean => isSet(source, 'web-admin');

/** What a hole needs of the file to be open; all that are not here are open in any. */
const concerns: Partial<Record<AdvisoryId, (source: Source) => boolean>> = {
  'CVE-2025-69217': relaysTraffic,
  'coturn issue 1802': webAdmin,
  'CVE-2026-40613': ({ facts }) => facts.host?.architecture === 'arm64',
  'CVE-2026-43994': (source) => isSet(source, 'oauth'),
  'GHSA-v8hj-2xx7-xmp5': webAdmin,
  'GHSA-4g7c-p5wg-j4hp': (source) => lastOf(source, 'redis-statsdb') !== undefined,
  'CVE-2026-62959': (source) => lastOf(source, 'acme-redirect') !== undefined,
  'CVE-2026-68552': (source) => !isSet(source, 'no-tcp') || !isSet(source, 'no-tls'),
  'CVE-2026-73214': hasDtls,
  'coturn 4.16.0, mobility': (source) => isSet(source, 'mobility'),
  'coturn issue 2043': (source) => !isSet(source, 'no-udp'),
};

/**
 * Holes of the version in use that the file leaves open. An assumed version is none in use. A package with a security
 * revision behind its number (4.6.1-1+deb12u1) may have any of them closed.
 */
export function advisoryFindings(source: Source): LintFinding[] {
  const { release, from, packaged } = source.facts.coturn;
  if (from === 'assumed') return [];
  const mayBePatched = packaged === null ? from === 'given' : isSecurityRevision(packaged);
  return holesOf(release).flatMap(({ id, date, fixedIn, what }) => {
    if (concerns[id]?.(source) === false) return [];
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
