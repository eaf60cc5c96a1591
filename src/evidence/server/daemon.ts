import { serverSettings } from '../../coturn/server-settings.ts';
import { configurationLines } from '../../coturn/command-line.ts';
import type { CoturnVersion } from '../../coturn/versions.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import type { Daemon, DaemonConfiguration, ServerSettings } from '../../model/server-facts.ts';
import { accountOf, argvOf, isElsewhere, redactedArgv } from './account.ts';
import { configurationOf, configurationText } from './configuration.ts';
import { lineOf, seen, seenText, textOf, unknown, valueOf } from './section.ts';
import { listeningSockets } from './socket-table.ts';
import { bootSeconds, timeText } from './system.ts';

/** The processes that the script looked at. */
export function pidsOf(evidence: ServerEvidence): number[] {
  const [, list = ''] = /^looked at(.*)$/m.exec(textOf(evidence, 'processes')) ?? [];
  return list
    .split(' ')
    .filter((each) => /^\d{1,10}$/.test(each))
    .map(Number);
}

export function daemonsOf(evidence: ServerEvidence, version: CoturnVersion): Seen<readonly Daemon[]> {
  const processes = seenText(evidence, 'processes', 'the list of processes');
  if (processes.state === 'unknown') return processes;
  if (!/^looked at/m.test(processes.value)) return unknown('the list of processes is not in what arrived');
  // One that ended while it was looked at left no status.
  return seen(
    pidsOf(evidence)
      .filter((pid) => textOf(evidence, `process ${pid} status`) !== '')
      .map((pid) => daemonOf(evidence, pid, version)),
  );
}

function daemonOf(evidence: ServerEvidence, pid: number, version: CoturnVersion): Daemon {
  const { uid, gids, user, mayBindLowPorts, hasDropped } = accountOf(evidence, pid);
  const argv = argvOf(evidence, pid);
  const startedAt = startOf(evidence, pid);
  const links = textOf(evidence, `process ${pid} links`);
  const executable = lineOf(links, 'exe') || null;
  const isInHostNetwork = lineOf(links, 'ns/net') ? !isElsewhere(evidence, pid) : null;
  const configuration = configurationOf(evidence, pid, { uid, gids, startedAt, hasDropped });
  return {
    pid,
    user,
    uid,
    gids,
    argv: redactedArgv(argv),
    options: [...new Set(configurationLines(argv).map((line) => line.replace(/=[\s\S]*/, '')))],
    startedAt,
    executable: executable?.replace(/ \(deleted\)$/, '') ?? null,
    isReplaced: executable?.endsWith(' (deleted)') === true,
    isInHostNetwork,
    container: containerOf(textOf(evidence, `process ${pid} cgroup`)),
    mayBindLowPorts,
    files: filesOf(evidence, pid),
    configuration,
    settings: settingsOf(evidence, pid, { argv, version, configuration }),
    sockets: isInHostNetwork === false ? valueOf(listeningSockets(evidence, `process ${pid} sockets`)) : null,
  };
}

/** In the 22nd field of /proc/PID/stat, behind the name in brackets, in hundredths of a second since the boot. */
function startOf(evidence: ServerEvidence, pid: number): string | null {
  const ticks = Number(/\) (.*)/.exec(textOf(evidence, `process ${pid} stat`))?.[1]?.split(' ')[19]);
  const bootS = bootSeconds(evidence);
  return bootS === null || Number.isNaN(ticks) ? null : timeText(bootS + ticks / 100);
}

function containerOf(cgroup: string): string | null {
  const [, name = null] = /\b(docker|libpod|kubepods|crio|containerd|lxc)\b/.exec(cgroup) ?? [];
  return name === 'libpod' ? 'podman' : name;
}

function filesOf(evidence: ServerEvidence, pid: number): Daemon['files'] {
  const open = lineOf(textOf(evidence, `process ${pid} open`), 'count');
  const [, limit = ''] = /^Max open files\s+(\S+)/m.exec(textOf(evidence, `process ${pid} limits`)) ?? [];
  if (open === null || limit === '') return unknown(`the files of process ${pid} are seen by root alone`);
  return seen({ open: Number(open), limit: limit === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(limit) });
}

interface SettingsContext {
  readonly argv: readonly string[];
  readonly version: CoturnVersion;
  readonly configuration: DaemonConfiguration;
}

function settingsOf(
  evidence: ServerEvidence,
  pid: number,
  { argv, version, configuration: { from, path, unread } }: SettingsContext,
): Seen<ServerSettings> {
  if (argv.length === 0) return unknown(`the command line of process ${pid} cannot be read`);
  const lines = configurationLines(argv).join('\n');
  if (from === 'none' || from === 'missing' || unread?.isSure === true)
    return seen(serverSettings(lines, version));
  const text = configurationText(evidence, pid, path ?? 'the configuration');
  return text.state === 'unknown' ? text : seen(serverSettings(`${text.value}\n${lines}`, version));
}
