import type { ClientNetworkFacts } from '../model/client-network.ts';
import { scopeOf } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Observations } from '../model/observations.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import { probeClientNetwork } from '../probes/client-network.ts';
import { urisOf } from '../probes/plan.ts';
import { probe, type ProbeOptions } from '../probes/probe.ts';
import { serverHasAnswered } from '../rules/doctor/client-network.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { credentialSource, probeTtlSeconds } from './probe-credential.ts';
import type { ProgressLine } from './progress.ts';
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

/** What is to be looked at from here, and as whom. */
export interface ClientQuestion {
  readonly uris: readonly TurnUri[];
  readonly credential: ProbeOptions['credential'];
  readonly ca: string | null;
  readonly servername: string | null;
}

// Long enough to hear whether audio flows; how good it stays is for probe --duration.
const callMs = 3000;
const concurrency = 20;

/** The same, as far as it was given: without servers where none was named. */
export type GivenQuestion = Omit<ClientQuestion, 'uris'> & { readonly uris: ClientQuestion['uris'] | null };

/**
 * The servers that were named, else those of rtc-ops.yaml, and the credentials that are there for them.
 * @throws RtcOpsError `usage`, `configuration`
 */
export async function clientQuestion(
  urls: readonly string[],
  options: ClientOptions,
  context: CommandContext,
): Promise<GivenQuestion> {
  const ca = options.ca === undefined ? null : await trustAnchors(options.ca, context);
  const servers = await serversOf(urls, options, context);
  const source = await credentialSource(
    { ...options, duration: callMs, ofConfig: urls.length === 0 && servers !== null },
    context,
  );
  const credential = source() ?? servers?.hosted ?? null;
  const servername = options.servername ?? null;
  return { uris: servers?.uris ?? null, credential, ca, servername };
}

async function serversOf(
  urls: readonly string[],
  options: ClientOptions,
  context: CommandContext,
): Promise<{ readonly uris: readonly TurnUri[]; readonly hosted: ProbeOptions['credential'] } | null> {
  if (urls.length > 0) return { uris: urls.flatMap(urisOf), hosted: null };
  const { configuredServers } = await import('./probe-hosts.ts');
  try {
    const { uris, credential } = await configuredServers(options, probeTtlSeconds, context);
    return { uris, hosted: credential };
  } catch (error) {
    if (error instanceof RtcOpsError && error.code === 'usage') return null;
    throw error;
  }
}

/** Probes the servers from here, with everything that is known of this network on the way. */
export async function examineFromHere(
  { uris, credential, ca, servername }: ClientQuestion,
  options: ClientOptions,
  progress: ProgressLine,
  { env, now, signal }: CommandContext,
): Promise<{ readonly observations: Observations; readonly network: ClientNetworkFacts }> {
  const hasUdp = uris.some(({ transport }) => transport === 'udp');
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
    ...(servername === null ? {} : { servername }),
    env,
    now,
    signal,
    onProgress: progress.update,
  });
  const network = await probeClientNetwork({ web: webOf(observations), signal });
  return { observations, network };
}

/** The server that is asked for its page, to see whether something else answers: only where none of them has. */
function webOf({ targets }: Observations): Parameters<typeof probeClientNetwork>[0]['web'] {
  if (targets.some(serverHasAnswered)) return { because: 'the server itself answered' };
  const target = targets.find((each) => scopeOf(each.target.address) !== 'loopback')?.target;
  if (target === undefined) return { because: 'there is no address beyond this machine to ask' };
  return { host: target.host, endpoint: { address: target.address, port: 80 } };
}
