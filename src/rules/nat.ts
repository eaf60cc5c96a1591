import type { CheckId, CheckIdAbout, Outcome } from '../model/check.ts';
import { formatEndpoint, sameAddress, sameEndpoint } from '../model/endpoint.ts';
import { describeFailure } from '../model/failure.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { Attempt, InterfaceAddress, NatBindingFacts, NatFacts } from '../model/observations.ts';
import type { NatReport } from '../model/report.ts';
import { judgeFiltering, reasonOf } from './nat-filtering.ts';
import {
  carrierGradeSide,
  presenceOf,
  seenThroughNat,
  type Known,
  type Mapping,
  type Presence,
  type Seen,
} from './nat-presence.ts';
import { natSummary, spelled } from './nat-summary.ts';
import { inOrder, passed, skipped, unknown } from './outcome.ts';

export interface JudgedNat {
  readonly report: NatReport;
  readonly outcomes: ReadonlyMap<CheckId, Outcome>;
  readonly findings: readonly Finding[];
}

/** The NAT between this client and one server, in the words of RFC 4787. What could not be seen is never "no NAT". */
export function judgeNat(facts: NatFacts, interfaces: readonly InterfaceAddress[]): JudgedNat {
  const { binding } = facts;
  const presence = presenceOf(facts, interfaces);
  const seen = seenThroughNat(facts, interfaces);
  const mapping = presence.value === true ? judgeMapping(facts, seen) : noMapping(presence);
  const filtering = judgeFiltering(facts, presence);
  const hairpin = judgeHairpin(facts, presence, [mapping.value, filtering.value]);
  const report = {
    family: facts.family,
    target: facts.url,
    server: formatEndpoint(facts.server),
    present: presence.value,
    mapped: binding.state === 'done' ? formatEndpoint(binding.value.mapped) : null,
    mapping: mapping.value,
    filtering: filtering.value,
    hairpin: hairpin.works,
    lifetime: facts.lifetime?.state === 'done' ? facts.lifetime.value : null,
  };
  return {
    report: { ...report, summary: natSummary(report, presence) },
    outcomes: inOrder<CheckIdAbout<'network'>>({
      'nat-mapping':
        presence.value === false ? passed('no NAT') : outcomeOf(mapping, detailOf(mapping, binding)),
      'nat-filtering': outcomeOf(filtering, filtering.value ?? ''),
      'nat-hairpin': hairpin.outcome,
      'nat-lifetime': judgeLifetime(facts.lifetime),
    }),
    findings: [...symmetric(facts, seen, mapping), ...carrierGrade(facts, presence, interfaces)],
  };
}

function noMapping(presence: Presence): Known<Mapping> {
  return { value: null, because: presence.because ?? 'there is no NAT' };
}

function outcomeOf(known: Known<string>, detail: string): Outcome {
  return known.value === null ? unknown(known.because) : passed(detail);
}

/** RFC 5780 §4.3, of whatever pairs of endpoints have answered. */
function judgeMapping(facts: NatFacts, seen: readonly Seen[]): Known<Mapping> {
  const pairs = seen.flatMap((a, index) => seen.slice(index + 1).map((b) => ({ a, b })));
  const differs = ({ a, b }: (typeof pairs)[number]): boolean => !sameEndpoint(a.mapped, b.mapped);
  const byPort = pairs.filter(({ a, b }) => sameAddress(a.to.address, b.to.address));
  const byAddress = pairs.filter(({ a, b }) => !sameAddress(a.to.address, b.to.address));
  if (byPort.some(differs)) return { value: 'address-and-port-dependent' };
  if (byAddress.some(differs)) {
    return { value: byPort.length > 0 ? 'address-dependent' : 'destination-dependent' };
  }
  if (byAddress.length > 0) return { value: 'endpoint-independent' };
  return { value: null, because: whyNoSecondAddress(facts) };
}

function whyNoSecondAddress({ server, binding, mappings }: NatFacts): string {
  const other = binding.state === 'done' ? binding.value.other : null;
  const only = formatEndpoint(server);
  if (other === null) {
    return `the mapping can only be seen from two addresses, and ${only} names no other of its own (no OTHER-ADDRESS; coturn has it with two listening IPs, and from 4.7 on with rfc5780)`;
  }
  if (sameAddress(other.address, server.address)) {
    return `the mapping can only be seen from two addresses, and ${only} has one: its OTHER-ADDRESS is ${formatEndpoint(other)}`;
  }
  const reasons = mappings
    .filter(({ to }) => !sameAddress(to.address, server.address))
    .map(({ answer }) => reasonOf(answer));
  return `${only} names ${formatEndpoint(other)} as its other address, and nothing came from there: ${reasons[0] ?? 'it was not asked'}`;
}

function keepsPort(binding: Attempt<NatBindingFacts>): boolean {
  return binding.state === 'done' && binding.value.mapped.port === binding.value.local.port;
}

/** A NAT that keeps ports looks endpoint-independent until two of its clients use the same one. */
function detailOf({ value }: Known<Mapping>, binding: Attempt<NatBindingFacts>): string {
  return value === 'endpoint-independent' && keepsPort(binding)
    ? 'endpoint-independent, and the port is kept'
    : value === null
      ? ''
      : spelled(value);
}

/** Whether it works, and how that is told. */
function judgeHairpin(
  facts: NatFacts,
  presence: Presence,
  behaviours: readonly (string | null)[],
): { works: boolean | null; outcome: Outcome } {
  const { hairpin, binding } = facts;
  if (presence.value === false) return { works: null, outcome: skipped('there is no NAT') };
  if (presence.value === null) return { works: null, outcome: unknown(presence.because) };
  if (hairpin.state === 'done') {
    const { from, mapped } = hairpin.value;
    const inner = binding.state === 'done' && sameAddress(from.address, binding.value.local.address);
    // RFC 4787 §6: with the inner address, the packet looks as if it came from another candidate.
    const isOdd = inner && !sameAddress(from.address, mapped.address);
    return { works: true, outcome: passed(isOdd ? 'works, with the inner source address' : 'works') };
  }
  if (hairpin.state === 'not-tried' || hairpin.failure.kind !== 'timeout') {
    return { works: null, outcome: unknown(reasonOf(hairpin)) };
  }
  // Else the packet comes from a mapping of its own, and the filter may be what stopped it.
  if (!behaviours.includes('endpoint-independent')) return { works: null, outcome: unknown(mayBeFiltered) };
  if (!otherPortsLeave(facts)) return { works: null, outcome: unknown(otherPortsBlocked) };
  return {
    works: false,
    outcome: passed('none: clients behind it meet by their inner addresses, or the relay'),
  };
}

const mayBeFiltered =
  'nothing came back, which a filter explains too, unless the mapping is endpoint-independent';

const otherPortsBlocked =
  'nothing came back, and UDP to other ports than that of the server was not answered either';

function otherPortsLeave({ server, mappings }: NatFacts): boolean {
  const others = mappings.filter(({ to }) => to.port !== server.port);
  return others.length === 0 || others.some(({ answer }) => answer.state === 'done');
}

/** Null when it was not asked for. */
function judgeLifetime(lifetime: NatFacts['lifetime']): Outcome | null {
  if (lifetime === null) return null;
  if (lifetime.state === 'failed') {
    const seen = describeFailure(lifetime.failure);
    return unknown(`the server sends nothing to the RESPONSE-PORT of a fresh binding: ${seen}`);
  }
  if (lifetime.state === 'not-tried') return unknown(lifetime.because);
  const { aliveMs, goneMs } = lifetime.value;
  const [alive, gone] = [aliveMs, goneMs ?? 0].map((ms) => `${Math.round(ms / 1000)} s`);
  return passed(goneMs === null ? `${alive} or more` : `more than ${alive}, less than ${gone}`);
}

function symmetric(facts: NatFacts, mappings: readonly Seen[], { value }: Known<Mapping>): Finding[] {
  if (facts.binding.state !== 'done' || value === null || value === 'endpoint-independent') return [];
  const { host, server, family, url } = facts;
  const { local } = facts.binding.value;
  const evidence = { host, address: server.address, family, local, mappings };
  return [finding('NAT_SYMMETRIC', evidence, { targets: [url] })];
}

function carrierGrade(
  { binding, host, server, family, url }: NatFacts,
  presence: Presence,
  interfaces: readonly InterfaceAddress[],
): Finding[] {
  if (binding.state !== 'done') return [];
  const seen = carrierGradeSide(binding.value, server, presence.value === true, interfaces);
  if (seen === null) return [];
  const cgnatAddress = binding.value[seen].address;
  const evidence = { host, address: server.address, family, cgnatAddress, seen };
  return [finding('CGNAT', evidence, { targets: [url] })];
}
