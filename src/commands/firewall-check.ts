import { hostname } from 'node:os';
import { requireConfig } from '../config/load.ts';
import { RtcOpsError } from '../model/error.ts';
import { AttemptError } from '../model/failure.ts';
import type { FirewallFacts } from '../model/firewall-facts.ts';
import type { FirewallReport } from '../model/firewall-report.ts';
import type { Opening } from '../model/firewall.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

export interface CheckOptions extends GlobalOptions {
  readonly host?: string;
  readonly fromPeer?: { readonly url: string; readonly host: string; readonly port: number };
  readonly peerSecretFile?: string;
  readonly ports: number;
  readonly format: 'human' | 'json';
}

/** Looks at this machine, and says whether it lets in what the config promises. */
export async function runFirewallCheck(options: CheckOptions, context: CommandContext): Promise<void> {
  const { config } = await requireConfig({
    config: options.config,
    workingDirectory: context.workingDirectory,
  });
  const [
    { openingsOf, ownAddressesOf, publicAddressesOf },
    { readEvidence },
    { machineNetwork },
    { judgeFirewall },
  ] = await Promise.all([
    import('../coturn/firewall/openings.ts'),
    import('../probes/server/server-evidence.ts'),
    import('../evidence/server/machine-network.ts'),
    import('../rules/firewall/judgement.ts'),
  ]);
  const openings = openingsOf(config, options.host);
  const [only, ...others] = config.hosts;
  const host = options.host ?? (only !== undefined && others.length === 0 ? only.name : hostname());
  const addresses = ownAddressesOf(config, options.host);
  const peer = await peerOf(options, context);
  const { now, signal } = context;
  const machine = machineNetwork(await readEvidence({ host: null, only: 'network', now, signal }));
  refuseElsewhere(host, addresses, machine.addresses);
  const facts = { ...machine, outside: await outsideFacts(openings, peer, options, context) };
  const publicAddresses = publicAddressesOf(config, options.host);
  const report: FirewallReport = {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'firewall check',
    ...judgeFirewall({ openings, host, addresses, publicAddresses, facts }),
  };
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function rendered(
  report: FirewallReport,
  options: CheckOptions,
  context: CommandContext,
): Promise<string> {
  if (options.format === 'json') return `${JSON.stringify(report, null, 2)}\n`;
  const [{ renderFirewallHuman }, { wantsColor }] = await Promise.all([
    import('../report/human-firewall.ts'),
    import('./report.ts'),
  ]);
  return renderFirewallHuman(report, { color: wantsColor(options, context), columns: context.columns });
}

/** What is true of another machine says nothing about this one. */
function refuseElsewhere(host: string, addresses: readonly string[], here: readonly string[]): void {
  if (addresses.length === 0 || addresses.some((address) => here.includes(address))) return;
  throw new RtcOpsError('usage', `this machine is not ${host}: it has none of ${addresses.join(', ')}`, {
    hint: 'Run it on the server itself, where its rules and sockets are.',
  });
}

type Peer = NonNullable<CheckOptions['fromPeer']> & {
  readonly secret: Awaited<ReturnType<typeof import('./secret-source.ts').loadPeerSecret>>;
};

/** The outside peer with its secret; null when none is wanted. */
async function peerOf(
  { fromPeer, peerSecretFile }: CheckOptions,
  context: CommandContext,
): Promise<Peer | null> {
  if (fromPeer === undefined) {
    if (peerSecretFile === undefined) return null;
    throw new RtcOpsError('usage', '--peer-secret-file was given without --from-peer', {
      hint: 'Add --from-peer udp://HOST:PORT.',
    });
  }
  const { loadPeerSecret } = await import('./secret-source.ts');
  return { ...fromPeer, secret: await loadPeerSecret('--peer-secret-file', peerSecretFile, context) };
}

const lookupTimeoutMs = 5000;

async function outsideFacts(
  openings: readonly Opening[],
  peer: Peer | null,
  { ports: wanted }: CheckOptions,
  { env, signal }: CommandContext,
): Promise<FirewallFacts['outside']> {
  if (peer === null) return null;
  const { url, host, port, secret } = peer;
  const [{ probeReach }, { NameResolver }] = await Promise.all([
    import('../probes/firewall/reach-probe.ts'),
    import('../net/name.ts'),
  ]);
  const resolver = new NameResolver(env);
  try {
    const addresses = await resolver.resolve(host, lookupTimeoutMs, signal);
    const endpoints = addresses.map((address) => ({ address, port }));
    const ports = openings
      .filter(({ protocol }) => protocol === 'udp')
      .flatMap((each) => sampleOf(each, wanted));
    const value = await probeReach({ url, endpoints, secret, ports, signal });
    return value.families.length > 0
      ? { state: 'seen', value }
      : { state: 'unknown', because: `${url} does not answer: is it running there, with the same secret?` };
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    return { state: 'unknown', because: `${url}: ${error.message}` };
  } finally {
    await resolver.close();
  }
}

/** The first, the last, and others evenly between. */
function sampleOf({ ports: { first, last } }: Opening, wanted: number): number[] {
  const count = Math.min(wanted, last - first + 1);
  if (count === 1) return [first];
  return Array.from(
    { length: count },
    (_, index) => first + Math.round((index * (last - first)) / (count - 1)),
  );
}
