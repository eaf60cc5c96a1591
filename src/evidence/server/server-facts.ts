import { LogAssembly } from '../../coturn/log/assembly.ts';
import type { CoturnVersion } from '../../coturn/versions.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { PemCertificate } from '../../model/host-facts.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type { ConfigurationFacts, ServedCertificate, ServerFacts } from '../../model/server-facts.ts';
import type { ServerLogFacts } from '../../model/server-log-facts.ts';
import { pemFacts } from '../../coturn/lint/pem.ts';
import { configurationFacts } from './configuration.ts';
import { daemonsOf, pidsOf } from './daemon.ts';
import { machineNetwork } from './machine-network.ts';
import { isRoot, lineOf, sectionOf, seen, seenText, textOf, unknown } from './section.ts';
import {
  clockFacts,
  countingVersion,
  dockerFacts,
  installedCoturn,
  limitFacts,
  systemFacts,
  unitFacts,
} from './system.ts';

/** What the evidence of a server says. Pure: of a server that was asked now, and of one that was saved, alike. */
export function serverFacts(evidence: ServerEvidence): ServerFacts {
  const coturn = installedCoturn(evidence);
  const version = countingVersion(coturn);
  const configurations = configurationsOf(evidence, version);
  return {
    server: evidence.server,
    takenAt: evidence.takenAt,
    isRoot: isRoot(evidence),
    system: systemFacts(evidence),
    clock: clockFacts(evidence),
    coturn,
    unit: unitFacts(evidence, pidsOf(evidence)),
    daemons: daemonsOf(evidence, version),
    moreDaemons: Number(lineOf(textOf(evidence, 'processes'), 'left') ?? 0) || 0,
    configurations,
    firewall: machineNetwork(evidence),
    served: servedCertificates(evidence, configurations),
    logs: logsOf(evidence),
    limits: limitFacts(evidence),
    docker: dockerFacts(evidence),
    hasUsualConfiguration: sectionOf(evidence, 'usual-configuration').status === '0',
  };
}

/** Each file once, with all the processes that read it with the same options. */
function configurationsOf(evidence: ServerEvidence, version: CoturnVersion): ConfigurationFacts[] {
  const pids = pidsOf(evidence);
  return (pids.length === 0 ? [0] : pids).flatMap((pid) => {
    const facts = configurationFacts(evidence, pid, version);
    return facts === null ? [] : [facts];
  });
}

function servedCertificates(
  evidence: ServerEvidence,
  configurations: readonly ConfigurationFacts[],
): ServedCertificate[] {
  return Object.keys(evidence.sections).flatMap((name): ServedCertificate[] => {
    const [, id, endpoint = ''] = /^served (\d+) (\S+)$/.exec(name) ?? [];
    if (id === undefined) return [];
    const pid = Number(id);
    const text = seenText(evidence, name, `the certificate that ${endpoint} serves`);
    const configuration = configurations.find(({ pids }) => pids.includes(pid));
    const path = configuration?.settings?.cert ?? null;
    const pem = path === null ? null : (configuration?.host?.files[path]?.pem ?? null);
    return [
      {
        pid,
        endpoint,
        served: text.state === 'unknown' ? text : servedIn(text.value, endpoint),
        path,
        onDisk:
          pem?.certificates[0] === undefined
            ? unknown('the file of the certificate cannot be read')
            : seen(pem.certificates[0]),
      },
    ];
  });
}

function servedIn(text: string, endpoint: string): Seen<PemCertificate> {
  const [leaf] = pemFacts(text).certificates;
  return leaf === undefined ? unknown(`a TLS handshake with ${endpoint} came to nothing`) : seen(leaf);
}

/** The journal where coturn writes there, and the files that processes write. */
function logsOf(evidence: ServerEvidence): Seen<ServerLogFacts>[] {
  const names = Object.keys(evidence.sections).filter((name) => /^log \d+ /.test(name));
  const files = names.map((name) => logOf(evidence, name, name.replace(/^log \d+ /, '')));
  const journal = sectionOf(evidence, 'journal');
  const name = 'the journal of coturn';
  if (journal.status === '127') return files;
  if (journal.text.trim() !== '') return [logOf(evidence, 'journal', name), ...files];
  if (files.length > 0) return files;
  const reason = isRoot(evidence) ? '' : ', as far as it may be read without root';
  return [unknown(`${name} has nothing of the last hours${reason}`)];
}

function logOf(evidence: ServerEvidence, name: string, file: string): Seen<ServerLogFacts> {
  const text = seenText(evidence, name, file);
  if (text.state === 'unknown') return text;
  // What the kernel says belongs to neither, and is read with the first.
  const kernel = name === 'journal' ? sectionOf(evidence, 'kernel').text : '';
  const assembly = new LogAssembly(Date.parse(evidence.takenAt));
  for (const line of `${text.value}\n${kernel}`.split('\n'))
    if (line !== '') assembly.push({ text: line, isCut: false });
  return seen(assembly.finish(file, null));
}
