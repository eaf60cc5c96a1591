import type { HostFacts } from '../../ansible/host-facts.ts';
import { hasOption, isEffective } from '../../coturn/options.ts';
import { parseDirectives } from '../../coturn/parse.ts';
import { knownVersions, nearestVersion, type CoturnVersion } from '../../coturn/versions.ts';
import { compareVersions } from '../../model/release.ts';

/** The release in the version of a package, EPOCH:UPSTREAM-REVISION (deb-version(7)): `1:4.6.1-1` is 4.6.1. */
export function releaseOf(packaged: string): string | null {
  return /^(?:\d+:)?(\d+(?:\.\d+)+)/.exec(packaged)?.[1] ?? null;
}

/** The coturn for which a turnserver.conf was rendered, as its first line says; null for one that is not ours. */
export function renderedFor(text: string): string | null {
  return /^# turnserver\.conf for coturn (\d+(?:\.\d+)+), written by rtc-ops/.exec(text)?.[1] ?? null;
}

/**
 * Why a configuration that nobody has changed differs: coturn is another one than at the last deployment. And that it is
 * one whose options are not known here.
 * @param wanted the configuration for `version`
 */
export function versionNotes(
  { coturn, files }: Pick<HostFacts, 'coturn' | 'files'>,
  wanted: string,
  version: CoturnVersion,
): string[] {
  const release = releaseOf(coturn.installed ?? coturn.candidate ?? '') ?? version;
  const newest = knownVersions.at(-1) ?? version;
  const isUnknown = compareVersions(release, newest) > 0;
  const present = files['/etc/turnserver.conf']?.text ?? '';
  const before = renderedFor(present);
  return [
    ...(before === null || before === version
      ? []
      : [changeOf({ present, wanted, before, version, release })]),
    ...(isUnknown
      ? [
          `coturn ${release} is newer than the newest that is known here, ${newest}; its configuration is made for that one`,
        ]
      : []),
  ];
}

function changeOf({
  present,
  wanted,
  before,
  version,
  release,
}: {
  readonly present: string;
  readonly wanted: string;
  readonly before: string;
  readonly version: CoturnVersion;
  readonly release: string;
}): string {
  const [had, has] = [namesIn(present), namesIn(wanted)];
  const removed = had.filter((name) => !hasOption(version, name));
  const idle = had.filter((name) => hasOption(version, name) && !isEffective(version, name));
  const added = has.filter((name) => !had.includes(name) && !isEffective(nearestVersion(before), name));
  const parts = [
    ...(removed.length === 0 ? [] : [`it has no ${removed.join(', ')} any more`]),
    ...(idle.length === 0 ? [] : [`${idle.join(', ')} ${idle.length === 1 ? 'does' : 'do'} nothing in it`]),
    ...(added.length === 0 ? [] : [`it has ${added.join(', ')}`]),
  ];
  const what = `coturn is ${release}, and its configuration was made for ${before}`;
  return parts.length === 0 ? what : `${what}: ${parts.join('; ')}`;
}

function namesIn(text: string): string[] {
  return [...new Set(parseDirectives(text).map(({ name }) => name))];
}

/**
 * What to know before a configuration comes back that was made for another coturn than the host has now.
 * @param made the version that it was made for; null where it is not ours
 */
export function returnNotes({ coturn }: Pick<HostFacts, 'coturn'>, made: string | null): string[] {
  const release = releaseOf(coturn.installed ?? '');
  if (made === null || release === null || made === nearestVersion(release)) return [];
  return [
    `that state was made for coturn ${made}, and ${release} is installed, which stays: it warns of options that it does not know, and leaves them out. Afterwards rtc-ops deploy makes one for ${release}.`,
  ];
}

/** Why a kept configuration must not come back; null where it may. */
export function returnObstacle({ coturn }: Pick<HostFacts, 'coturn'>, made: string | null): string | null {
  const release = releaseOf(coturn.installed ?? '');
  if (made === null || release === null || compareVersions(made, nearestVersion(release)) <= 0) return null;
  return `that state was made for coturn ${made}, and ${release} is installed, which leaves open what that one closes by itself; rtc-ops deploy makes one for ${release}`;
}
