import { gunzipSync, gzipSync } from 'node:zlib';
import { createTar, parseTar } from 'nanotar';
import { z } from 'zod';
import type { DoctorFacts } from '../model/doctor-facts.ts';
import { symptomIds } from '../model/doctor-report.ts';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import {
  catalog,
  finding,
  findingCodes,
  type Evidence,
  type Finding,
  type FindingCode,
} from '../model/finding.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import { parseSavedReport } from './saved-report.ts';

/** The files of a support archive, by their names. */
export type ArchiveFiles = ReadonlyMap<string, string>;

// What a script reads of a server has a limit of 48 MB; it stands there twice, and compresses well.
const mostBytes = 256 * 1024 * 1024;

/** The files as a .tar.gz, all of one folder, so that they fall over no other when they are unpacked. */
export function packArchive(folder: string, files: ArchiveFiles, takenAt: Date): Uint8Array {
  const attrs = { mtime: takenAt.getTime(), mode: '600', uid: 0, gid: 0 };
  const entries = [...files].map(([name, text]) => ({
    name: `${folder}/${name}`,
    data: new TextEncoder().encode(text),
    attrs,
  }));
  return gzipSync(createTar(entries));
}

/**
 * The files of an archive. Nothing is written anywhere.
 * @throws RtcOpsError `configuration` for what is no such archive
 */
export function unpackArchive(bytes: Uint8Array, file: string): ArchiveFiles {
  try {
    const entries = parseTar(gunzipSync(bytes, { maxOutputLength: mostBytes }));
    return new Map(
      entries
        .filter(({ type, data }) => type === 'file' && data !== undefined)
        .map(({ name, text }) => [name.replace(/^[^/]*\//, ''), text]),
    );
  } catch (cause) {
    throw notOne(file, whyPacked(cause), cause);
  }
}

/** In other words than those of zlib. */
function whyPacked(cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : null;
  if (code === 'Z_BUF_ERROR') return 'its end is missing, so it was not copied whole';
  if (code === 'Z_DATA_ERROR') return 'it is no .tar.gz, or it is damaged';
  if (code === 'ERR_BUFFER_TOO_LARGE') return `it is larger than ${mostBytes / 2 ** 20} MB`;
  return `it cannot be unpacked: ${reasonOf(cause)}`;
}

const seen = <T extends z.ZodType>(value: T) =>
  z.union([
    z.object({ state: z.literal('seen'), value }),
    z.object({ state: z.literal('unknown'), because: z.string() }),
  ]);
const endpoint = z.object({ address: z.string(), port: z.number() });
const direction = z.object({ packets: z.number() }).loose();
const flow = z.object({
  transport: z.enum(['udp', 'tcp']),
  client: endpoint,
  host: endpoint,
  arrived: direction,
  answered: direction,
  answerTtl: z.number().nullable(),
  isRefused: z.boolean(),
});
const capture = z.object({
  clients: z.array(z.string()),
  host: z.string().nullable(),
  packets: z.number(),
  cutShort: z.string().nullable(),
  flows: z.array(flow),
});
const trace = z.object({
  lacks: z.enum(['program', 'root']),
  log: seen(
    z.object({
      sessions: z.array(
        z.object({
          listener: z.object({ port: z.number(), isUdp: z.boolean() }).nullable(),
          relayPort: z.number().nullable(),
          fromPeers: z.number().nullable(),
        }),
      ),
      unnamed: z.number(),
    }),
  ),
  tracked: seen(
    z.array(z.object({ transport: z.enum(['udp', 'tcp']), hostPort: z.number(), isAnswered: z.boolean() })),
  ),
  untaken: seen(z.array(z.object({ port: z.number(), dropped: z.number(), waiting: z.number() }))),
});
const saved = z.object({
  schemaVersion: z.literal(schemaVersion),
  kind: z.literal('rtc-ops doctor facts'),
  startedAt: z.iso.datetime(),
  durationMs: z.number(),
  symptom: z.enum(symptomIds).nullable(),
  // The first archives have none.
  iceServers: z
    .object({
      file: z.string(),
      urls: z.array(z.string()),
      problems: z.array(
        z.object({
          kind: z.enum(['refused', 'dtls', 'no-turn']),
          at: z.string(),
          text: z.string(),
          instead: z.string().nullable(),
        }),
      ),
    })
    .nullable()
    .default(null),
  leftOut: z.array(
    z.object({ what: z.string(), because: z.string(), how: z.string().nullable(), isRequired: z.boolean() }),
  ),
  server: z
    .object({
      evidence: z.object({
        server: z.string(),
        takenAt: z.iso.datetime(),
        firstClockMs: z.number(),
        lastClockMs: z.number(),
        sections: z.record(z.string(), z.object({ status: z.string(), text: z.string() })),
      }),
      lint: z.array(
        z.object({
          code: z.enum(findingCodes),
          severity: z.enum(['error', 'warning', 'info']),
          evidence: z.record(z.string(), z.unknown()),
        }),
      ),
    })
    .nullable(),
  client: z
    .object({
      probe: z.unknown(),
      network: z.object({
        connectivity: seen(z.string()),
        web: seen(z.object({ address: z.string(), status: z.number(), location: z.string().nullable() })),
      }),
    })
    .nullable(),
  witness: z
    .object({ server: z.string(), capture: seen(capture), trace: trace.nullable().default(null) })
    .nullable(),
});

/** What stands in `facts.json` of an archive. */
export type SavedDoctorFacts = z.input<typeof saved>;

/**
 * Reads the facts of an archive. `file` is how a message names it.
 * @param madeBy the version of rtc-ops that wrote it, where its report says so
 * @throws RtcOpsError `configuration`, with the path of what is wrong
 */
export function parseDoctorFacts(text: string, file: string, madeBy?: string): DoctorFacts {
  try {
    return factsIn(text, file);
  } catch (error) {
    if (madeBy === undefined || madeBy === version || !(error instanceof RtcOpsError)) throw error;
    throw new RtcOpsError(
      'configuration',
      `${file} was written by rtc-ops ${madeBy}, and rtc-ops ${version} cannot judge it`,
      { hint: `Judge it with that version, or unpack it: report.txt in it is what was found.`, cause: error },
    );
  }
}

function factsIn(text: string, file: string): DoctorFacts {
  const { server, client, witness, ...rest } = checked(text, file);
  const probe = client === null ? null : parseSavedReport(JSON.stringify(client.probe), file);
  return {
    startedAt: rest.startedAt,
    durationMs: rest.durationMs,
    symptom: rest.symptom,
    iceServers: rest.iceServers,
    leftOut: rest.leftOut,
    server:
      server === null
        ? null
        : {
            evidence: server.evidence,
            lint: server.lint.map((each) => findingOf(each.code, each.evidence, each.severity, file)),
          },
    client: client === null || probe === null ? null : { ...probe, network: client.network },
    // Counts of bytes stand there as well, and are handed on as they are.
    witness: witness as DoctorFacts['witness'],
  };
}

/** What a report says of itself. */
export interface ReportOrigin {
  /** The version of rtc-ops that wrote it. */
  readonly madeBy: string;
  readonly startedAt: string;
  readonly exitCode: number;
}

const written = z.object({
  tool: z.object({ version: z.string() }),
  startedAt: z.iso.datetime(),
  exitCode: z.number(),
});

/**
 * Where the `report.json` of an archive is from.
 * @throws RtcOpsError `configuration` for what is no report
 */
export function reportOrigin(text: string, file: string): ReportOrigin {
  const result = written.safeParse(parsed(text, 'report.json', file));
  if (!result.success) throw notOne(file, 'its report.json is no report');
  const { tool, startedAt, exitCode } = result.data;
  return { madeBy: tool.version, startedAt, exitCode };
}

function parsed(text: string, name: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw notOne(file, `its ${name} is not JSON: ${reasonOf(cause)}`, cause);
  }
}

function checked(text: string, file: string): z.infer<typeof saved> {
  const result = saved.safeParse(parsed(text, 'facts.json', file));
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  // It would list all that may stand there, some hundred codes for one.
  const message = issue?.code === 'invalid_value' ? 'what stands there is not known' : issue?.message;
  throw notOne(file, `facts.json, ${issue?.path.join('.') ?? ''}: ${message ?? 'it is no such file'}`);
}

/** A finding whose evidence has the form that its words are made for. */
function findingOf<C extends FindingCode>(
  code: C,
  evidence: Readonly<Record<string, unknown>>,
  severity: Finding['severity'],
  file: string,
): Finding {
  for (const [key, example] of Object.entries(catalog[code].example)) {
    const value = evidence[key];
    const isAlike = value === null || example === null || haveOneForm(value, example);
    if (value === undefined || !isAlike)
      throw notOne(file, `facts.json, ${code}: ${key} is not what it should be`);
  }
  return finding(code, evidence as Evidence<C>, { severity });
}

function haveOneForm(a: unknown, b: unknown): boolean {
  if (!Array.isArray(a) || !Array.isArray(b))
    return typeof a === typeof b && Array.isArray(a) === Array.isArray(b);
  const types = new Set([...a, ...b].map((each: unknown) => typeof each));
  return types.size <= 1;
}

function notOne(file: string, because: string, cause?: unknown): RtcOpsError {
  return new RtcOpsError('configuration', `${file} is no archive of rtc-ops doctor: ${because}`, {
    hint: 'It should be what rtc-ops doctor --bundle wrote.',
    ...(cause === undefined ? {} : { cause }),
  });
}
