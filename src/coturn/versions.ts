import { RtcOpsError } from '../model/error.ts';
import { compareVersions } from '../model/release.ts';

/** The released versions whose options and behaviour are known here, oldest first. */
export const knownVersions = [
  '4.5.2',
  '4.6.0',
  '4.6.1',
  '4.6.2',
  '4.6.3',
  '4.7.0',
  '4.8.0',
  '4.9.0',
  '4.10.0',
  '4.11.0',
  '4.12.0',
  '4.13.0',
  '4.13.1',
  '4.14.0',
  '4.15.0',
  '4.16.0',
  '4.17.0',
  '4.17.1',
  '4.17.2',
  '4.18.0',
] as const;

export type CoturnVersion = (typeof knownVersions)[number];

/** What Debian 12 and 13 and Ubuntu 24.04 ship. */
export const defaultVersion: CoturnVersion = '4.6.1';

/**
 * The known version that `text` names: `4.6.1` itself, or `4.6` for the newest of its line.
 * @throws RtcOpsError `usage`, with the known versions
 */
export function parseVersion(text: string): CoturnVersion {
  const version = knownVersions.findLast((known) => known === text || known.startsWith(`${text}.`));
  // `4` would match every version there is; a line has two numbers.
  if (version !== undefined && /^\d+\.\d+/.test(text)) return version;
  throw new RtcOpsError('usage', `coturn ${text} is not a known version`, {
    hint: `Known are ${knownVersions.join(', ')}.`,
  });
}

/** The known version that behaves most like a release: the newest that is not newer, or else the oldest. */
export function nearestVersion(release: string): CoturnVersion {
  return knownVersions.findLast((known) => compareVersions(known, release) <= 0) ?? knownVersions[0];
}
