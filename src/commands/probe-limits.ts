import { RtcOpsError } from '../model/error.ts';
import { isTurn, type TurnUri } from '../model/turn-uri.ts';
import type { Criteria } from '../rules/criteria.ts';

type Wanted = Partial<Pick<Criteria, 'require' | 'maxLossRatio' | 'maxJitterMs' | 'minMos'>>;

interface Measured {
  readonly uris: readonly Pick<TurnUri, 'scheme'>[];
  /** Why there is no call (`the call that --no-call forbids`) and what to do; null when there is one. */
  readonly withoutCall: { readonly because: string; readonly hint: string } | null;
}

/**
 * What is asked for and can never be measured would pass in silence: limits of a call that is not made, and a relay
 * where every URI is one of STUN.
 * @throws RtcOpsError `usage`
 */
export function refuseWhatIsNeverMeasured(wanted: Wanted, { uris, withoutCall }: Measured): void {
  const { require } = wanted;
  const ofCall = given([
    ['--max-loss', isSet(wanted.maxLossRatio)],
    ['--max-jitter', isSet(wanted.maxJitterMs)],
    ['--min-mos', isSet(wanted.minMos)],
    ['--require call', require?.includes('call') === true],
  ]);
  if (ofCall.length > 0 && withoutCall !== null) {
    const { because, hint } = withoutCall;
    throw new RtcOpsError('usage', `${needing(ofCall)} ${because}`, { hint });
  }
  const ofTurn = [...ofCall, ...given([['--require relay', require?.includes('relay') === true]])];
  if (ofTurn.length > 0 && !uris.some(isTurn)) {
    throw new RtcOpsError('usage', `${needing(ofTurn)} a relay, and a stun: URI has none`, {
      hint: `Give a turn: or turns: URI, or leave out ${ofTurn.join(' and ')}.`,
    });
  }
}

function given(options: readonly (readonly [string, boolean])[]): string[] {
  return options.filter(([, isGiven]) => isGiven).map(([name]) => name);
}

function needing(options: readonly string[]): string {
  return `${options.join(' and ')} ${options.length === 1 ? 'needs' : 'need'}`;
}

function isSet(limit: number | null | undefined): boolean {
  return limit !== null && limit !== undefined;
}
