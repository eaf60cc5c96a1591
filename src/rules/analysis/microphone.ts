import type { MediaRequest, Series } from '../../model/call-recording.ts';
import type { Outcome } from '../../model/check.ts';
import { finding, type Finding, type FindingOptions } from '../../model/finding.ts';
import { passed, skipped, unknown } from '../outcome.ts';
import { failedCall } from './outcome.ts';
import { audioStreams, evidenceOf, expected, type RecordedCall } from './recorded-call.ts';
import { growthOf, unchangedForMs } from './series.ts';

const reasons = {
  NotAllowedError: 'GUM_DENIED',
  PermissionDeniedError: 'GUM_DENIED',
  SecurityError: 'GUM_DENIED',
  NotReadableError: 'GUM_DEVICE_BUSY',
  TrackStartError: 'GUM_DEVICE_BUSY',
  AbortError: 'GUM_DEVICE_BUSY',
  NotFoundError: 'GUM_NO_DEVICE',
  DevicesNotFoundError: 'GUM_NO_DEVICE',
  OverconstrainedError: 'GUM_NO_DEVICE',
} as const;

// Figures are taken once a second; a stream that ends with the call has its last ones a second or two before.
const endedBeforeMs = 3000;

/** `microphone-opens`: a microphone was got, and kept. */
export function judgeMicrophone(call: RecordedCall): Outcome {
  if (!expected(call).send) return skipped('nothing was to be sent');
  return judgeTrack(call) ?? judgeRequests(call);
}

function judgeTrack(call: RecordedCall): Outcome | null {
  const sources = call.facts.sources.filter(({ kind }) => kind === 'audio');
  // A track that was taken away has no figures any more; one that was stopped has the same ones to the end.
  const ends = sources.flatMap(({ series: { totalSamplesDuration: heard } }) =>
    heard === undefined ? [] : lastChangeOf(heard),
  );
  const last = call.facts.pairs.flatMap(({ series }) => series.bytesSent?.atMs.at(-1) ?? []);
  if (ends.length === 0 || last.length === 0) return null;
  const beforeEndMs = Math.max(...last) - Math.max(...ends);
  return beforeEndMs >= endedBeforeMs ? failedCall(call, 'TRACK_ENDED', { beforeEndMs }) : null;
}

function lastChangeOf(series: Series): number {
  return (series.atMs.at(-1) ?? 0) - unchangedForMs(series);
}

function judgeRequests(call: RecordedCall): Outcome {
  const { requests, facts } = call;
  const ofPage = requests.filter(
    ({ url, wantsAudio }) => wantsAudio && (url === null || facts.url === null || sameOrigin(url, facts.url)),
  );
  if (ofPage.some(({ result }) => result.state === 'granted' && result.hasAudio)) return passed();
  // What is sent without a microphone comes from elsewhere: a file, a synthesizer.
  const sends = (growthOf(audioStreams(call, 'outbound')[0]?.series.packetsSent)?.delta ?? 0) > 0;
  const refused = refusedRequest(ofPage, evidenceOf(call), sends ? { severity: 'warning' } : {});
  if (refused !== null) return { status: 'failed', findings: [refused] };
  return unknown('the recording does not tell of a request for a microphone');
}

/** The last request that was refused, where none got a microphone. */
export function refusedRequest(
  requests: readonly MediaRequest[],
  evidence: { readonly file: string; readonly connection: string },
  options: Pick<FindingOptions, 'severity'> = {},
): Finding | null {
  if (requests.some(({ result }) => result.state === 'granted' && result.hasAudio)) return null;
  const refused = requests.findLast(({ result, wantsAudio }) => wantsAudio && result.state === 'refused');
  if (refused?.result.state !== 'refused') return null;
  const { error, message } = refused.result;
  const code = Object.hasOwn(reasons, error) ? reasons[error as keyof typeof reasons] : 'GUM_DEVICE_BUSY';
  return finding(code, { ...evidence, error, message }, options);
}

function sameOrigin(a: string, b: string): boolean {
  const origin = (url: string): string => /^[a-z]+:\/\/[^/]+/i.exec(url)?.[0] ?? url;
  return origin(a) === origin(b);
}
