import type { NatReport } from '../model/report.ts';
import type { Presence } from './nat-presence.ts';

type Judged = Pick<NatReport, 'mapping' | 'filtering'>;

/** One sentence: what the NAT is, and what that means for calls (ICE, RFC 8445, between this client and a peer). */
export function natSummary(judged: Judged, presence: Presence): string {
  if (presence.value === null) return `what NAT this network has is not known: ${presence.because}`;
  return presence.value ? translated(judged) : untranslated(judged);
}

const withAny = 'direct calls work with any peer that can send UDP';
const butSymmetric =
  'direct calls work with any peer but those behind a symmetric NAT; with these the relay is needed';

function translated({ mapping, filtering }: Judged): string {
  const nat = `your NAT: ${mapping === null ? 'unknown' : spelled(mapping)} mapping, ${filtering ?? 'unknown'} filtering`;
  if (mapping === null) return `${nat}; whether calls need the relay is not known`;
  if (mapping !== 'endpoint-independent') {
    return `${nat}; direct calls work with peers whose NAT filters by address or not at all; with all others the relay is needed`;
  }
  if (filtering === null) {
    return `${nat}; direct calls work with most peers; with those behind a symmetric NAT the relay may be needed`;
  }
  return `${nat}; ${filtering === 'address-and-port-dependent' ? butSymmetric : withAny}`;
}

function untranslated({ filtering }: Judged): string {
  switch (filtering) {
    case 'endpoint-independent':
      return `no NAT and no filter; ${withAny}`;
    // RFC 3489 §5 calls both a symmetric UDP firewall.
    case 'address-dependent':
      return `no NAT; a firewall lets in only addresses that were sent to (a symmetric UDP firewall); ${withAny}`;
    case 'address-and-port-dependent':
      return `no NAT; a firewall lets in only answers (a symmetric UDP firewall); ${butSymmetric}`;
    case null:
      return 'no NAT; whether a firewall lets in what was not asked for is not known';
    default:
      return filtering satisfies never;
  }
}

export function spelled(mapping: NonNullable<Judged['mapping']>): string {
  return mapping === 'destination-dependent' ? 'address- or port-dependent' : mapping;
}
