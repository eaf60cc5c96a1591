import { finding, type Finding } from '../../model/finding.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type {
  ConfigurationFacts,
  Daemon,
  ServedCertificate,
  ServerFacts,
  ServerSettings,
} from '../../model/server-facts.ts';
import { judgeServerLog } from '../analysis/server-log.ts';
import { judgeFirewall } from '../firewall/judgement.ts';
import { machineFindings } from './server-machine.ts';
import { addressFindings, processFindings } from './server-process.ts';

export interface ServerJudgement {
  readonly findings: readonly Finding[];
  readonly notExamined: readonly UnseenThing[];
}

/** What could not be seen, with the reason. */
export interface UnseenThing {
  readonly what: string;
  readonly because: string;
  /** Whether nothing can be called healthy without it. */
  readonly isRequired: boolean;
  /** Whether a probe that got through from another network shows the same. */
  readonly isShownFromOutside?: true;
}

/**
 * What the machine of a server shows. Pure, and the same for the same facts.
 * @param lint what the lint found in the configurations of `facts`
 */
export function judgeServer(facts: ServerFacts, lint: readonly Finding[]): ServerJudgement {
  const host = hostOf(facts);
  const network = networkJudgement(facts, host);
  const logs = facts.logs.map((log) => (log.state === 'seen' ? judgeServerLog(log.value) : null));
  return {
    findings: distinct([
      ...processFindings(facts, host),
      ...crashFindings(facts),
      ...lint,
      ...network.findings,
      ...facts.served.flatMap((each) => certificateFindings(each, facts, host)),
      ...machineFindings(facts, host),
      ...logs.flatMap((log) => log?.findings ?? []).map((each) => weighed(each, facts)),
    ]),
    notExamined: [
      ...unseen(facts),
      ...network.notExamined,
      ...logs.flatMap((log) =>
        (log?.notJudged ?? []).map((because) => ({ what: 'the log', because, isRequired: false })),
      ),
    ],
  };
}

/** A database that does not answer keeps no user out whom the configuration itself names. */
function weighed(logged: Finding, facts: ServerFacts): Finding {
  if (logged.code !== 'LOG_DATABASE_UNREACHABLE') return logged;
  const users = settingsOf(facts).map(({ settings }) => settings.users);
  if (users.length === 0 || users.some(({ areOwn }) => !areOwn)) return logged;
  const severity = users.some(({ hasDatabase }) => hasDatabase) ? 'warning' : 'info';
  return finding(logged.code, logged.evidence, { severity });
}

/** The machine as a person names it. */
export function hostOf({ server, system }: ServerFacts): string {
  const name = server.replace(/^.*@/, '');
  if (server !== 'this machine') return name;
  return system.state === 'seen' && system.value.hostname !== '' ? system.value.hostname : server;
}

/** One finding for what two looks say in the same words. */
function distinct(findings: readonly Finding[]): Finding[] {
  const known = new Set<string>();
  return findings.filter(({ code, evidence }) => {
    const key = JSON.stringify([code, evidence]);
    if (known.has(key)) return false;
    known.add(key);
    return true;
  });
}

/** What is asked of the network of the machine: by the processes in it, or by what would be started next. */
function settingsOf(facts: ServerFacts): { settings: ServerSettings; path: string; isRunning: boolean }[] {
  const daemons = facts.daemons.state === 'seen' ? facts.daemons.value : [];
  const running = daemons.flatMap(({ settings, configuration, isInHostNetwork }) =>
    settings.state === 'seen' && isInHostNetwork !== false
      ? [{ settings: settings.value, path: configuration.path ?? 'its command line', isRunning: true }]
      : [],
  );
  if (daemons.length > 0) return running;
  return facts.configurations.flatMap(({ settings, path }: ConfigurationFacts) =>
    settings === null ? [] : [{ settings, path, isRunning: false }],
  );
}

function networkJudgement(facts: ServerFacts, host: string): ServerJudgement {
  const judged = settingsOf(facts).map(({ settings, path, isRunning }) => {
    const { openings, listeningAddresses, externalAddresses } = settings;
    const addresses = listeningAddresses.filter((each) => each !== '0.0.0.0' && each !== '::');
    const { openings: checked, findings } = judgeFirewall({
      openings,
      host,
      addresses,
      publicAddresses: externalAddresses.map(({ outside }) => outside),
      facts: { ...facts.firewall, outside: null },
    });
    const unknown = checked.flatMap(({ title, protocol, ports, checks }) =>
      checks.flatMap(({ id, status, because }) =>
        status === 'unknown' && because !== null
          ? [
              {
                what: `${id === 'firewall-rules' ? 'the firewall for' : 'who listens on'} ${title} (${protocol} ${ports.first})`,
                because,
                isRequired: true,
              },
            ]
          : [],
      ),
    );
    return {
      findings: [
        ...addressFindings(settings, facts.firewall, host, path),
        // Words are made of evidence again by whoever shows it.
        ...findings.map(({ code, evidence, severity, subject, targets, causedBy }) => {
          const explained = !isRunning && code === 'LISTENER_MISSING' ? 'COTURN_NOT_RUNNING' : causedBy;
          return { code, evidence, severity, subject, targets, causedBy: explained } as Finding;
        }),
      ],
      notExamined: unknown,
    };
  });
  const reasons = judged.flatMap(({ notExamined }) => notExamined);
  return {
    findings: judged.flatMap(({ findings }) => findings),
    notExamined: together(reasons),
  };
}

/** What is unknown for one reason is told once. */
function together(all: readonly UnseenThing[]): UnseenThing[] {
  return [...new Set(all.map(({ because }) => because))].map((because) => {
    const alike = all.filter((each) => each.because === because);
    const what = [...new Set(alike.map((each) => each.what))];
    return {
      what: `${what[0] ?? ''}${what.length < 2 ? '' : ` and ${what.length - 1} more`}`,
      because,
      isRequired: alike.some((each) => each.isRequired),
      ...(alike.every((each) => each.isShownFromOutside === true) ? { isShownFromOutside: true } : {}),
    };
  });
}

/** systemd has seen what a log that was turned over, or cannot be read, does not tell. */
function crashFindings({ unit, logs }: ServerFacts): Finding[] {
  if (unit.state === 'unknown' || unit.value === null) return [];
  const { name, result, restarts, signal } = unit.value;
  const isCrash = ['core-dump', 'oom-kill', 'signal'].includes(result) || (signal !== null && restarts > 0);
  const isLogged = logs.some(
    (log) =>
      log.state === 'seen' && (log.value.notices.crash ?? log.value.notices['out-of-memory']) !== undefined,
  );
  // 15 and 2 are how people stop it.
  if (!isCrash || isLogged || signal === 15 || signal === 2) return [];
  const line = `${name}: ${result}, ${signal === null ? '' : `signal ${signal}, `}${restarts} restarts`;
  const evidence = {
    file: `systemctl show ${name}`,
    count: Math.max(1, restarts),
    allocated: 0,
    who: [],
    span: null,
  };
  return [finding('LOG_SERVER_CRASHED', { ...evidence, line, details: [result] })];
}

function certificateFindings(
  { served, onDisk, endpoint, path, pid }: ServedCertificate,
  facts: ServerFacts,
  host: string,
): Finding[] {
  if (path === null || served.state === 'unknown' || onDisk.state === 'unknown') return [];
  const [own, file] = [served.value, onDisk.value];
  const isSame =
    own.keyFingerprint === file.keyFingerprint &&
    own.notAfter === file.notAfter &&
    own.subject === file.subject;
  if (isSame) return [];
  const isExpired = Date.parse(own.notAfter) < Date.parse(facts.takenAt);
  const unit =
    facts.unit.state === 'seen' && facts.unit.value?.mainPid === pid ? facts.unit.value.name : null;
  return [
    finding(
      'TLS_CERT_NOT_RELOADED',
      {
        host,
        endpoint,
        path,
        pid,
        unit,
        isExpired,
        servedNotAfter: own.notAfter,
        fileNotAfter: file.notAfter,
      },
      { severity: isExpired ? 'error' : 'warning' },
    ),
  ];
}

type Named = readonly [what: string, fact: Seen<unknown>];

function unseen(facts: ServerFacts): UnseenThing[] {
  const { system, clock, coturn, unit, daemons, configurations, limits, served } = facts;
  const running = daemons.state === 'seen' ? daemons.value : [];
  const needed: Named[] = [
    ['the processes', daemons],
    ...configurations.map(({ path, text }): Named => [path, text]),
    ...running.map(({ pid, settings }): Named => [`what process ${pid} is told to do`, settings]),
  ];
  const further: Named[] = [
    ['the system', system],
    ['the clock', clock],
    ['the version of coturn', coturn],
    ['the service', unit],
    ...served.map(({ endpoint, served: seen }): Named => [`the certificate at ${endpoint}`, seen]),
    ...running.map(({ pid, files }): Named => [`the open files of process ${pid}`, files]),
    ['the disks', limits.disks],
    ['the memory', limits.memory],
    ['the connections that the firewall follows', limits.conntrack],
    ['dropped UDP packets', limits.udp],
    ...facts.logs.map((log): Named => ['the log', log]),
  ];
  const told = (list: readonly Named[], isRequired: boolean): UnseenThing[] =>
    list.flatMap(([what, fact]) =>
      fact.state === 'unknown' ? [{ what, because: fact.because, isRequired }] : [],
    );
  const optional = [...doubts(facts, running), ...told(further, false)];
  return together([...told(needed, true), ...optional]);
}

const noAddresses = {
  what: 'whether the machine has the addresses of its configuration',
  because: 'ip shows none, or is not installed',
  isRequired: false,
};

function doubts(
  { moreDaemons, logs, served, firewall }: ServerFacts,
  running: readonly Daemon[],
): UnseenThing[] {
  const unread = running.flatMap(({ pid, configuration: { path, unread: reason } }) =>
    path === null || reason === null || reason.isSure
      ? []
      : [
          {
            what: `whether process ${pid} has read ${path}`,
            because: `now ${reason.because}; how that was at its start is not known`,
            isRequired: false,
          },
        ],
  );
  const contained = running
    .filter(({ isInHostNetwork }) => isInHostNetwork === false)
    .map(({ pid }) => ({
      what: `ports and firewall of process ${pid}`,
      because: 'it has a network of its own, and only that of the machine is looked at',
      isRequired: true,
      isShownFromOutside: true as const,
    }));
  const unasked = running.flatMap(({ pid, settings, isInHostNetwork }) =>
    settings.state === 'seen' &&
    settings.value.tlsPort !== null &&
    isInHostNetwork !== false &&
    !served.some((each) => each.pid === pid)
      ? [
          {
            what: `the certificate that process ${pid} serves`,
            because: `nothing listens on TCP ${settings.value.tlsPort} of an IPv4 address to be asked`,
            isRequired: false,
          },
        ]
      : [],
  );
  const more = {
    what: `${moreDaemons} more processes of coturn`,
    because: 'there are too many',
    isRequired: false,
  };
  const noLog = { what: 'the log', because: 'neither a journal nor a log file was found', isRequired: false };
  return [
    ...unread,
    ...unasked,
    ...contained,
    ...(moreDaemons > 0 ? [more] : []),
    ...(logs.length === 0 ? [noLog] : []),
    ...(firewall.addresses.length === 0 ? [noAddresses] : []),
  ];
}
