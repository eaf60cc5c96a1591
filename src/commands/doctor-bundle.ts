import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import {
  packArchive,
  parseDoctorFacts,
  reportOrigin,
  unpackArchive,
  type ReportOrigin,
  type SavedDoctorFacts,
} from '../evidence/doctor-archive.ts';
import { serverFacts } from '../evidence/server/server-facts.ts';
import type { DoctorFacts } from '../model/doctor-facts.ts';
import type { DoctorReport } from '../model/doctor-report.ts';
import { RtcOpsError, whyUnread } from '../model/error.ts';
import { schemaVersion } from '../model/report.ts';
import type { Secret } from '../model/secret.ts';
import { renderDoctorHuman } from '../report/human-doctor.ts';
import { renderJson } from '../report/json.ts';
import { withPseudonyms } from '../report/redaction.ts';
import type { CommandContext } from './context.ts';
import { openOutputFile, type OutputFile } from './output-file.ts';

/** An archive that was read: facts to judge, or a report that can only be shown, as its addresses are gone. */
export type Bundle =
  | { readonly kind: 'facts'; readonly facts: DoctorFacts }
  | {
      readonly kind: 'report';
      readonly human: string;
      readonly json: string;
      readonly origin: ReportOrigin;
    };

/** @throws RtcOpsError `usage` for a file that cannot be written */
export async function openBundle(file: string, { workingDirectory }: CommandContext): Promise<OutputFile> {
  return openOutputFile(resolve(workingDirectory, file), 0o600, '--bundle');
}

/**
 * The archive for those who help: the report, what it was made from, and no secret.
 * @param secrets what must stand nowhere in it, wherever it came from
 */
export function bundleOf(
  facts: DoctorFacts,
  report: DoctorReport,
  { redactsAddresses, secrets }: { readonly redactsAddresses: boolean; readonly secrets: readonly Secret[] },
): Uint8Array {
  const saved = {
    schemaVersion,
    kind: 'rtc-ops doctor facts',
    ...facts,
    client: facts.client && { probe: report.client?.probe, network: facts.client.network },
  } satisfies Record<keyof SavedDoctorFacts, unknown>;
  const sections = Object.entries(facts.server?.evidence.sections ?? {}).map(
    ([name, { status, text }]): [string, string] => [
      `server/${name.replaceAll(/[^\w.-]+/g, '_')}.txt`,
      status === '0' ? text : `(${status})\n${text}`,
    ],
  );
  const files: [string, string][] = [
    ['report.txt', renderDoctorHuman(report, { color: false, columns: 100, all: true })],
    ['report.json', renderJson(report)],
    // What has pseudonyms in place of addresses cannot be judged any more.
    ...(redactsAddresses ? [] : [['facts.json', `${JSON.stringify(saved, null, 2)}\n`] as [string, string]]),
    ...sections,
  ];
  const safe = files.map(([name, text]): [string, string] => [name, withoutSecrets(text, secrets)]);
  const shown = redactsAddresses ? withPseudonyms(safe, namesIn(facts)) : safe;
  return packArchive('rtc-ops-doctor', new Map(shown), new Date(facts.startedAt));
}

/**
 * @throws RtcOpsError `usage` for a file that cannot be read, `configuration` for one that is no such archive
 */
export async function readBundle(file: string, { workingDirectory }: CommandContext): Promise<Bundle> {
  const files = unpackArchive(await bytesOf(resolve(workingDirectory, file), file), file);
  const facts = files.get('facts.json');
  const [human, json] = [files.get('report.txt'), files.get('report.json')];
  const origin = json === undefined ? null : reportOrigin(json, file);
  if (facts !== undefined) return { kind: 'facts', facts: parseDoctorFacts(facts, file, origin?.madeBy) };
  if (human !== undefined && json !== undefined && origin !== null)
    return { kind: 'report', human, json, origin };
  throw new RtcOpsError('configuration', `${file} is no archive of rtc-ops doctor: it has no facts.json`, {
    hint: 'It should be what rtc-ops doctor --bundle wrote.',
  });
}

async function bytesOf(path: string, file: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new RtcOpsError('usage', `--from ${file} cannot be read: ${whyUnread(cause)}`, { cause });
  }
}

// A shorter one would take letters out of every second word, and is no secret.
const shortestSecret = 4;

/** In plain text, and as JSON writes it. */
function withoutSecrets(text: string, secrets: readonly Secret[]): string {
  const values = secrets.map((secret) => secret.reveal()).filter((value) => value.length >= shortestSecret);
  const longestFirst = [...new Set(values)].toSorted((a, b) => b.length - a.length);
  return longestFirst.reduce((rest, value) => {
    const escaped = JSON.stringify(value).slice(1, -1);
    return rest.replaceAll(value, '[redacted]').replaceAll(escaped, '[redacted]');
  }, text);
}

/** Names by which this server and its users could be known. */
function namesIn({ server, client }: DoctorFacts): string[] {
  const facts = server === null ? null : serverFacts(server.evidence);
  const own =
    facts === null
      ? []
      : [
          facts.server.replace(/^.*@/, ''),
          ...(facts.system.state === 'seen' ? [facts.system.value.hostname] : []),
          ...facts.configurations.flatMap(({ settings }) => settings?.realm ?? []),
          ...facts.logs.flatMap((log) =>
            log.state === 'seen' ? log.value.sessions.last.flatMap(({ user, realm }) => [user, realm]) : [],
          ),
        ];
  const probed = client?.observations.targets.map(({ target }) => target.host) ?? [];
  const { credential } = client?.observations ?? {};
  const username = credential === undefined || credential.source === 'none' ? [] : [credential.username];
  const [first] = facts?.server === 'this machine' ? ['this machine'] : [];
  return [...own, ...probed, ...username].filter((name) => name !== first);
}
