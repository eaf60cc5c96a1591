import type { Command } from 'commander';
import type { Family } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import type { Report } from '../model/report.ts';
import { isTurn, type TurnUri } from '../model/turn-uri.ts';
import { urisOf } from '../probes/plan.ts';
import { probe, type OutsidePeerOption, type ProbeOptions } from '../probes/probe.ts';
import { createReport } from '../rules/report.ts';
import type { CommandContext } from './context.ts';
import { credentialSource, probeTtlSeconds } from './probe-credential.ts';
import { criteriaOf, givenCriteria } from './probe-criteria.ts';
import { refuseWhatIsNeverMeasured } from './probe-limits.ts';
import { probeOptionGroups, type ProbeCommandOptions } from './probe-options.ts';
import type { ConfiguredServers } from './probe-hosts.ts';
import { progressLine } from './progress.ts';
import { openReportOutput } from './report-output.ts';
import { trustAnchors } from './trust-anchors.ts';

const examples = `
Credentials come from --secret-file (time-limited ones are derived from it), from --username and --password,
from RTC_OPS_SECRET or RTC_OPS_USERNAME and RTC_OPS_PASSWORD, or from rtc-ops.yaml.

Examples:
  rtc-ops probe turn.example.com --secret-file secret.txt
  rtc-ops probe turns:turn.example.com:443 --username alice --password - < password.txt
  rtc-ops probe stun:stun.example.com
  rtc-ops probe stun:stun.example.com --nat
  rtc-ops probe turn.example.com --control stun:stun.example.net --secret-file secret.txt
  rtc-ops probe turn.example.com --require udp,tls,call --max-loss 1% --format json > report.json
  rtc-ops probe --from report.json --max-rtt 100ms --format junit --output junit.xml
  rtc-ops probe turn.example.com --watch 1m

Exit code: 0 healthy or warnings only, 1 an error or something required is unknown (with
--watch: in any round), 2 usage, 3 configuration, 4 a needed tool failed.`;

export function define(command: Command, context: CommandContext): void {
  command.argument(
    '[url...]',
    'turn:, turns:, stun: or stuns: URIs, or hosts (default: the hosts of rtc-ops.yaml)',
  );
  for (const add of probeOptionGroups) add(command);
  command
    .addHelpText('after', examples)
    .action(async (urls: string[]) =>
      run(urls, command.optsWithGlobals<ProbeCommandOptions>(), command, context),
    );
}

async function run(
  urls: readonly string[],
  options: ProbeCommandOptions,
  command: Command,
  context: CommandContext,
): Promise<void> {
  if (options.from !== undefined) {
    const { judgeAgain, refuseMeasuring } = await import('./rejudge.ts');
    refuseMeasuring(urls, command);
    const output = await openReportOutput(options, context);
    await output.print(await judgeAgain(options.from, givenCriteria(options), context));
    return;
  }
  refuseWatchOptions(options);
  const output = await openReportOutput(options, context);
  const measure = await prepareProbe(urls, options, context);
  if (options.watch === undefined) {
    await output.print(await measure(context.signal));
    return;
  }
  const { watch } = await import('./watch.ts');
  await watch(
    measure,
    { ...options, output, intervalMs: options.watch, count: options.count ?? null },
    context,
  );
}

const noCall = { because: 'the call that --no-call forbids', hint: 'Leave out --no-call.' };

/** Reads all that a probe needs; gives what measures and judges once. */
async function prepareProbe(
  urls: readonly string[],
  options: ProbeCommandOptions,
  context: CommandContext,
): Promise<(signal: AbortSignal) => Promise<Report>> {
  const ca = options.ca === undefined ? null : await trustAnchors(options.ca, context);
  const { uris, credential: hosted } = await serversToProbe(urls, options, context);
  if (wantsNat(options)) refuseNatWithoutUdp(uris, options);
  refuseWhatIsNeverMeasured(givenCriteria(options), { uris, withoutCall: options.call ? null : noCall });
  const own = uris.some(isTurn)
    ? await credentialSource({ ...options, ofConfig: urls.length === 0 }, context)
    : () => null;
  const credential = hosted !== null && own() === null ? () => hosted : own;
  const outside = await outsidePeer(options, context);
  return async (signal) => {
    const criteria = criteriaOf(options, context.now());
    const progress = await progressLine(options, context);
    try {
      const observations = await probe({
        uris,
        transports: options.transport ?? null,
        families: options.family?.map((family) => Number(family) as Family) ?? null,
        credential: credential(),
        controls: options.control ?? [],
        callDurationMs: options.call ? options.duration : null,
        nat: wantsNat(options) ? { lifetimeMs: options.natLifetime ?? null } : null,
        timeoutMs: options.timeout,
        concurrency: options.concurrency,
        ...(outside === null ? {} : { outside }),
        ...(options.ports === undefined ? {} : { portCount: options.ports }),
        ...(ca === null ? {} : { ca }),
        ...(options.servername === undefined ? {} : { servername: options.servername }),
        env: context.env,
        now: context.now,
        signal,
        onProgress: progress.update,
      } satisfies ProbeOptions);
      return createReport('probe', observations, criteria);
    } finally {
      progress.stop();
    }
  };
}

/** The outside peer with its secret; null when none is wanted. */
async function outsidePeer(
  { peer, peerSecretFile }: ProbeCommandOptions,
  context: CommandContext,
): Promise<OutsidePeerOption | null> {
  if (peer === undefined) {
    if (peerSecretFile === undefined) return null;
    throw new RtcOpsError('usage', '--peer-secret-file was given without --peer', {
      hint: 'Add --peer udp://HOST:PORT.',
    });
  }
  const { loadPeerSecret } = await import('./secret-source.ts');
  return { ...peer, secret: await loadPeerSecret('--peer-secret-file', peerSecretFile, context) };
}

function wantsNat({ nat, natLifetime }: ProbeCommandOptions): boolean {
  return nat === true || natLifetime !== undefined;
}

/** What is asked for and cannot be tried would be missed in silence. */
function refuseNatWithoutUdp(uris: readonly TurnUri[], { transport }: ProbeCommandOptions): void {
  if (uris.some((uri) => uri.transport === 'udp') && (transport?.includes('udp') ?? true)) return;
  throw new RtcOpsError('usage', '--nat needs a UDP listener, and none is to be probed', {
    hint: 'Add one, such as stun:HOST, and leave out --transport or add udp to it.',
  });
}

function refuseWatchOptions({ watch, count, format, output }: ProbeCommandOptions): void {
  if (watch === undefined) {
    if (count !== undefined) throw new RtcOpsError('usage', '--count is for --watch');
    return;
  }
  if (format === 'human' || format === 'json' || (output !== undefined && output !== '-')) return;
  throw new RtcOpsError('usage', `--watch with --format ${format} needs --output FILE`, {
    hint: 'The file then has the latest round. A stream of reports: --format json, one a line.',
  });
}

async function serversToProbe(
  urls: readonly string[],
  options: ProbeCommandOptions,
  context: CommandContext,
): Promise<ConfiguredServers> {
  if (urls.length > 0) return { uris: urls.flatMap(urisOf), credential: null, expiresAt: null };
  const { configuredServers } = await import('./probe-hosts.ts');
  const servers = await configuredServers(options, probeTtlSeconds, context);
  if (options.watch !== undefined && servers.expiresAt !== null) {
    // Its end would look like a fault of the servers.
    throw new RtcOpsError('usage', '--watch would outlive the credential of the provider', {
      hint: 'Start rtc-ops probe again and again instead, by a timer.',
    });
  }
  return servers;
}
