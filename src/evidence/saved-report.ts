import type { z } from 'zod';
import type { Asked } from '../model/asked.ts';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import type { Observations } from '../model/observations.ts';
import { printable } from '../model/printable.ts';
import { schemaVersion, type ReportCriteria } from '../model/report.ts';
import { reportHead, reportSchema } from './report-schema.ts';

/** What a saved report of a probe holds for judging it again. */
export interface SavedReport {
  readonly observations: Observations;
  readonly criteria: ReportCriteria;
}

type Result<T> = { success: true; data: T } | { success: false; error: { issues: readonly Issue[] } };

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly code: string;
  readonly message: string;
  /** Of `invalid_type`: what belongs there. */
  readonly expected?: string;
  /** Of `invalid_value`: what may stand there. */
  readonly values?: readonly unknown[];
  /** Of `too_big`: the most that may be. */
  readonly maximum?: number | bigint;
}

const mostIssues = 5;

/**
 * Reads the JSON report of `rtc-ops probe`. `file` is how a message names it.
 * @throws RtcOpsError `configuration`, with the path of what is wrong
 */
export function parseSavedReport(text: string, file: string): SavedReport {
  const value = parseJson(text, file);
  const head = checked(reportHead.safeParse(value), value, file, 'is no report of rtc-ops');
  if (head.tool.name !== 'rtc-ops') throw wrong(file, 'is no report of rtc-ops: tool.name is another');
  if (head.schemaVersion !== schemaVersion) {
    throw wrong(
      file,
      `has schemaVersion ${head.schemaVersion}; this rtc-ops reads ${schemaVersion}`,
      head.schemaVersion > schemaVersion ? 'Read it with a newer rtc-ops.' : undefined,
    );
  }
  if (head.command !== 'probe') {
    throw wrong(file, `is a report of rtc-ops ${printable(head.command)}, not of rtc-ops probe`);
  }
  const saved = checked(reportSchema.safeParse(value), value, file, 'is no whole report');
  const { startedAt, durationMs, targets, observations, criteria } = saved;
  const { interfaces, credential, names, controls, nat } = observations;
  return {
    observations: {
      startedAt,
      durationMs,
      asked: observations.asked ?? askedBefore(saved),
      interfaces,
      credential,
      names,
      controls,
      nat,
      targets: targets.map(({ observations: facts, ...target }) => ({ target, ...facts })),
    },
    criteria,
  };
}

/** What was asked for, of a report that does not say so: what was tried. Of a number it has the least that it can be. */
function askedBefore({ targets, observations }: z.infer<typeof reportSchema>): Asked {
  const { callDurationMs, nat, controls } = observations;
  const outside = targets.flatMap((target) => target.observations.outside ?? []);
  const peers = outside.flatMap((each) => (each.state === 'done' ? [each.value.url] : []));
  const ports = targets.flatMap((target) => target.observations.ports ?? []);
  const wanted = ports.map((each) => (each.state === 'done' ? each.value.wanted : 1));
  const lifetimes = nat?.flatMap(({ lifetime }) => lifetime ?? []) ?? [];
  const idleMs = lifetimes.map((each) => (each.state === 'done' ? each.value.aliveMs : 0));
  return {
    callDurationMs,
    // One that never came to be asked stands nowhere under its name.
    peer: outside.length === 0 ? null : (peers[0] ?? '--peer'),
    ports: wanted.length === 0 ? null : Math.max(...wanted),
    nat: nat && { lifetimeMs: idleMs.length === 0 ? null : Math.max(...idleMs) },
    controls: controls.map(({ target }) => target.url),
  };
}

function parseJson(text: string, file: string): unknown {
  const json = text.replace(/^\ufeff/, '');
  if (json.trim() === '') throw wrong(file, 'is empty');
  try {
    return JSON.parse(json);
  } catch (cause) {
    const hint = isLines(json)
      ? 'It has a report on each line, as --watch writes them. Judge one: tail -n 1 FILE | rtc-ops probe --from -'
      : 'It should be what rtc-ops probe --format json wrote, all of it.';
    throw wrong(file, `is not JSON: ${printable(reasonOf(cause))}`, hint);
  }
}

function isLines(text: string): boolean {
  const [first = '', second = ''] = text.split('\n', 2);
  if (second.trim() === '') return false;
  try {
    JSON.parse(first);
    return true;
  } catch {
    return false;
  }
}

function checked<T>(result: Result<T>, value: unknown, file: string, what: string): T {
  if (result.success) return result.data;
  const { issues } = result.error;
  const lines = issues.slice(0, mostIssues).map((issue) => {
    const place = printable(pathText(issue.path));
    const complaint = printable(complaintOf(issue, value));
    return place === '' ? `  ${complaint}` : `  ${place}: ${complaint}`;
  });
  const more = issues.length - mostIssues;
  throw wrong(file, [`${what}:`, ...lines, ...(more > 0 ? [`  and ${more} more`] : [])].join('\n'));
}

/** What the schema says in words of its own is kept; its library speaks to programmers. */
function complaintOf({ path, code, message, ...issue }: Issue, value: unknown): string {
  if (valueAt(value, path) === undefined) return 'it is missing';
  switch (code) {
    case 'invalid_type':
      return `it is no ${issue.expected}`;
    case 'invalid_value':
      return `it must be ${issue.values?.map((each) => JSON.stringify(each)).join(' or ')}`;
    case 'invalid_union':
      return 'it is none of the forms that may stand there';
    case 'too_big':
      return `it is too much, at most ${issue.maximum}`;
    default:
      return message;
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? (Reflect.get(at, key) as unknown) : undefined),
    value,
  );
}

/** `targets[0].observations.binding` */
function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
}

function wrong(file: string, message: string, hint?: string): RtcOpsError {
  return new RtcOpsError('configuration', `${file} ${message}`, hint === undefined ? {} : { hint });
}
