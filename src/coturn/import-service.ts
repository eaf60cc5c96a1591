import type { Written } from '../config/written-config.ts';
import { Secret } from '../model/secret.ts';
import { textOf, type ImportDraft } from './import-draft.ts';

/** Who may use the relay. The secrets themselves go to files of their own. */
export function importAuth(draft: ImportDraft): void {
  const secrets = draft.all('static-auth-secret').filter((each) => textOf(each) !== '');
  const users = draft.all('user');
  const isRest = draft.isOn('use-auth-secret') || secrets.length > 0;
  draft.isOn('lt-cred-mech');
  const anonymous = draft.last('no-auth');
  if (anonymous !== undefined && draft.isOn('no-auth')) {
    draft.leave(anonymous, 'an anonymous relay is nothing that rtc-ops writes');
  }
  if (isRest) {
    for (const each of users) draft.leave(each, 'beside a shared secret coturn knows no users of the file');
    const sources = secrets.map((each, index) =>
      kept(draft, index === 0 ? 'rtc-ops.secret' : `rtc-ops.secret-${index + 1}`, textOf(each)),
    );
    const [only, ...more] = sources;
    if (only !== undefined) draft.written['auth'] = { secret: more.length === 0 ? only : sources };
    return;
  }
  const sources = users.flatMap((each, index): [string, Written][] => {
    const [, name, password] = /^([^:]+):\s*(.+)$/.exec(textOf(each)) ?? [];
    if (name !== undefined && password !== undefined) {
      return [[name, kept(draft, `rtc-ops.user-${index + 1}.secret`, password)]];
    }
    draft.leave(each, 'coturn reads it as no user: NAME:PASSWORD');
    return [];
  });
  if (sources.length > 0) draft.written['auth'] = { users: Object.fromEntries(sources) };
}

function kept(draft: ImportDraft, name: string, secret: string): Written {
  draft.secrets.push({ name, secret: new Secret(secret) });
  return { file: name };
}

export function importQuotas(draft: ImportDraft): void {
  const quotas = Object.entries({
    userQuota: draft.number('user-quota'),
    totalQuota: draft.number('total-quota'),
    maxBps: draft.number('max-bps'),
    bpsCapacity: draft.number('bps-capacity'),
  }).flatMap(([key, value]): [string, Written][] => (value === null ? [] : [[key, value]]));
  if (quotas.length > 0) draft.written['quotas'] = Object.fromEntries(quotas);
}

export function importLogging(draft: ImportDraft): void {
  const file = draft.text('log-file');
  const toSyslog = draft.isOn('syslog') || file === 'syslog';
  const to = toSyslog ? 'syslog' : file === '-' ? 'stdout' : file;
  const facility = /^LOG_(\w+)$/i.exec(draft.text('syslog-facility') ?? '')?.[1]?.toLowerCase();
  const minLevel = draft.text('log-min-level')?.toLowerCase();
  for (const name of ['simple-log', 'no-stdout-log']) draft.isOn(name);
  const verbose = draft.isOn('verbose');
  draft.written['logging'] = {
    ...(to !== null && { to }),
    ...(verbose && { verbose }),
    ...(facility !== undefined && { facility }),
    ...(minLevel !== undefined && { minLevel }),
  };
}

export function importPrometheus(draft: ImportDraft): void {
  const address = draft.text('prometheus-address');
  const port = draft.number('prometheus-port');
  const path = draft.text('prometheus-path');
  const usernameLabels = draft.last('prometheus-username-labels') !== undefined;
  // Its value is not looked at: prometheus=0 turns it on too.
  const on = draft.last('prometheus');
  if (on === undefined) return;
  if (address === null)
    draft.leave(on, 'it is served on every address; from here on, on 127.0.0.1 alone (prometheus.address)');
  draft.written['prometheus'] = {
    ...(address !== null && { address }),
    ...(port !== null && { port }),
    ...(path !== null && { path }),
    ...(usernameLabels && { usernameLabels }),
  };
}

/** The names by which the two readers of connection strings know their parts (dbd_redis.c; libpq). */
const parts: Readonly<Record<string, string>> = {
  host: 'host',
  hostaddr: 'host',
  ip: 'host',
  addr: 'host',
  port: 'port',
  dbname: 'name',
  db: 'name',
  user: 'user',
  password: 'password',
  connect_timeout: 'timeout',
};

export function importDatabase(draft: ImportDraft): void {
  const sqlite = draft.text('userdb') ?? draft.text('db') ?? draft.text('sql-userdb');
  const userdb = draft.last('userdb') ?? draft.last('db') ?? draft.last('sql-userdb');
  const [psql, redis] = [draft.last('psql-userdb'), draft.last('redis-userdb')];
  if (sqlite !== null) draft.written['database'] = { sqlite };
  for (const directive of [psql, redis]) {
    if (directive === undefined) continue;
    const known = connectionOf(textOf(directive));
    if (known === null) {
      draft.leave(directive, 'the connection has a part that rtc-ops.yaml has no key for; see database');
      continue;
    }
    const { password, name, port, user, host, timeout = '30' } = known;
    if (timeout !== '30') draft.leave(directive, 'rtc-ops always writes connect_timeout=30');
    if (userdb !== undefined) draft.leave(userdb, 'the other database takes its place');
    const source =
      password === undefined ? {} : { password: kept(draft, 'rtc-ops.database.secret', password) };
    const shared = {
      ...(host !== undefined && { host }),
      ...(port !== undefined && { port: Number(port) }),
      ...source,
    };
    draft.written['database'] =
      directive === psql
        ? {
            postgresql: {
              ...shared,
              ...(name !== undefined && { name }),
              ...(user !== undefined && { user }),
            },
          }
        : { redis: { ...shared, ...(name !== undefined && { database: Number(name) }) } };
  }
}

function connectionOf(text: string): Partial<Record<string, string>> | null {
  const pairs = text
    .split(/\s+/)
    .filter((each) => each !== '')
    .map((each) => /^(\w+)=([^'"\\]*)$/.exec(each));
  const known: Partial<Record<string, string>> = {};
  for (const pair of pairs) {
    const part = parts[pair?.[1] ?? ''];
    if (part === undefined) return null;
    known[part] = pair?.[2] ?? '';
  }
  return known;
}
