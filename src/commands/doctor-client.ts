import type { ClientNetworkFacts } from '../model/client-network.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Observations } from '../model/observations.ts';
import type { Report } from '../model/report.ts';
import { isTurn, type TurnUri } from '../model/turn-uri.ts';
import { probeClientNetwork } from '../probes/client-network.ts';
import { urisOf } from '../probes/plan.ts';
import { probe, type ProbeOptions } from '../probes/probe.ts';
import { serverHasAnswered } from '../rules/doctor/client-network.ts';
import { createReport } from '../rules/report.ts';
import { scopeOf } from '../model/endpoint.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { credentialSource, probeTtlSeconds } from './probe-credential.ts';
import { criteriaOf } from './probe-criteria.ts';
import { progressLine } from './progress.ts';
import { trustAnchors } from './trust-anchors.ts';

export interface ClientOptions extends GlobalOptions {
  readonly secretFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly control?: readonly TurnUri[];
  readonly call: boolean;
  readonly ca?: string;
  readonly servername?: string;
  readonly timeout: number;
}

/** What a look from here gave. */
export interface ClientExamination {
  readonly uris: readonly TurnUri[];
  /** Whether there were credentials to log in with. */
  readonly credential: boolean;
  readonly observations: Observations;
  readonly probe: Report;
  readonly network: ClientNetworkFacts;
}

// Long enough to hear whether audio flows; how good it stays is for probe --duration.
const callMs = 3000;
const concurrency = 20;

/**
 * Probes the servers from here, with everything that is known of this network on the way.
 * @throws RtcOpsError `usage`, `configuration`
 */
export async function examineFromHere(
  urls: readonly string[],
  options: ClientOptions,
  context: CommandContext,
): Promise<ClientExamination> {
  const ca = options.ca === undefined ? null : await trustAnchors(options.ca, context);
  const { uris, hosted } = await serversOf(urls, options, context);
  const source = uris.some(isTurn)
    ? await credentialSource({ ...options, duration: callMs, ofConfig: urls.length === 0 }, context)
    : () => null;
  const credential = source() ?? hosted;
  const hasUdp = uris.some(({ transport }) => transport === 'udp');
  const progress = await progressLine(options, context);
  try {
    const observations = await probe({
      uris,
      transports: null,
      families: null,
      credential,
      controls: options.control ?? [],
      callDurationMs: options.call ? callMs : null,
      nat: hasUdp ? { lifetimeMs: null } : null,
      timeoutMs: options.timeout,
      concurrency,
      ...(ca === null ? {} : { ca }),
      ...(options.servername === undefined ? {} : { servername: options.servername }),
      env: context.env,
      now: context.now,
      signal: context.signal,
      onProgress: progress.update,
    } satisfies ProbeOptions);
    const report = createReport('probe', observations, criteriaOf({}, context.now()));
    const network = await probeClientNetwork({ web: webOf(observations), signal: context.signal });
    return { uris, credential: credential !== null, observations, probe: report, network };
  } finally {
    progress.stop();
  }
}

async function serversOf(
  urls: readonly string[],
  options: ClientOptions,
  context: CommandContext,
): Promise<{ readonly uris: readonly TurnUri[]; readonly hosted: ProbeOptions['credential'] }> {
  if (urls.length > 0) return { uris: urls.flatMap(urisOf), hosted: null };
  const { configuredServers } = await import('./probe-hosts.ts');
  try {
    const { uris, credential } = await configuredServers(options, probeTtlSeconds, context);
    return { uris, hosted: credential };
  } catch (error) {
    if (!(error instanceof RtcOpsError) || error.code !== 'usage') throw error;
    throw new RtcOpsError(
      'usage',
      'nothing to examine: no URL was given, and there is no rtc-ops.yaml here or above',
      {
        hint: 'For example: rtc-ops doctor turn.example.com --secret-file secret.txt',
        cause: error,
      },
    );
  }
}

/** The server that is asked for its page, to see whether something else answers: only where none of them has. */
function webOf({ targets }: Observations): Parameters<typeof probeClientNetwork>[0]['web'] {
  if (targets.some(serverHasAnswered)) return { because: 'the server itself answered' };
  const target = targets.find((each) => scopeOf(each.target.address) !== 'loopback')?.target;
  if (target === undefined) return { because: 'there is no address beyond this machine to ask' };
  return { host: target.host, endpoint: { address: target.address, port: 80 } };
}
