import { defaults } from '../config/defaults.ts';
import type { Written } from '../config/written-config.ts';
import { textOf, type ImportDraft } from './import-draft.ts';
import type { ParsedDirective } from './parse.ts';

/** Who may use the relay. The secrets themselves go to files of their own. */
export function importAuth(draft: ImportDraft): void {
  const secrets = secretLines(draft);
  const users = draft.all('user');
  const isRest = draft.isOn('use-auth-secret') || secrets.length > 0;
  const longTerm = draft.last('lt-cred-mech');
  // Behind a secret or a user it turns off what they turned on (measured on 4.6.1).
  if (longTerm !== undefined && !draft.isOn('lt-cred-mech'))
    draft.leave(longTerm, 'rtc-ops always has coturn ask for credentials');
  const anonymous = draft.last('no-auth');
  if (anonymous !== undefined && draft.isOn('no-auth')) {
    draft.leave(anonymous, 'an anonymous relay is nothing that rtc-ops writes');
  }
  if (isRest) {
    for (const each of users) draft.leave(each, 'beside a shared secret coturn knows no users of the file');
    const sources = secrets.map((each, index) =>
      draft.keep(index === 0 ? 'secret' : `secret-${index + 1}`, textOf(each)),
    );
    const [only, ...more] = sources;
    if (only !== undefined) draft.written['auth'] = { secret: more.length === 0 ? only : sources };
    return;
  }
  importUsers(draft, users);
}

function secretLines(draft: ImportDraft): ParsedDirective[] {
  return draft.all('static-auth-secret').filter((each) => {
    const isEmpty = textOf(each) === '';
    if (isEmpty) draft.leave(each, 'the secret is empty');
    return !isEmpty;
  });
}

function importUsers(draft: ImportDraft, lines: readonly ParsedDirective[]): void {
  const users = new Map<string, { readonly line: ParsedDirective; readonly password: string }>();
  for (const line of lines) {
    const [, name, password] = /^([^:]+):\s*(.+)$/.exec(textOf(line)) ?? [];
    if (name === undefined || password === undefined) {
      draft.leave(line, 'coturn reads it as no user: NAME:PASSWORD');
      continue;
    }
    const earlier = users.get(name);
    // The last one counts (measured on 4.6.1).
    if (earlier !== undefined) draft.overrule([earlier.line], line, () => earlier.password === password);
    if (/^0x[0-9a-f]{32,}$/i.test(password))
      draft.leave(line, 'it is the key of a password, which coturn takes and rtc-ops cannot log in with');
    users.set(name, { line, password });
  }
  if (users.size === 0) return;
  const sources = [...users].map(([name, { password }], index): [string, Written] => [
    name,
    draft.keep(`user-${index + 1}.secret`, password),
  ]);
  draft.written['auth'] = { users: Object.fromEntries(sources) };
}

export function importQuotas(draft: ImportDraft): void {
  const quotas = Object.entries({
    userQuota: draft.limit('user-quota'),
    totalQuota: draft.limit('total-quota'),
    maxBps: draft.limit('max-bps'),
    bpsCapacity: draft.limit('bps-capacity'),
  }).flatMap(([key, value]): [string, Written][] => (value === null ? [] : [[key, value]]));
  if (quotas.length > 0) draft.written['quotas'] = Object.fromEntries(quotas);
}

export function importLogging(draft: ImportDraft): void {
  const line = draft.last('log-file');
  const file = line === undefined ? null : textOf(line);
  const toSyslog = draft.isOn('syslog') || file === 'syslog';
  const to = toSyslog ? 'syslog' : file === '-' ? 'stdout' : file;
  const isFile = to?.startsWith('/') === true;
  if (line !== undefined && toSyslog && file !== 'syslog')
    draft.leave(line, 'everything goes to syslog, and this stays empty');
  const simple = draft.last('simple-log');
  if (simple === undefined && line !== undefined && isFile)
    draft.leave(line, 'the file has exactly this name from here on, without a date (simple-log)');
  if (simple !== undefined && draft.isOn('simple-log') && !isFile)
    draft.leave(simple, 'it is about the name of a log file, and there is none from here on (logging.to)');
  const silent = draft.last('no-stdout-log');
  if (silent !== undefined && draft.isOn('no-stdout-log') && to === 'stdout')
    draft.leave(silent, 'the log goes to stdout');
  const verbose = draft.isOn('verbose');
  const facility = facilityIn(draft);
  const minLevel = draft.text('log-min-level')?.toLowerCase();
  draft.written['logging'] = {
    ...(to !== null && { to }),
    ...(verbose && { verbose }),
    ...(facility !== null && { facility }),
    ...(minLevel !== undefined && { minLevel }),
  };
}

function facilityIn(draft: ImportDraft): string | null {
  const line = draft.last('syslog-facility');
  if (line === undefined) return null;
  const [, facility] = /^LOG_(\w+)$/i.exec(textOf(line)) ?? [];
  if (facility === undefined) draft.leave(line, 'coturn knows no such facility; one is LOG_LOCAL0');
  return facility?.toLowerCase() ?? null;
}

export function importPrometheus(draft: ImportDraft): void {
  // Its value is not looked at: prometheus=0 turns it on too.
  const on = draft.last('prometheus');
  const parts = ['prometheus-address', 'prometheus-port', 'prometheus-path', 'prometheus-username-labels'];
  if (on === undefined) {
    for (const line of parts.flatMap((name) => draft.all(name)))
      draft.leave(line, 'without prometheus it counts for nothing');
    return;
  }
  const address = draft.text('prometheus-address');
  const port = draft.port('prometheus-port', defaults.prometheus.port);
  const path = draft.text('prometheus-path');
  const usernameLabels = draft.last('prometheus-username-labels') !== undefined;
  if (address === null) {
    draft.leave(
      on,
      'it is served on every address; from here on, on 127.0.0.1 alone (prometheus.address), which coturn can from 4.6.3 on: render refuses older ones',
    );
  }
  draft.written['prometheus'] = {
    ...(address !== null && { address }),
    ...(port !== null && { port }),
    ...(path !== null && { path }),
    ...(usernameLabels && { usernameLabels }),
  };
}

/** The names by which the two readers of connection strings know their parts (dbd_redis.c; libpq). */
const connectionParts: Readonly<Record<string, keyof Connection>> = {
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
  // Three names of one option.
  const files = ['userdb', 'db', 'sql-userdb']
    .flatMap((name) => draft.all(name))
    .toSorted((a, b) => a.line - b.line);
  const file = files.at(-1);
  if (file !== undefined) {
    draft.overrule(files, file, (each) => textOf(each) === textOf(file));
    draft.written['database'] = { sqlite: textOf(file) };
  }
  const connections = [draft.last('psql-userdb'), draft.last('redis-userdb')]
    .filter((each) => each !== undefined)
    .toSorted((a, b) => a.line - b.line);
  const connection = connections.at(-1);
  if (connection === undefined) return;
  draft.overrule(connections, connection, () => false);
  const known = connectionOf(textOf(connection));
  if (known === null) {
    draft.leave(connection, 'the connection has a part that rtc-ops.yaml has no key for; see database');
    return;
  }
  if ((known.timeout ?? '30') !== '30') draft.leave(connection, 'rtc-ops always writes connect_timeout=30');
  if (file !== undefined) draft.leave(file, 'the other database takes its place');
  draft.written['database'] = databaseOf(draft, connection, known);
}

function databaseOf(
  draft: ImportDraft,
  { name: option }: ParsedDirective,
  { password, name, port, user, host }: Connection,
): Written {
  const shared = {
    ...(host !== undefined && { host }),
    ...(port !== undefined && { port: Number(port) }),
    ...(password !== undefined && { password: draft.keep('database.secret', password) }),
  };
  if (option === 'redis-userdb')
    return { redis: { ...shared, ...(name !== undefined && { database: Number(name) }) } };
  return {
    postgresql: { ...shared, ...(name !== undefined && { name }), ...(user !== undefined && { user }) },
  };
}

type Connection = Partial<Record<'host' | 'port' | 'name' | 'user' | 'password' | 'timeout', string>>;

function connectionOf(text: string): Connection | null {
  const pairs = text
    .split(/\s+/)
    .filter((each) => each !== '')
    .map((each) => /^(\w+)=([^'"\\]*)$/.exec(each));
  const known: Connection = {};
  for (const pair of pairs) {
    const part = connectionParts[pair?.[1] ?? ''];
    if (part === undefined) return null;
    known[part] = pair?.[2] ?? '';
  }
  return known;
}
