import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { ClientNetworkFacts } from '../model/client-network.ts';
import { scopeOf } from '../model/endpoint.ts';
import { RtcOpsError, whyUnread } from '../model/error.ts';
import type { IceServersFacts } from '../model/ice-servers.ts';
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
  readonly iceServers?: string;
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
export interface GivenQuestion extends Omit<ClientQuestion, 'uris'> {
  readonly uris: ClientQuestion['uris'] | null;
  readonly iceServers: IceServersFacts | null;
}

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
  const handedOut =
    options.iceServers === undefined ? null : await iceServersOf(options.iceServers, urls, context);
  const servers = handedOut ?? (await serversOf(urls, options, context));
  const ofConfig = urls.length === 0 && handedOut === null && servers !== null;
  const source = await credentialSource({ ...options, duration: callMs, ofConfig }, context);
  const credential = source() ?? servers?.hosted ?? null;
  const servername = options.servername ?? null;
  const iceServers = handedOut?.facts ?? null;
  return { uris: servers?.uris ?? null, credential, ca, servername, iceServers };
}

/** @throws RtcOpsError `usage` for a file that cannot be read, or beside URLs */
async function iceServersOf(
  file: string,
  urls: readonly string[],
  { workingDirectory }: CommandContext,
): Promise<Servers & { readonly facts: IceServersFacts }> {
  if (urls.length > 0)
    throw new RtcOpsError('usage', '--ice-servers has the URLs to look at, and stands beside no others');
  let text: string;
  try {
    text = await readFile(resolve(workingDirectory, file), 'utf8');
  } catch (cause) {
    throw new RtcOpsError('usage', `--ice-servers ${file} cannot be read: ${whyUnread(cause)}`, { cause });
  }
  const { readIceServers } = await import('../evidence/ice-servers.ts');
  const { facts, uris, credential } = readIceServers(text, file);
  const hosted = credential === null ? null : ({ source: 'given', ...credential } as const);
  return { facts, uris: uris.length === 0 ? null : uris, hosted };
}

/** What is to be asked, and as whom where no option says that; null for nothing. */
interface Servers {
  readonly uris: readonly TurnUri[] | null;
  readonly hosted: ProbeOptions['credential'];
}

async function serversOf(
  urls: readonly string[],
  options: ClientOptions,
  context: CommandContext,
): Promise<Servers | null> {
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
