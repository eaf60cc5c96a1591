import { sameAddress, scopeOf } from '../../model/endpoint.ts';
import { finding, type Finding } from '../../model/finding.ts';
import { spanText, type PortSpan } from '../../model/firewall.ts';
import type { FilterMatch } from '../../model/packet-filter.ts';
import type { Daemon, ServerFacts, ServerSettings } from '../../model/server-facts.ts';

// The time of a file is in whole seconds, and a process starts some time after it was asked for.
const clockGrainMs = 3000;
const usual = '/etc/turnserver.conf';
// What every unit gives, and what says nothing of how coturn serves.
const harmless: ReadonlySet<string> = new Set([
  'pidfile',
  'daemon',
  'log-file',
  'simple-log',
  'syslog',
  'verbose',
]);

/** What runs, and what it has read. */
export function processFindings(facts: ServerFacts, host: string): Finding[] {
  if (facts.daemons.state === 'unknown') return [];
  const daemons = facts.daemons.value;
  if (daemons.length === 0) return [notRunning(facts, host)];
  return [
    ...releaseFindings(facts, host),
    ...daemons.flatMap((daemon) => [
      ...configurationFindings(daemon, facts, host),
      ...programFindings(daemon, facts, host),
    ]),
    ...sharedPorts(facts, daemons, host),
    ...daemons.flatMap((daemon) => containerFindings(daemon, facts, host)),
    ...unitFindings(facts, daemons, host),
  ];
}

function notRunning({ unit, coturn }: ServerFacts, host: string): Finding {
  const known = unit.state === 'seen' ? unit.value : null;
  return finding('COTURN_NOT_RUNNING', {
    host,
    unit: known?.name ?? null,
    state: known?.activeState ?? '',
    result: known === null || known.result === 'success' ? null : known.result,
    isInstalled: coturn.state === 'unknown' || coturn.value !== null,
  });
}

function configurationFindings(daemon: Daemon, facts: ServerFacts, host: string): Finding[] {
  const { pid, user, configuration, startedAt, options } = daemon;
  const { from, path, unread } = configuration;
  const about = { host, pid, user };
  const findings: Finding[] = [];
  if (path !== null && unread?.isSure === true)
    findings.push(finding('CONFIG_NOT_READ', { ...about, path, because: unread.because }));
  const file = facts.configurations.find(({ id }) => id === configuration.id);
  const changedAt = file?.modifiedAt ?? null;
  if (path !== null && unread === null && changedAt !== null && startedAt !== null) {
    if (Date.parse(changedAt) > Date.parse(startedAt) + clockGrainMs)
      findings.push(finding('CONFIG_CHANGED_SINCE_START', { ...about, path, changedAt, startedAt }));
  }
  const isElsewhere = file !== undefined && path !== usual;
  if (isElsewhere && facts.hasUsualConfiguration && daemon.isInHostNetwork !== false)
    findings.push(
      finding('CONFIG_OTHER_FILE', { ...about, path: path ?? 'its command line', unread: usual }),
    );
  const telling = options.filter((each) => !harmless.has(each));
  if (telling.length > 0 && configuration.id !== null && from !== 'none')
    findings.push(finding('COMMAND_LINE_OPTIONS', { ...about, options: telling }));
  return findings;
}

function programFindings(daemon: Daemon, { coturn }: ServerFacts, host: string): Finding[] {
  const { pid, user, executable, isReplaced } = daemon;
  if (!isReplaced || executable === null) return [];
  const release = coturn.state === 'seen' ? (coturn.value?.release ?? null) : null;
  return [finding('COTURN_REPLACED', { host, pid, user, executable, release })];
}

/** Several processes on one port of the machine. Relay ports are one process's own. */
function sharedPorts({ firewall }: ServerFacts, daemons: readonly Daemon[], host: string): Finding[] {
  const { sockets } = firewall;
  if (sockets.state === 'unknown') return [];
  const known = new Map(daemons.map((daemon) => [daemon.pid, daemon]));
  const ports = daemons.flatMap(({ settings }) =>
    settings.state === 'seen' ? settings.value.openings.filter(({ purpose }) => purpose !== 'relay') : [],
  );
  const reported = new Set<string>();
  return ports.flatMap(({ protocol, ports: { first: port } }) => {
    const at = sockets.value.filter((each) => each.protocol === protocol && each.port === port);
    const pids = [...new Set(at.flatMap(({ pid }) => (pid !== null && known.has(pid) ? [pid] : [])))]
      .filter((pid) =>
        at.some(
          (own) =>
            own.pid === pid && at.some((other) => other.pid !== pid && overlap(own.address, other.address)),
        ),
      )
      .toSorted((a, b) => a - b);
    const key = pids.join();
    // One finding for the same processes, whatever else they share.
    if (pids.length < 2 || reported.has(key)) return [];
    reported.add(key);
    const commands = pids.map((pid) => known.get(pid)?.argv.join(' ') ?? '');
    return [finding('DAEMONS_SHARE_PORT', { host, protocol, port, pids, commands })];
  });
}

function overlap(a: string, b: string): boolean {
  return a === b || [a, b].some((each) => each === '0.0.0.0' || each === '::');
}

/** 4.17.0 and 4.17.1 send replies over UDP with an IP TTL of 1. */
function releaseFindings({ coturn }: ServerFacts, host: string): Finding[] {
  const installed = coturn.state === 'seen' ? coturn.value : null;
  if (installed === null || !/^4\.17\.[01]$/.test(installed.release)) return [];
  return [finding('COTURN_TTL_ONE', { host, ...installed })];
}

function containerFindings(daemon: Daemon, { docker, firewall }: ServerFacts, host: string): Finding[] {
  const { pid, user, container, isInHostNetwork, settings } = daemon;
  if (isInHostNetwork !== false || container === null || settings.state === 'unknown') return [];
  const { min, max } = settings.value.relayPorts;
  const relayPorts = Math.max(0, max - min + 1);
  const proxied = docker.proxies.flatMap(({ protocol, hostPort }) =>
    protocol === 'udp' ? [{ first: hostPort, last: hostPort }] : [],
  );
  // Without docker-proxy rules of the firewall send the ports on.
  const isKnown = firewall.rules.state === 'seen' || proxied.length > 0;
  const rules = firewall.rules.state === 'seen' ? firewall.rules.value : [];
  const redirected = rules
    .flatMap(({ chains }) => chains.flatMap((chain) => chain.rules))
    .filter(({ action, matches }) => action.kind === 'redirect' && !isTcp(matches))
    .flatMap(({ matches }) => matches.flatMap(portsOf));
  const published = isKnown ? countWithin([...proxied, ...redirected], { first: min, last: max }) : null;
  const isShort = published !== null && published < relayPorts;
  const severity = isShort || relayPorts > mostPublished ? 'warning' : 'info';
  return [
    finding(
      'CONTAINER_NETWORK',
      { host, pid, user, container, published, relayPorts, ports: spanText({ first: min, last: max }) },
      { severity },
    ),
  ];
}

// Docker takes minutes to start a container with thousands of them.
const mostPublished = 1000;

function isTcp(matches: readonly FilterMatch[]): boolean {
  return matches.some((match) => match.kind === 'protocol' && !match.negated && !match.names.includes('udp'));
}

function portsOf(match: FilterMatch): readonly PortSpan[] {
  return match.kind === 'port' && match.end === 'destination' && !match.negated ? match.spans : [];
}

/** How many ports of `whole` are in one of the spans or another. */
function countWithin(spans: readonly PortSpan[], whole: PortSpan): number {
  let [count, next] = [0, whole.first];
  for (const { first, last } of spans.toSorted((a, b) => a.first - b.first)) {
    const [from, to] = [Math.max(first, next), Math.min(last, whole.last)];
    if (to < from) continue;
    count += to - from + 1;
    next = to + 1;
  }
  return count;
}

function unitFindings({ unit }: ServerFacts, daemons: readonly Daemon[], host: string): Finding[] {
  if (unit.state === 'unknown' || unit.value === null) return [];
  const { name, isEnabled, mainPid } = unit.value;
  const isRun = daemons.some(({ pid }) => pid === mainPid);
  return isRun && isEnabled === false ? [finding('UNIT_NOT_ENABLED', { host, unit: name })] : [];
}

/** Addresses of the configuration that no interface has. */
export function addressFindings(
  settings: ServerSettings,
  { addresses: own }: ServerFacts['firewall'],
  host: string,
  path: string,
): Finding[] {
  // Where ip was not there, nothing is known.
  if (own.length === 0) return [];
  const inside = settings.externalAddresses.flatMap((each) => each.inside ?? []);
  const named = [
    ...settings.listeningAddresses.map((address) => ['listening-ip', address] as const),
    ...settings.relayAddresses.map((address) => ['relay-ip', address] as const),
    ...inside.map((address) => ['external-ip', address] as const),
  ];
  const told = new Set<string>();
  return named.flatMap(([option, address]) => {
    const isLocal = ['loopback', 'unspecified', 'link-local'].includes(scopeOf(address));
    if (isLocal || told.has(address) || own.some((each) => sameAddress(each, address))) return [];
    told.add(address);
    const family = own.filter((each) => each.includes(':') === address.includes(':'));
    return [finding('ADDRESS_NOT_HERE', { host, option, address, path, own: family })];
  });
}
