import { familyOf, type Family } from '../../model/endpoint.ts';
import type { FirewallFacts, ListeningSocket } from '../../model/firewall-facts.ts';
import { openingPurposes, type Opening } from '../../model/firewall.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { Outcome } from './rules-check.ts';

const coturn = 'turnserver';

/** Whether coturn listens where the config promises it. Relay ports are opened with each allocation, and not asked for. */
export function listenerOutcome(
  opening: Opening,
  { sockets }: FirewallFacts,
  { host, addresses }: { readonly host: string; readonly addresses: readonly string[] },
): Outcome | null {
  // certbot listens for as long as it asks.
  if (opening.purpose === 'relay' || opening.purpose === 'certificate') return null;
  if (sockets.state === 'unknown') return outcome('unknown', { because: sockets.because });
  const { protocol, ports, purpose, families } = opening;
  const at = sockets.value.filter((each) => each.protocol === protocol && each.port === ports.first);
  const lacking = families.filter((family) => !serves(at, family, addresses));
  const evidence = {
    host,
    protocol,
    port: ports.first,
    title: openingPurposes[purpose],
    onlyFamily: lacking.length < families.length ? (lacking[0] ?? null) : null,
  };
  if (at.length === 0) return outcome('failed', { found: finding('LISTENER_MISSING', evidence) });
  if (lacking.length > 0 && !mayServe(at, lacking)) {
    const bound = [...new Set(at.map(({ address }) => address))];
    return outcome('failed', { found: finding('LISTENER_ELSEWHERE', { ...evidence, at: bound }) });
  }
  if (lacking.length > 0) {
    return outcome('unknown', {
      because: 'it listens on :: alone, and whether that takes IPv4 too is not to be seen',
    });
  }
  return programOutcome(at, { ...evidence, onlyFamily: null });
}

function programOutcome(
  at: readonly ListeningSocket[],
  evidence: Parameters<typeof finding<'LISTENER_MISSING'>>[1],
): Outcome {
  const other = at.find(({ program }) => program !== null && program !== coturn);
  if (other?.program) {
    const found = finding('LISTENER_OTHER_PROGRAM', { ...evidence, program: other.program });
    return outcome('failed', { found });
  }
  if (at.some(({ program }) => program === null))
    return outcome('unknown', { because: 'which program listens there, root alone can see' });
  return outcome('passed', { detail: coturn });
}

/** On one of the addresses that count, where they are known, or on all of the machine. */
function serves(at: readonly ListeningSocket[], family: Family, addresses: readonly string[]): boolean {
  const own = addresses.filter((address) => familyOf(address) === family);
  const wildcard = family === 4 ? '0.0.0.0' : '::';
  if (at.some(({ address }) => address === wildcard)) return true;
  if (own.length > 0) return own.every((address) => at.some((each) => each.address === address));
  return at.some(({ address }) => familyOf(address) === family && !isLoopback(address));
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.');
}

/** A socket on :: may take IPv4 as well, unless it was told not to. */
function mayServe(at: readonly ListeningSocket[], lacking: readonly Family[]): boolean {
  return lacking.every((family) => family === 4) && at.some(({ address }) => address === '::');
}

function outcome(
  status: Outcome['check']['status'],
  {
    because = null,
    detail = null,
    found,
  }:
    | { because?: string; detail?: string; found?: Finding }
    | { because?: null; detail?: null; found?: undefined },
): Outcome {
  const findings = found === undefined ? [] : [found];
  return {
    check: { id: 'firewall-listener', status, because, detail, findings: findings.map(({ code }) => code) },
    findings,
    notes: [],
  };
}
