import { holesOf, packagesOf, packageState } from '../model/advisory.ts';
import { auditChecks } from '../model/audit.ts';
import type {
  Amplification,
  AuditCheckId,
  AuditCheckReport,
  AuditFacts,
  AuditReport,
  ServerAuditFacts,
  UserAuditFacts,
} from '../model/audit.ts';
import type { Outcome } from '../model/check.ts';
import { formOf, judgeTime } from '../model/credential-time.ts';
import { formatEndpoint } from '../model/endpoint.ts';
import { exitCode } from '../model/error.ts';
import { finding, type Finding } from '../model/finding.ts';
import { compareVersions } from '../model/release.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import { judgeAdmin } from './audit-admin.ts';
import { errorName, outcomeOf, why } from './audit-outcome.ts';
import { judgeMapped, judgePeers } from './audit-peers.ts';
import { judgeAuditCertificates, judgeDtls, judgeTlsCiphers, judgeTlsVersions } from './audit-tls.ts';
import { findingList } from './finding-list.ts';
import { listenerOf } from './listener-evidence.ts';
import { passed, skipped, unknown } from './outcome.ts';

export interface AuditCriteria {
  readonly failOn: 'error' | 'warning';
  readonly now: Date;
}

/** Facts → report. What could not be asked is unknown, and never a pass; the same facts give the same report. */
export function judgeAudit(facts: AuditFacts, criteria: AuditCriteria): AuditReport {
  const judged = facts.servers.map((server) => ({
    server,
    outcomes: outcomesOf(server, facts, criteria.now),
  }));
  const findings = findingList(judged.flatMap(({ outcomes }) => Object.values(outcomes).flatMap(findingsOf)));
  const servers = judged.map(({ server: { host, address }, outcomes }) => ({
    host,
    address,
    checks: Object.entries(outcomes).map(([id, outcome]) => checkReport(id as AuditCheckId, outcome)),
  }));
  const isOpen =
    facts.names.some(({ failure }) => failure !== null) ||
    servers.some(({ checks }) => checks.some(({ status }) => status === 'unknown'));
  const fails = findings.some(
    ({ severity }) => severity === 'error' || (criteria.failOn === 'warning' && severity === 'warning'),
  );
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'audit',
    startedAt: facts.startedAt,
    durationMs: facts.durationMs,
    exitCode: fails || isOpen ? exitCode.findings : exitCode.healthy,
    servers,
    notAudited: facts.names.flatMap(({ host, failure }) => (failure === null ? [] : [`${host}: ${failure}`])),
    findings,
    observations: facts,
  };
}

type Outcomes = Readonly<Record<AuditCheckId, Outcome>>;

function outcomesOf(server: ServerAuditFacts, facts: AuditFacts, now: Date): Outcomes {
  const nowSeconds = Math.floor(now.getTime() / 1000);
  return {
    'anonymous-relay': judgeAnonymous(server),
    'loopback-peers': judgePeers(server, ['loopback'], 'LOOPBACK_PEERS_ALLOWED'),
    'private-peers': judgePeers(server, ['private'], 'PRIVATE_PEERS_ALLOWED'),
    'metadata-peers': judgePeers(server, ['link-local', 'metadata'], 'METADATA_PEER_ALLOWED'),
    'multicast-peers': judgePeers(server, ['multicast'], 'MULTICAST_PEERS_ALLOWED'),
    'mapped-peers': judgeMapped(server),
    'tcp-relay': judgeTcpRelay(server),
    amplification: judgeAmplification(server),
    version: judgeVersion(server),
    'tls-certificate': judgeAuditCertificates(server.listeners, now),
    'tls-versions': judgeTlsVersions(server.listeners),
    'tls-ciphers': judgeTlsCiphers(server.listeners),
    dtls: judgeDtls(server),
    'admin-surfaces': judgeAdmin(server),
    'credential-lifetime': judgeLifetime(server, facts, nowSeconds),
    quota: judgeQuota(server),
  };
}

function checkReport(id: AuditCheckId, outcome: Outcome): AuditCheckReport {
  return {
    id,
    title: auditChecks[id],
    status: outcome.status,
    because: 'because' in outcome ? outcome.because : null,
    note: outcome.status === 'passed' ? (outcome.detail ?? '') : '',
    findings: [...new Set(findingsOf(outcome).map(({ code }) => code))],
  };
}

function findingsOf(outcome: Outcome): readonly Finding[] {
  return outcome.status === 'failed' ? outcome.findings : [];
}

function judgeAnonymous({ listeners }: ServerAuditFacts): Outcome {
  const findings: Finding[] = [];
  const open: string[] = [];
  for (const { target, challenge, alternate } of listeners) {
    const targets = [target.url];
    if (challenge.state !== 'done') open.push(`${target.url}: ${why(challenge)}`);
    else if (challenge.value.granted) {
      const relayed = formatEndpoint(challenge.value.relayed);
      findings.push(finding('ANONYMOUS_RELAY', { ...listenerOf(target), relayed }, { targets }));
    } else if (challenge.value.code !== 401) {
      const { code } = challenge.value;
      if (alternate !== null) {
        open.push(
          `${target.url} sends its clients to ${formatEndpoint(alternate)}: audit that one by its own name`,
        );
        continue;
      }
      open.push(
        `${target.url}: an anonymous Allocate was refused with ${errorName(code)}, before the server asked for credentials`,
      );
    }
  }
  return outcomeOf(findings, open);
}

/** 403 Forbidden, and 442 Unsupported Transport (RFC 8656 §7.2). A wrong password or a quota refuse something else. */
const refusesTcp: ReadonlySet<number> = new Set([403, 442]);

function judgeTcpRelay({ host, address, users }: ServerAuditFacts): Outcome {
  // A port for UDP alone cannot be asked, and has none.
  const asked = users.filter(({ tcpRelay }) => tcpRelay.state !== 'not-tried');
  return acrossPorts(asked.length > 0 ? asked : users, ({ tcpRelay, through }) => {
    if (tcpRelay.state !== 'done') return unknown(why(tcpRelay));
    const { refusedWith } = tcpRelay.value;
    if (refusedWith === null) {
      return outcomeOf([finding('TCP_RELAY_ENABLED', { host, address }, { targets: [through] })], []);
    }
    return refusesTcp.has(refusedWith) ? passed() : unknown(`it was refused with ${errorName(refusedWith)}`);
  });
}

/** Each port may be another server: what is open behind one of them is open. */
function acrossPorts(users: readonly UserAuditFacts[], judge: (user: UserAuditFacts) => Outcome): Outcome {
  const outcomes = users.map((user) => ({ user, outcome: judge(user) }));
  const [first] = outcomes;
  if (first !== undefined && outcomes.length === 1) return first.outcome;
  const open = outcomes.flatMap(({ user, outcome }) =>
    outcome.status === 'unknown' ? [`${user.through}: ${outcome.because}`] : [],
  );
  const details = outcomes.flatMap(({ outcome }) =>
    outcome.status === 'passed' && outcome.detail !== undefined ? [outcome.detail] : [],
  );
  return outcomeOf(
    outcomes.flatMap(({ outcome }) => findingsOf(outcome)),
    open,
    details[0],
  );
}

// A Binding answer with the mapped address alone is 32 bytes for 20; up to here nothing can be saved that matters.
const mostAmplification = 4;

function judgeAmplification({ host, address, listeners, dtls }: ServerAuditFacts): Outcome {
  const open: string[] = [];
  const ports: { port: number; targets: string[]; sizes: readonly Amplification[] }[] = [];
  for (const { target, amplification } of listeners) {
    if (target.transport !== 'udp') continue;
    if (amplification.state !== 'done') open.push(`${target.url}: ${why(amplification)}`);
    else ports.push({ port: target.port, targets: [target.url], sizes: amplification.value });
  }
  if (dtls.state === 'done') {
    for (const { port, offers } of dtls.value) {
      const sizes = offers.map((offer): Amplification => ({ request: 'ClientHello', ...offer }));
      ports.push({ port, targets: [], sizes });
    }
  }
  if (ports.length === 0 && open.length === 0) return skipped('no listener over UDP was named');
  const worst = ports.flatMap(({ port, targets, sizes }) =>
    sizes
      .toSorted((a, b) => ratioOf(b) - ratioOf(a))
      .slice(0, 1)
      .map(({ request, requestBytes, answerBytes }) => ({
        targets,
        evidence: { host, address, port, transport: 'udp' as const, request, requestBytes, answerBytes },
      })),
  );
  const findings = worst
    .filter(({ evidence }) => ratioOf(evidence) > mostAmplification)
    .map(({ evidence, targets }) => finding('AMPLIFICATION', evidence, { targets }));
  const most = Math.max(0, ...worst.map(({ evidence }) => ratioOf(evidence)));
  return outcomeOf(findings, open, `${most.toFixed(1)} times`);
}

function ratioOf({ requestBytes, answerBytes }: { requestBytes: number; answerBytes: number }): number {
  return answerBytes / requestBytes;
}

/** `Coturn-4.6.1 'Gorst'` */
const coturnName = /^Coturn-(\d+(?:\.\d+)+)/i;

/** Two servers on one address may be of two versions. */
function judgeVersion({ host, address, listeners }: ServerAuditFacts): Outcome {
  const told = new Set(
    listeners.flatMap(({ software }) => (software.state === 'done' ? (software.value.name ?? []) : [])),
  );
  const open = listeners.flatMap(({ target, software }) =>
    software.state === 'done' ? [] : [`${target.url}: ${why(software)}`],
  );
  const findings = [...told].flatMap((software) => versionFindings(software, { host, address }));
  const [other] = told;
  if (findings.length > 0 || open.length > 0 || other === undefined) {
    return outcomeOf(findings, open, 'not told');
  }
  return skipped(`it calls itself ${other}, of which no holes are listed here`);
}

function versionFindings(software: string, server: { host: string; address: string }): Finding[] {
  const release = coturnName.exec(software)?.[1];
  if (release === undefined) return [];
  const holes = holesOf(release);
  const [last] = holes.toSorted((a, b) => compareVersions(b.fixedIn, a.fixedIn));
  const exposed = finding('VERSION_EXPOSED', { ...server, software });
  if (last === undefined) return [exposed];
  const { fixedIn, date } = last;
  const advisories = holes.map(({ id }) => id);
  const packages = packagesOf(release).flatMap(({ version: packaged, distribution, made }) => {
    const states = holes.map((hole) => ({ id: hole.id, state: packageState(packaged, hole) }));
    if (states.some(({ state }) => state === 'unknown')) return [];
    const closed = states.filter(({ state }) => state === 'closed').map(({ id }) => id);
    return [{ packaged, distribution, made, closed }];
  });
  // A number alone does not tell what the distribution has closed under it.
  const options = { severity: 'info' } as const;
  return [
    exposed,
    finding(
      'VERSION_VULNERABLE',
      { ...server, version: release, advisories, fixedIn, date, packages },
      options,
    ),
  ];
}

const secondsPerDay = 86_400;
/** Beyond a few days a leaked credential is as good as one that lasts. */
const mostDays = 7;

function judgeLifetime(
  { host, address }: ServerAuditFacts,
  { username, credentialSource }: AuditFacts,
  nowSeconds: number,
): Outcome {
  if (username === null) return unknown('no credentials were given');
  if (credentialSource === 'secret') {
    return skipped(
      'the credential was made here from the secret; give one of your application to have it judged',
    );
  }
  if (formOf(username) === 'static') {
    return outcomeOf([finding('CREDENTIAL_LONG_LIVED', { host, address, username, days: null })], []);
  }
  const { expiresAt } = judgeTime(username, nowSeconds);
  if (expiresAt === null) return unknown(`${username} does not say how long it lives`);
  const days = Math.floor((expiresAt - nowSeconds) / secondsPerDay);
  const findings =
    days > mostDays ? [finding('CREDENTIAL_LONG_LIVED', { host, address, username, days })] : [];
  return outcomeOf(findings, [], `${Math.max(0, days)} days left`);
}

/** RFC 8656 §7.2: 486 Allocation Quota Reached, 508 Insufficient Capacity. */
const [quotaReached, outOfCapacity] = [486, 508];

/** coturn answers 486 to the quota of a user as to that of all; what another user gets then tells them apart. */
function judgeQuota(server: ServerAuditFacts): Outcome {
  return acrossPorts(server.users, (user) => judgeQuotaOf(user, server));
}

function judgeQuotaOf(
  { quota, through }: UserAuditFacts,
  { host, address }: Pick<ServerAuditFacts, 'host' | 'address'>,
): Outcome {
  if (quota.state !== 'done') return unknown(why(quota));
  const { granted, refusedWith, other } = quota.value;
  const evidence = { host, address, granted, refusedWith };
  const targets = [through];
  if (refusedWith === null) return outcomeOf([finding('NO_QUOTAS', evidence, { targets })], []);
  const isUsedUp =
    refusedWith === outOfCapacity ||
    (refusedWith === quotaReached &&
      (other?.refusedWith === quotaReached || other?.refusedWith === outOfCapacity));
  if (isUsedUp && granted > 0) {
    return outcomeOf([finding('NO_QUOTAS', evidence, { severity: 'warning', targets })], []);
  }
  if (isUsedUp) return unknown(`the server gives nobody an allocation now: ${errorName(refusedWith)}`);
  if (refusedWith !== quotaReached) {
    return unknown(`allocation ${granted + 1} was refused with ${errorName(refusedWith)}`);
  }
  if (other === null) {
    return unknown(
      `after ${granted} there are no more, for this user or for all: give the secret (--secret-file), so that a second user can be tried`,
    );
  }
  if (other.refusedWith === null) return passed(`${granted} at once`);
  return unknown(`a second user was refused with ${errorName(other.refusedWith)}`);
}
