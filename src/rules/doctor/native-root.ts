import { finding, type Finding } from '../../model/finding.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { Observations, TargetFacts } from '../../model/observations.ts';
import type { LogSession, ServerLogFacts } from '../../model/server-log-facts.ts';
import { listenerOf } from '../listener-evidence.ts';

/**
 * Roots that all browsers know and libwebrtc does not have (rtc_base/ssl_roots.h, made of Google Trust Services' list of
 * 2023; an SDK may have replaced it). Other CAs are not named here, as far as it is not known.
 */
const missing: ReadonlySet<string> = new Set([
  'ISRG Root X1',
  'ISRG Root X2',
  'Amazon Root CA 1',
  'Amazon Root CA 2',
  'Amazon Root CA 3',
  'Amazon Root CA 4',
  'Starfield Services Root Certificate Authority - G2',
]);

// A lone handshake that fails is a client that went away.
const fewestFailed = 2;

/** NATIVE_ROOT_MISSING: a doubt by itself, and a warning where clients that the log shows as real ones fail at TLS. */
export function nativeRootFindings(
  { targets }: Observations,
  logs: readonly Seen<ServerLogFacts>[],
): Finding[] {
  const { failed, who } = refusing(logs);
  return targets.flatMap((facts) => {
    const root = rootOf(facts);
    if (root === null) return [];
    const evidence = { ...listenerOf(facts.target), root, failed, who };
    const severity = failed >= fewestFailed ? 'warning' : 'info';
    return [finding('NATIVE_ROOT_MISSING', evidence, { severity, targets: [facts.target.url] })];
  });
}

/** The root of a chain that is accepted here and that libwebrtc does not know; null for any other. */
function rootOf({ tls }: TargetFacts): string | null {
  if (tls.state !== 'done' || tls.value.chainError !== null || tls.value.nameError !== null) return null;
  const top = tls.value.chain.at(-1);
  const name = top?.issuer.replace(/^CN=/, '') ?? '';
  return missing.has(name) ? name : null;
}

/** TLS connections that failed, of addresses that were served otherwise: no scanner has a good credential. */
function refusing(logs: readonly Seen<ServerLogFacts>[]): { failed: number; who: string[] } {
  const sessions = logs.flatMap((log) => (log.state === 'seen' ? [log.value.sessions] : []));
  const served = new Set(
    sessions.flatMap(({ last }) =>
      last.filter(({ allocatedAtMs }) => allocatedAtMs !== null).flatMap(addressOf),
    ),
  );
  const real = sessions
    .flatMap(({ groups }) => groups['tls-failed']?.samples ?? [])
    .flatMap(addressOf)
    .filter((address) => served.has(address));
  return { failed: real.length, who: [...new Set(real)] };
}

function addressOf({ client }: LogSession): string[] {
  const address = client?.replace(/:\d+$/, '') ?? '';
  return address === '' ? [] : [address];
}
