import type { Config } from '../config/config.ts';
import { defaults } from '../config/defaults.ts';
import { RtcOpsError } from '../model/error.ts';
import { compareVersions } from '../model/release.ts';
import type { CoturnVersion } from './versions.ts';

interface Limit {
  readonly key: string;
  readonly isAsked: (config: Config) => boolean;
  /** The first version that can. */
  readonly since: string;
  readonly because: string;
}

const limits: readonly Limit[] = [
  {
    key: 'logging.facility',
    isAsked: ({ logging }) => logging.facility !== null,
    since: '4.6.0',
    because: 'has no syslog-facility',
  },
  {
    key: 'logging.minLevel',
    isAsked: ({ logging }) => logging.minLevel !== null,
    since: '4.15.0',
    because: 'has no log-min-level',
  },
  {
    // And as Debian and Ubuntu build 4.6.1, it has no Prometheus at all.
    key: 'prometheus',
    isAsked: ({ prometheus }) => prometheus !== null,
    since: '4.6.3',
    because: 'serves its figures on every address or not at all: it has no prometheus-address',
  },
  {
    key: 'prometheus.path',
    isAsked: ({ prometheus }) => prometheus !== null && prometheus.path !== defaults.prometheus.path,
    since: '4.7.0',
    because: 'has no prometheus-path',
  },
];

/**
 * Refuses what a version cannot do: a wish that is left out in silence would be taken for granted.
 * @throws RtcOpsError `configuration`, naming the key and the version
 */
export function refuseBeyond(version: CoturnVersion, config: Config): void {
  const beyond = limits.filter(
    ({ isAsked, since }) => isAsked(config) && compareVersions(version, since) < 0,
  );
  const [first] = beyond;
  if (first === undefined) return;
  const messages = beyond.map(({ key, because }) => `${key}: coturn ${version} ${because}`);
  throw new RtcOpsError('configuration', messages.join('\n'), {
    hint: `Leave ${first.key} out, or run coturn ${first.since} or newer (--coturn-version).`,
  });
}
