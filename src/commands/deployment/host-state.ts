import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostFacts } from '../../ansible/host-facts.ts';
import type { RoleVariables } from '../../ansible/inventory.ts';
import type { WantedFile, WantedState } from '../../ansible/plan.ts';
import { withoutSecrets } from '../../ansible/redaction.ts';
import { roleFile } from '../../ansible/role-file.ts';
import type { Config } from '../../config/config.ts';
import { lint } from '../../coturn/lint/lint.ts';
import { renderConfig, type Passwords } from '../../coturn/render.ts';
import { defaultVersion, nearestVersion, type CoturnVersion } from '../../coturn/versions.ts';
import { RtcOpsError } from '../../model/error.ts';
import { wordsOf } from '../../model/finding.ts';
import type { Secret } from '../../model/secret.ts';
import { certificateState } from './certificate-state.ts';
import type { DeployTarget } from './target.ts';
import { firewallState } from './firewall-state.ts';
import { kernelState } from './kernel-state.ts';
import { logState } from './log-state.ts';
import { releaseOf, versionNotes } from './version-notes.ts';

/** What is to be known to make the state of a host. */
export interface StateOptions {
  /** As it is written, for all hosts. */
  readonly shared: Config;
  readonly secrets: readonly Secret[];
  readonly passwords: Passwords;
  /** By which secrets are given as digests. */
  readonly key: string;
  /** Where files with secrets may be written, for Ansible to copy them. */
  readonly directory: string;
  /** rtc-ops.yaml, to which paths in it are relative. */
  readonly configFile: string;
  readonly now: Date;
}

/** What a host is to be like, for a plan and for the role. */
export interface HostState {
  readonly wanted: WantedState;
  readonly variables: RoleVariables;
  /** Warnings of the lint about what was rendered, what is to be known of its log and its kernel, and what another coturn than the last changes; a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Renders what is to land on a host, for the coturn that it has or will have, and judges it.
 * @throws RtcOpsError `configuration` when that coturn would not run as it should with it
 */
export async function hostState(
  { host, config }: DeployTarget,
  facts: HostFacts,
  { shared, secrets, passwords, key, directory, configFile, now }: StateOptions,
): Promise<HostState> {
  const version = versionOn(facts);
  const text = renderConfig(shared, { version, host: host.name, secrets, passwords });
  const warnings = judged(text, version, host.name, now);
  const folder = join(directory, Buffer.from(host.name).toString('hex'));
  await mkdir(folder, { mode: 0o700, recursive: true });
  const source = join(folder, 'turnserver.conf');
  await writeFile(source, text, { mode: 0o600 });
  const listeners = socketsOf(config);
  const certificate = await certificateState(host, config, { configFile, key });
  const firewall = firewallState(host, { shared, config }, facts);
  const log = logState(config, facts);
  const kernel = kernelState(config, facts);
  const isLive = takesSecretsLive(config);
  const lowPorts = listeners.some(({ port }) => port < 1024);
  return {
    wanted: {
      files: [
        {
          path: '/etc/turnserver.conf',
          ...{ owner: 'root', group: 'turnserver', mode: '0640', isConstant: false },
          text: withoutSecrets(text, key),
        },
        dropIn('service.conf', 'rtc-ops.conf'),
        ...(lowPorts ? [dropIn('low-ports.conf', 'rtc-ops-low-ports.conf')] : []),
        ...(isLive
          ? [
              roleFile('live-secrets.py', '/usr/local/sbin/rtc-ops-secrets', '0755'),
              dropIn('live-secrets.conf', 'rtc-ops-secrets.conf'),
            ]
          : []),
        ...certificate.files,
        ...firewall.files,
        ...log.files,
        ...kernel.files,
      ],
      certificateNames: certificate.names,
      packages: log.packages,
      kernel: kernel.changes,
    },
    variables: {
      coturn_config_src: source,
      coturn_listeners: listeners,
      coturn_low_ports: lowPorts,
      coturn_live_secrets: isLive,
      ...certificate.variables,
      ...firewall.variables,
      ...log.variables,
      ...kernel.variables,
    },
    notes: [...versionNotes(facts, text, version), ...warnings, ...kernel.notes],
  };
}

function dropIn(source: string, name: string): WantedFile {
  return roleFile(source, `/etc/systemd/system/coturn.service.d/${name}`, '0644');
}

/**
 * Whether coturn can take its secrets from its database: the sqlite file that it has by itself or by the config. It puts the
 * realm into its query as it is, so that one with a quote would be no query.
 */
export function takesSecretsLive({ profile, auth, database, realm }: Config): boolean {
  const isSqlite = database === null || database.kind === 'sqlite';
  return profile === 'turn' && auth === 'rest' && isSqlite && !realm.includes("'");
}

interface Socket {
  readonly protocol: 'udp' | 'tcp';
  readonly port: number;
}

/** What has to listen on a host that runs this config. */
export function socketsOf({ listen }: Config): Socket[] {
  const { udp, tcp, tls, extraPorts } = listen;
  const at = (protocol: Socket['protocol'], port: number | null): Socket[] =>
    port === null ? [] : [{ protocol, port }];
  return [
    ...at('udp', udp),
    ...at('tcp', tcp),
    ...at('tcp', tls),
    ...extraPorts.flatMap((port) => [
      ...(udp === null ? [] : at('udp', port)),
      ...(tcp === null && tls === null ? [] : at('tcp', port)),
    ]),
  ];
}

/** What systems without coturn will get; others ship a coturn like that of Debian 12. */
const shipped: Readonly<Record<string, CoturnVersion>> = { 'ubuntu 20.04': '4.5.2', 'ubuntu 22.04': '4.5.2' };

/** The coturn that is to read the file: the one that is there, else the one that the system ships. */
export function versionOn({ coturn, system }: HostFacts): CoturnVersion {
  const packaged = coturn.installed ?? coturn.candidate;
  if (packaged === null) return shipped[`${system.id} ${system.version}`] ?? defaultVersion;
  return nearestVersion(releaseOf(packaged) ?? defaultVersion);
}

function judged(text: string, version: CoturnVersion, name: string, now: Date): string[] {
  const findings = lint({
    file: `turnserver.conf of ${name}`,
    text,
    coturn: { version, release: version, from: 'given', packaged: null },
    users: null,
    host: null,
    now: now.toISOString(),
  });
  const sentence = (finding: (typeof findings)[number]['finding']): string =>
    `${wordsOf(finding).title} (${finding.code})`;
  const first = findings.find(({ finding }) => finding.severity === 'error');
  if (first !== undefined) {
    throw new RtcOpsError('configuration', `${name}: ${sentence(first.finding)}`, {
      hint: wordsOf(first.finding).fix.join(' '),
    });
  }
  return findings.flatMap(({ finding }) => (finding.severity === 'warning' ? [sentence(finding)] : []));
}
