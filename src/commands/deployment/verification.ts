import { normalAddress } from '../../config/address.ts';
import type { Config, Host } from '../../config/config.ts';
import { urisOfHost } from '../../config/host-uri.ts';
import { ownUsers } from '../../model/own-user.ts';
import type { PeerDenial, Verification } from '../../model/deployment.ts';
import type { Observations } from '../../model/observations.ts';
import type { Report } from '../../model/report.ts';
import type { Secret } from '../../model/secret.ts';
import type { ProbeOptions } from '../../probes/probe.ts';
import type { TurnCredential } from '../../turn/session.ts';
import type { CommandContext } from '../context.ts';
import { criteriaOf } from '../probe-criteria.ts';
import type { ProgressLine } from '../progress.ts';

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

// 75 packets each way: enough to see that audio flows. Each address and transport has a call, and three run at once.
const callMs = 1500;
const timeoutMs = 5000;

/** Probes the service of a host from here, with a call over every transport. */
export async function verify(
  { host, config, login, isLocal, ca }: VerificationOptions,
  context: CommandContext,
  progress: ProgressLine,
): Promise<Verification> {
  const [{ probe }, { createReport }] = await Promise.all([
    import('../../probes/probe.ts'),
    import('../../rules/report.ts'),
  ]);
  const credential = await credentialOf(login, context);
  const observations = await probe({
    uris: urisOfHost(host.name, config),
    controls: [],
    transports: null,
    families: null,
    credential,
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
  const peers =
    credential === null ? [] : await deniedPeers({ config, credential, observations, ca }, context);
  return judged({ report, peers, host, isLocal });
}

/** What the probe and the answers about peers prove for a host. */
export function judged({
  report,
  peers,
  host,
  isLocal,
}: Pick<Verification, 'report' | 'peers'> & Pick<VerificationOptions, 'host' | 'isLocal'>): Verification {
  const { verdict, headline, exitCode } = report;
  const granted = peers.filter(({ denied }) => denied === false).map(({ peer }) => peer);
  const open = peers.find(({ denied }) => denied === null);
  const found = { report, peers, elsewhere: null, holds: false };
  if (granted.length > 0) {
    const what = `its users reach ${granted.join(', ')} through the relay, and what else is in its own network`;
    return { ...found, verdict: 'broken', headline: what };
  }
  if (exitCode !== 0) return { ...found, verdict, headline };
  const foreign = foreignAddresses(host, report.targets);
  if (foreign.length > 0) {
    const own = host.addresses.map((pair) => pair.public).join(', ');
    const what = `${host.name} leads to ${foreign.join(', ')}, which rtc-ops.yaml does not have among its addresses (${own}): what was probed may be another machine`;
    return { ...found, verdict: 'unknown', headline: what };
  }
  if (open !== undefined) {
    const what = `it is not known whether users reach ${open.peer} through the relay: ${open.because}`;
    return { ...found, verdict: 'unknown', headline: what };
  }
  if (!isLocal) return { ...found, verdict, headline, holds: true };
  // What passes here has not crossed the firewall of the host, nor that of its network.
  return {
    ...found,
    verdict: 'unknown',
    headline: 'it serves on this machine; whether others reach it cannot be told from here',
    elsewhere: `rtc-ops probe ${host.name} --secret-file FILE`,
    holds: true,
  };
}

/** Where the name of a host leads, beside its own addresses. Where these are not written down, any will do. */
function foreignAddresses({ addresses }: Host, targets: Report['targets']): string[] {
  if (addresses.length === 0) return [];
  const own = new Set(addresses.map((pair) => normalAddress(pair.public)));
  const probed = new Set(targets.map(({ address }) => normalAddress(address)));
  return [...probed].filter((address) => !own.has(address));
}

/** Asks one listener of each address for permission to reach what nobody is to reach. */
async function deniedPeers(
  {
    config,
    credential,
    observations,
    ca,
  }: {
    readonly config: Config;
    readonly credential: TurnCredential;
    readonly observations: Observations;
    readonly ca: string | null;
  },
  { signal }: CommandContext,
): Promise<PeerDenial[]> {
  const [{ forbiddenPeers, probePeerDenial }, { covers, parseNetwork }] = await Promise.all([
    import('../../probes/peer-denial-probe.ts'),
    import('../../config/address.ts'),
  ]);
  // What the config allows on purpose is no fault.
  const isAllowed = (peer: string): boolean => {
    const network = parseNetwork(peer);
    return network !== null && config.peers.allow.some((allowed) => covers(allowed, network));
  };
  const targets = observations.targets
    .filter(({ allocate }) => allocate.state === 'done')
    .map(({ target }) => target)
    .filter(({ address }, index, all) => all.findIndex((each) => each.address === address) === index);
  const asked = await Promise.all(
    targets.map(async ({ transport, address, port, family, host }) =>
      probePeerDenial({
        server: {
          transport,
          endpoint: { address, port },
          servername: host,
          verifyTls: false,
          ...(ca === null ? {} : { ca }),
        },
        credential,
        family,
        peers: forbiddenPeers[family].filter((peer) => !isAllowed(peer)),
        timeoutMs,
        signal,
      }),
    ),
  );
  return asked.flat();
}

async function credentialOf(
  login: Login | null,
  context: CommandContext,
): Promise<ProbeOptions['credential']> {
  if (login === null) return null;
  if (login.kind === 'user') return { source: 'given', username: login.username, password: login.password };
  const { issueCredential } = await import('../../credentials/issue.ts');
  const { username, password } = issueCredential({
    secret: login.secret,
    user: ownUsers.deploy,
    // As for a probe: a host whose clock is behind must not look like one with another secret.
    ttlSeconds: 86_400,
    now: context.now(),
  });
  return { source: 'secret', username, password };
}
