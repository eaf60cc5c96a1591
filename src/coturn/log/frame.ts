/** What stands around a message of the log: by coturn, syslog, journald, a container. */
export interface LogFrame {
  /** Milliseconds since 1970; null where the line has no time of day. */
  readonly atMs: number | null;
  /** Whether the time came without a zone or without a year. */
  readonly isVague: boolean;
  /** coturn's own seconds since its start; null where it writes dates. */
  readonly uptimeS: number | null;
  /** The program that a syslog prefix names; null without such a prefix. */
  readonly program: string | null;
  readonly message: string;
}

interface Prefix {
  readonly atMs: number | null;
  readonly isVague: boolean;
  readonly end: number;
}

const uptime = /(\d{1,10})(?=:\s|\(\d+\):)/y;
const isoTime = /(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(Z|[+-]\d\d:?\d\d)?/y;
const syslogTime = /(?:<\d{1,3}>)?([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d+)?/y;
// Names are limited so that no hostile line is searched twice.
const sender = / [\w.:-]{1,255} ([\w./@-]{1,64})(?:\[\d{1,10}\])?: ?/y;
const containerStream = / (?:stdout|stderr) [FP] /y;
const composeName = /[\w.-]{1,64} *\| ?/y;
const threadId = /\(\d{1,20}\):? ?/y;
const sourceLine = /[\w./-]{1,80}\.c\(\d{1,6}\):? ?/y;
const level = /(?:DEBUG|INFO|CONTROL|WARNING|ERROR):? /y;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Takes lines of a log apart. One for each log: a time is read once for all lines of its second, and a date without a year
 * is taken for the last one before `nowMs`.
 */
export class FrameReader {
  readonly #nowMs: number;
  #secondText = '';
  #secondMs = 0;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  /** Null for a line that neither coturn nor a system log wrote. */
  read(line: string): LogFrame | null {
    if (line.startsWith('{')) return this.#wrapped(line);
    const own = this.#own(line, 0);
    if (own !== null) return own;
    return this.#prefixed(line);
  }

  /** A line as coturn writes it itself. */
  #own(
    line: string,
    start: number,
    outer: Prefix | null = null,
    program: string | null = null,
  ): LogFrame | null {
    uptime.lastIndex = start;
    const seconds = uptime.exec(line);
    if (seconds !== null) {
      return {
        atMs: outer?.atMs ?? null,
        isVague: outer?.isVague ?? false,
        uptimeS: Number(seconds[1]),
        program,
        message: line.slice(messageStart(line, uptime.lastIndex)),
      };
    }
    const time = this.#iso(line, start);
    if (time === null) return null;
    const next = line.charCodeAt(time.end);
    // ':' up to 4.6.1, '(' of the thread up to 4.16, and from 4.17 on a blank and the level.
    const isOwn = next === 0x3a || next === 0x28 || (next === 0x20 && matches(level, line, time.end + 1));
    if (!isOwn) return null;
    return {
      atMs: time.isVague ? (outer?.atMs ?? time.atMs) : time.atMs,
      isVague: time.isVague && (outer?.isVague ?? true),
      uptimeS: null,
      program,
      message: line.slice(messageStart(line, time.end)),
    };
  }

  #prefixed(line: string): LogFrame | null {
    const time = this.#iso(line, 0) ?? this.#syslog(line);
    if (time === null) {
      if (!matches(composeName, line, 0)) return null;
      const start = composeName.lastIndex;
      const inner = this.#iso(line, start);
      return this.#own(line, start) ?? (inner === null ? null : this.#own(line, inner.end + 1, inner));
    }
    if (matches(containerStream, line, time.end)) {
      return this.#inside(line, containerStream.lastIndex, time, null);
    }
    sender.lastIndex = time.end;
    const from = sender.exec(line);
    if (from !== null) return this.#inside(line, sender.lastIndex, time, from[1] ?? '');
    return this.#own(line, time.end + 1, time);
  }

  /** Behind a prefix stands a line of coturn, or one of another program, which is kept as it is. */
  #inside(line: string, start: number, time: Prefix, program: string | null): LogFrame {
    return (
      this.#own(line, start, time, program) ?? {
        atMs: time.atMs,
        isVague: time.isVague,
        uptimeS: null,
        program,
        message: line.slice(start),
      }
    );
  }

  /** `journalctl -o json`, and the files of Docker. */
  #wrapped(line: string): LogFrame | null {
    const record = jsonOf(line);
    if (record === null) return null;
    const text = textOf(record['MESSAGE'] ?? record['log'] ?? record['message']);
    if (text === null) return null;
    const micros = Number(record['__REALTIME_TIMESTAMP'] ?? Number.NaN);
    const stamp = typeof record['time'] === 'string' ? Date.parse(record['time']) : Number.NaN;
    const atMs = Number.isFinite(micros) ? micros / 1000 : stamp;
    const known = record['SYSLOG_IDENTIFIER'] ?? record['_COMM'];
    const outer = { atMs: Number.isFinite(atMs) ? atMs : null, isVague: false, end: 0 };
    return this.#inside(text.trimEnd(), 0, outer, typeof known === 'string' ? known : null);
  }

  #iso(line: string, start: number): Prefix | null {
    isoTime.lastIndex = start;
    const match = isoTime.exec(line);
    if (match === null) return null;
    const [, date = '', fraction = '', zone = ''] = match;
    const end = isoTime.lastIndex;
    const text = `${date}${zone}`;
    if (text !== this.#secondText) {
      this.#secondMs = Date.parse(
        `${date.replace(' ', 'T')}${zone === '' ? 'Z' : zone.replace(/(\d\d):?(\d\d)$/, '$1:$2')}`,
      );
      this.#secondText = text;
    }
    if (Number.isNaN(this.#secondMs)) return null;
    const ms = fraction === '' ? 0 : Math.floor(Number(`0.${fraction}`) * 1000);
    return { atMs: this.#secondMs + ms, isVague: zone === '', end };
  }

  #syslog(line: string): Prefix | null {
    syslogTime.lastIndex = 0;
    const match = syslogTime.exec(line);
    if (match === null) return null;
    const end = syslogTime.lastIndex;
    if (match[0] !== this.#secondText) {
      const [, month = '', day, hour, minute, second] = match;
      const index = months.indexOf(month);
      if (index < 0) return null;
      const inYear = (year: number): number =>
        Date.UTC(year, index, Number(day), Number(hour), Number(minute), Number(second));
      const year = new Date(this.#nowMs).getUTCFullYear();
      // A day of grace for the zone, which is not told.
      const thisYear = inYear(year);
      this.#secondMs = thisYear > this.#nowMs + 86_400_000 ? inYear(year - 1) : thisYear;
      this.#secondText = match[0];
    }
    return { atMs: this.#secondMs, isVague: true, end };
  }
}

/** Where the message begins behind the time: `: : `, `: (1234): INFO: `, `(1234): INFO: `, ` INFO `, and a file and line. */
function messageStart(line: string, end: number): number {
  let at = separatorEnd(line, end);
  if (matches(threadId, line, at)) at = separatorEnd(line, threadId.lastIndex);
  if (matches(sourceLine, line, at)) at = sourceLine.lastIndex;
  if (matches(level, line, at)) at = level.lastIndex;
  return at;
}

function separatorEnd(line: string, start: number): number {
  let at = start;
  for (let code = line.charCodeAt(at); code === 0x3a || code === 0x20; code = line.charCodeAt(at)) at++;
  return at;
}

function matches(pattern: RegExp, text: string, at: number): boolean {
  pattern.lastIndex = at;
  return pattern.test(text);
}

function jsonOf(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

/** journald gives a message with control characters as a list of bytes. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) return null;
  return Buffer.from(value.map(Number)).toString('utf8');
}
