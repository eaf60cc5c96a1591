import { holesOf, packageState, type AdvisoryId } from '../../model/advisory.ts';
import { compareVersions } from '../../model/release.ts';
import { isSet, lastOf, note, wholeFile } from './source.ts';
import type { LintFinding, Source } from './source.ts';

const hasDtls = (source: Source): boolean =>
  compareVersions(source.facts.coturn.version, '4.17.0') >= 0
    ? isSet(source, 'dtls')
    : !isSet(source, 'no-dtls') && lastOf(source, 'cert') !== undefined;
const relaysTraffic = (source: Source): boolean => !isSet(source, 'stun-only');
const listensOverTcp = (source: Source): boolean => !isSet(source, 'no-tcp') || !isSet(source, 'no-tls');
const webAdmin = (source: Source): boolean => isSet(source, 'web-admin');

/** What a hole needs of the file to be open; all that are not here are open in any. */
const concerns: Partial<Record<AdvisoryId, (source: Source) => boolean>> = {
  'CVE-2018-4056': webAdmin,
  'CVE-2020-6061/6062': listensOverTcp,
  'CVE-2020-26262': relaysTraffic,
  'CVE-2025-69217': relaysTraffic,
  'coturn issue 1802': webAdmin,
  'CVE-2026-40613': ({ facts }) => facts.host?.architecture === 'arm64',
  'CVE-2026-43994': (source) => isSet(source, 'oauth'),
  'GHSA-v8hj-2xx7-xmp5': webAdmin,
  'GHSA-4g7c-p5wg-j4hp': (source) => lastOf(source, 'redis-statsdb') !== undefined,
  'CVE-2026-62959': (source) => lastOf(source, 'acme-redirect') !== undefined,
  'CVE-2026-68552': listensOverTcp,
  'coturn 4.13.0 (command line)': (source) =>
    !isSet(source, 'no-cli') && lastOf(source, 'cli-password') !== undefined,
  'CVE-2026-73214': hasDtls,
  'CVE-2026-68555/73216': (source) => isSet(source, 'mobility'),
  'CVE-2026-73215': relaysTraffic,
  'coturn issue 2043': (source) => !isSet(source, 'no-udp'),
};

/**
 * Holes of the version in use that the file leaves open. An assumed version is none in use. What a package has closed
 * under its old number is none; a package that is not known here may have any of them closed.
 */
export function advisoryFindings(source: Source): LintFinding[] {
  const { release, from, packaged } = source.facts.coturn;
  if (from === 'assumed') return [];
  return holesOf(release).flatMap(({ id, date, fixedIn, what }) => {
    if (concerns[id]?.(source) === false) return [];
    const state = packaged === null ? null : packageState(packaged, { id, date });
    if (state === 'closed') return [];
    const mayBePatched = state === null ? from === 'given' : state === 'unknown';
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
