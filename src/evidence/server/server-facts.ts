import type { CoturnVersion } from '../../coturn/versions.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { PemCertificate } from '../../model/host-facts.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type { ConfigurationFacts, ServedCertificate, ServerFacts } from '../../model/server-facts.ts';
import { pemFacts } from '../../coturn/lint/pem.ts';
import { configurationFacts } from './configuration.ts';
import { daemonsOf, pidsOf } from './daemon.ts';
import { machineNetwork } from './machine-network.ts';
import { logsOf } from './logs.ts';
import { isRoot, lineOf, sectionOf, seen, seenText, textOf, unknown, valueOf } from './section.ts';
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
  const coturn = installedCoturn(evidence, pidsOf(evidence));
  const version = countingVersion(coturn);
  const configurations = configurationsOf(evidence, version);
  const daemons = daemonsOf(evidence, version);
  const unit = unitFacts(evidence, pidsOf(evidence));
  return {
    server: evidence.server,
    takenAt: evidence.takenAt,
    isRoot: isRoot(evidence),
    system: systemFacts(evidence),
    clock: clockFacts(evidence),
    coturn,
    unit,
    daemons,
    moreDaemons: Number(lineOf(textOf(evidence, 'processes'), 'left') ?? 0) || 0,
    configurations,
    firewall: machineNetwork(evidence),
    served: servedCertificates(evidence, configurations),
    logs: logsOf(evidence, { daemons: valueOf(daemons) ?? [], unit: valueOf(unit) }),
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
