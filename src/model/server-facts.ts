import type { FirewallFacts, ListeningSocket, Seen } from './firewall-facts.ts';
import type { Opening } from './firewall.ts';
import type { HostFacts, PemCertificate } from './host-facts.ts';
import type { Secret } from './secret.ts';
import type { ServerLogFacts } from './server-log-facts.ts';

/**
 * What a look at the machine of a TURN server found: facts, no opinion. What could not be seen says why, and is no “no”.
 * The same whether the machine is this one, another one, or a saved one.
 */
export interface ServerFacts {
  /** `this machine`, or as ssh was told: `user@host`. */
  readonly server: string;
  /** When it was looked at, by the clock of the machine that asked; ISO 8601. */
  readonly takenAt: string;
  readonly isRoot: boolean;
  readonly system: Seen<SystemFacts>;
  readonly clock: Seen<ClockFacts>;
  /** Null when no coturn is installed. */
  readonly coturn: Seen<InstalledCoturn | null>;
  /** The unit of systemd that runs coturn; null when there is none. */
  readonly unit: Seen<UnitFacts | null>;
  /** The processes called turnserver in the network of the machine, and those in containers on it. */
  readonly daemons: Seen<readonly Daemon[]>;
  /** How many more there are than were looked at. */
  readonly moreDaemons: number;
  /** What processes read, or would read at the next start where none runs. */
  readonly configurations: readonly ConfigurationFacts[];
  readonly firewall: Omit<FirewallFacts, 'outside'>;
  readonly served: readonly ServedCertificate[];
  /** The journal of the unit first, then the files that processes write. */
  readonly logs: readonly Seen<ServerLogFacts>[];
  readonly limits: LimitFacts;
  readonly docker: DockerFacts;
  /** Whether there is an /etc/turnserver.conf. */
  readonly hasUsualConfiguration: boolean;
}

export interface SystemFacts {
  /** `Debian GNU/Linux 12 (bookworm)`. */
  readonly distribution: string;
  /** `Linux 6.1.0-18-amd64`. */
  readonly kernel: string;
  /** As Node names it: x64, arm64. */
  readonly architecture: string;
  /** As systemd-detect-virt names it; `none` for a machine of its own, null when that is not known. */
  readonly virtualization: string | null;
  readonly hostname: string;
  /** ISO 8601, by the clock of the server. */
  readonly bootedAt: string | null;
}

export interface ClockFacts {
  /** By how much the clock of the server is ahead of that of the machine that asks. */
  readonly offsetMs: number;
  readonly uncertaintyMs: number;
  /** Whether something keeps it right (NTP); null when that is not known. */
  readonly isSynchronized: boolean | null;
}

export interface InstalledCoturn {
  /** Such as 4.6.1. */
  readonly release: string;
  /** The version of the package of the distribution, such as 4.6.1-1; null where there is none. */
  readonly packaged: string | null;
}

/** A unit as `systemctl show` tells it. */
export interface UnitFacts {
  readonly name: string;
  /** `active`, `failed`, `inactive`, … */
  readonly activeState: string;
  readonly subState: string;
  /** Why it ended last: `success`, `exit-code`, `signal`, `core-dump`, `oom-kill`, … */
  readonly result: string;
  /** How often systemd started it again by itself since it was started. */
  readonly restarts: number;
  /** 0 when none runs. */
  readonly mainPid: number;
  /** The number of the signal that ended the main process last; null when none did. */
  readonly signal: number | null;
  readonly exitStatus: number | null;
  readonly isEnabled: boolean | null;
}

export interface Daemon {
  readonly pid: number;
  readonly user: string;
  readonly uid: number;
  readonly gids: readonly number[];
  /** As it was started, what is secret in it left out. */
  readonly argv: readonly string[];
  /** The names of the options in it that a configuration could have too. */
  readonly options: readonly string[];
  /** ISO 8601, by the clock of the server. */
  readonly startedAt: string | null;
  /** Its program file; null when that may not be seen. */
  readonly executable: string | null;
  /** Whether that file was replaced since, as an update does. */
  readonly isReplaced: boolean;
  /** Whether it has the network of this machine, or one of its own as in a container; null when that may not be seen. */
  readonly isInHostNetwork: boolean | null;
  /** What runs it in a container: docker, podman, lxc, …; null for none. */
  readonly container: string | null;
  /** Whether it may open ports below 1024; null when that may not be seen. */
  readonly mayBindLowPorts: boolean | null;
  readonly files: Seen<{ readonly open: number; readonly limit: number }>;
  readonly configuration: DaemonConfiguration;
  /** What its configuration and its arguments ask for together. */
  readonly settings: Seen<ServerSettings>;
  /** Its sockets where it has a network of its own; null where it has that of the machine. */
  readonly sockets: readonly ListeningSocket[] | null;
}

/**
 * Where a process has its configuration from: named on its command line, found in one of the directories in which coturn
 * looks, not there although it was named or looked for, or not wanted (`-n`).
 */
export interface DaemonConfiguration {
  readonly from: 'argument' | 'search' | 'missing' | 'none';
  /** Null with `none`. */
  readonly path: string | null;
  /** Names the entry of `ServerFacts.configurations`, which with `none` is the command line; null where there is none. */
  readonly id: string | null;
  /**
   * Why the process does not have it, by modes and owners; null where nothing stands against it. `isSure` where that was
   * so before the process was started.
   */
  readonly unread: { readonly because: string; readonly isSure: boolean } | null;
}

export interface ConfigurationFacts {
  readonly id: string;
  /** Of the file; or `the command line of process 812`, where that is all. */
  readonly path: string;
  /** The processes that read it; empty for that of the next start. */
  readonly pids: readonly number[];
  /** What stands in it. It holds secrets. */
  readonly text: Seen<Secret>;
  /** Options on the command lines of these processes, as lines of a configuration. They may hold secrets. */
  readonly argumentLines: Secret;
  /** ISO 8601, by the clock of the server. */
  readonly modifiedAt: string | null;
  /** Null where the process has another network than the machine, and other files. */
  readonly host: HostFacts | null;
  /** What it asks for; null where it could not be read. */
  readonly settings: ServerSettings | null;
}

/** What a configuration makes of coturn, as far as it concerns the machine. */
export interface ServerSettings {
  readonly openings: readonly Opening[];
  readonly listeningAddresses: readonly string[];
  readonly relayAddresses: readonly string[];
  readonly relayPorts: { readonly min: number; readonly max: number };
  /** As they stand there; `inside` is null in the plain form. */
  readonly externalAddresses: readonly { readonly outside: string; readonly inside: string | null }[];
  /** Null where TLS is off or has no certificate. */
  readonly tlsPort: number | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly realm: string | null;
  readonly logsTo: string | null;
  readonly isVerbose: boolean;
  readonly relays: boolean;
  /** Whether it holds a secret or users itself, and whether it names a database for them; the default is one of SQLite. */
  readonly users: { readonly areOwn: boolean; readonly hasDatabase: boolean };
}

/** What a process answers a TLS handshake with, and what its file holds. */
export interface ServedCertificate {
  readonly pid: number;
  readonly endpoint: string;
  readonly served: Seen<PemCertificate>;
  readonly path: string | null;
  readonly onDisk: Seen<PemCertificate>;
}

export interface LimitFacts {
  readonly disks: Seen<readonly DiskFacts[]>;
  readonly memory: Seen<{ readonly totalKb: number; readonly availableKb: number }>;
  readonly conntrack: Seen<{ readonly count: number; readonly max: number } | null>;
  /** Datagrams that were dropped since the boot because a socket had no room, and all that arrived. */
  readonly udp: Seen<{ readonly received: number; readonly bufferErrors: number }>;
  /** Processes that the kernel killed for want of memory since the boot. */
  readonly oomKills: Seen<number>;
}

export interface DiskFacts {
  readonly mount: string;
  readonly sizeKb: number;
  readonly availableKb: number;
}

export interface DockerFacts {
  /** Ports that a docker-proxy sends on to a container. */
  readonly proxies: readonly DockerProxy[];
}

export interface DockerProxy {
  readonly protocol: string;
  readonly hostPort: number;
  readonly containerAddress: string;
  readonly containerPort: number;
}
