import type { Config, Host } from '../config/config.ts';
import { urisOfHost } from '../config/host-uri.ts';
import type { Verification } from '../model/deployment.ts';
import type { Secret } from '../model/secret.ts';
import type { ProbeOptions } from '../probes/probe.ts';
import type { CommandContext } from './context.ts';
import { criteriaOf } from './probe-criteria.ts';
import type { ProgressLine } from './progress.ts';

export interface VerificationOptions {
  readonly host: Host;
  readonly config: Config;
  /** One by which the service lets users in; null for one that serves STUN alone. */
  readonly login: Login | null;
  /** Whether this machine is the host. */
  readonly isLocal: boolean;
  readonly ca: string | null;
}

export type Login =
  | { readonly kind: 'secret'; readonly secret: Secret }
  | { readonly kind: 'user'; readonly username: string; readonly password: Secret };

const callMs = 3000;
const timeoutMs = 5000;

/** Probes the service of a host from here, with a call over every transport. */
export async function verify(
  { host, config, login, isLocal, ca }: VerificationOptions,
  context: CommandContext,
  progress: ProgressLine,
): Promise<Verification> {
  const [{ probe }, { createReport }] = await Promise.all([
    import('../probes/probe.ts'),
    import('../rules/report.ts'),
  ]);
  const observations = await probe({
    uris: urisOfHost(host.name, config),
    controls: [],
    transports: null,
    families: null,
    credential: await credentialOf(login, context),
    callDurationMs: config.profile === 'turn' ? callMs : null,
    nat: null,
    timeoutMs,
    concurrency: 6,
    ...(ca === null ? {} : { ca }),
    env: context.env,
    now: context.now,
    signal: context.signal,
    onProgress: progress.update,
  });
  const report = createReport('deploy', observations, criteriaOf({}, context.now()));
  const { verdict, headline } = report;
  const isFound = report.exitCode !== 0;
  // What passes here has not crossed the firewall of the host, nor that of its network.
  if (!isLocal || isFound) return { verdict, headline, elsewhere: null, report };
  return {
    verdict: 'unknown',
    headline: 'it serves on this machine; whether others reach it cannot be told from here',
    elsewhere: `rtc-ops probe ${host.name} --secret-file FILE`,
    report,
  };
}

async function credentialOf(
  login: Login | null,
  context: CommandContext,
): Promise<ProbeOptions['credential']> {
  if (login === null) return null;
  if (login.kind === 'user') return { source: 'given', username: login.username, password: login.password };
  const { issueCredential } = await import('../credentials/issue.ts');
  const { username, password } = issueCredential({
    secret: login.secret,
    user: 'rtc-ops-deploy',
    // As for a probe: a host whose clock is behind must not look like one with another secret.
    ttlSeconds: 86_400,
    now: context.now(),
  });
  return { source: 'secret', username, password };
}
