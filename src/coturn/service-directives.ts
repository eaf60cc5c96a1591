import type { Config, Database } from '../config/config.ts';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import { flag, option, type Directive } from './directive.ts';
import { hasOption } from './options.ts';
import type { CoturnVersion } from './versions.ts';

/** What coturn logs, and where to. */
export function loggingDirectives({ logging }: Config): Directive[] {
  const { to, verbose, facility, minLevel } = logging;
  return [
    ...(to === 'syslog' ? [flag('syslog'), flag('no-stdout-log')] : []),
    ...(facility === null ? [] : [option('syslog-facility', `LOG_${facility.toUpperCase()}`)]),
    ...(to === 'stdout' ? [option('log-file', 'stdout')] : []),
    ...(to.startsWith('/') ? [option('log-file', to), flag('simple-log'), flag('no-stdout-log')] : []),
    ...(minLevel === null ? [] : [option('log-min-level', minLevel)]),
    ...(verbose ? [flag('verbose')] : []),
  ];
}

/** The figures for Prometheus; the version can serve them (see version-limits.ts). */
export function prometheusDirectives({ prometheus }: Config, version: CoturnVersion): Directive[] {
  if (prometheus === null) return [];
  const { address, port, path, usernameLabels } = prometheus;
  return [
    flag('prometheus'),
    option('prometheus-address', address),
    option('prometheus-port', String(port)),
    ...(hasOption(version, 'prometheus-path') ? [option('prometheus-path', path)] : []),
    ...(usernameLabels ? [flag('prometheus-username-labels')] : []),
  ];
}

/** Where coturn keeps users and secrets. `password` is that of the database, null without one. */
export function databaseDirectives(database: Database | null, password: Secret | null): Directive[] {
  if (database === null) return [];
  if (database.kind === 'sqlite') return [option('userdb', database.path)];
  const { host, port } = database;
  const [name, parts] =
    database.kind === 'postgresql'
      ? ([
          'psql-userdb',
          { host, port, dbname: database.name, user: database.user, connect_timeout: 30 },
        ] as const)
      : (['redis-userdb', { ip: host, port, dbname: database.database, connect_timeout: 30 }] as const);
  const text = Object.entries(parts)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
  if (password === null) return [option(name, text)];
  return [option(name, new Secret(`${text} password=${connectionWord(password)}`))];
}

/** Both readers of connection strings end a value at a blank; libpq knows quotes, that of Redis knows none. */
function connectionWord(password: Secret): string {
  const text = password.reveal();
  if (/^[^\s"'\\=]+$/.test(text)) return text;
  throw new RtcOpsError('configuration', 'the password of the database has a blank, a quote, = or \\ in it', {
    hint: 'coturn could not read it back; take one of letters and digits.',
  });
}
