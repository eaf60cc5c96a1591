import type { CheckId } from '../model/check.ts';
import type { Target } from '../model/observations.ts';
import type { TargetReport } from '../model/report.ts';
import type { Criteria, Requirement } from './criteria.ts';

/** What `healthy` needs of a listener when the user requires nothing in particular. */
const byDefault: readonly CheckId[] = [
  'listener-answers',
  'tls-certificate',
  'stun-binding',
  'turn-challenge',
  'turn-allocate',
  'relay-address',
  'turn-permission',
  'turn-channel',
  'relay-inbound',
  'relay-outbound',
  'relay-reply',
  'turn-refresh',
  'turn-release',
  'candidates-relay',
  'call-connects',
  'call-uses-relay',
  'call-audio',
  'call-quality',
];

const reaching: readonly CheckId[] = ['listener-answers', 'tls-certificate', 'stun-binding'];
const relaying: readonly CheckId[] = [
  'turn-challenge',
  'turn-allocate',
  'relay-address',
  'relay-inbound',
  'relay-outbound',
  'relay-reply',
  'candidates-relay',
];
const calling: readonly CheckId[] = ['call-connects', 'call-uses-relay', 'call-audio', 'call-quality'];

/** The checks that a requirement names; a transport means all that makes it usable. */
const checksOf: Readonly<Record<Requirement, readonly CheckId[]>> = {
  relay: relaying,
  srflx: ['candidates-srflx'],
  call: calling,
  udp: [...reaching, 'turn-allocate'],
  tcp: [...reaching, 'turn-allocate'],
  tls: [...reaching, 'turn-allocate'],
};

/** The checks of one target that `healthy` needs. */
export function requiredChecks({ transport }: Target, { require }: Criteria): ReadonlySet<CheckId> {
  if (require === null) return new Set(byDefault);
  const applying = require.filter((each) => !isTransport(each) || each === transport);
  return new Set(applying.flatMap((each) => checksOf[each]));
}

/** Requirements that no target could meet, because nothing was there to be tested. */
export function missingRequirements(targets: readonly TargetReport[], { require }: Criteria): string[] {
  return (require ?? []).flatMap((each) => {
    const tested = targets.some(
      (target) =>
        (!isTransport(each) || target.transport === each) &&
        target.checks.some(({ id, status }) => checksOf[each].includes(id) && status !== 'skipped'),
    );
    return tested ? [] : [`${each} is required, and no target was tested for it`];
  });
}

function isTransport(requirement: Requirement): boolean {
  return requirement === 'udp' || requirement === 'tcp' || requirement === 'tls';
}
