import type { FindingCode } from '../../src/model/finding.ts';

/** What `analyze` has to make of recordings that are given to it at once. */
export interface RuleProof {
  /** In `test/support/call-recordings`. */
  readonly files: readonly string[];
  /** The finding that shows the rule at work; null where the report says it in words. */
  readonly finding: FindingCode | null;
  /** Whether nothing stands before it: it is what the headline is about, or all that is found. */
  readonly isRoot: boolean;
  /** What the report has to say, where no finding does. */
  readonly said: string | null;
}

/** Something that `analyze` can tell of a call. Tier 1 has to be proved by a recording of a real one. */
export interface CallRule {
  readonly rule: string;
  readonly tier: 1 | 2;
  readonly proofs: readonly RuleProof[];
  /** Why no recording proves it; null where one does. */
  readonly unproved: string | null;
}

const root = (finding: FindingCode, ...files: string[]): RuleProof => ({
  ...{ files, finding, isRoot: true, said: null },
});

const beside = (finding: FindingCode, ...files: string[]): RuleProof => ({
  ...{ files, finding, isRoot: false, said: null },
});

const says = (said: string, ...files: string[]): RuleProof => ({
  ...{ files, finding: null, isRoot: false, said },
});

const first = (rule: string, ...proofs: RuleProof[]): CallRule => ({ rule, tier: 1, proofs, unproved: null });
const second = (rule: string, ...proofs: RuleProof[]): CallRule => ({
  ...{ rule, tier: 2, proofs, unproved: null },
});
const unproved = (rule: string, why: string): CallRule => ({ rule, tier: 2, proofs: [], unproved: why });

const dump = (name: string): string => `${name}.internals.gz`;
const log = (name: string): string => `joined/${name}.log.gz`;
const capture = (name: string): string => `joined/${name}.pcap.gz`;
const joined = (name: string): string => `joined/${name}.internals.gz`;

/** In the order in which one thing leads to the next. */
export const callRules: readonly CallRule[] = [
  first('EVIDENCE_EMPTY', root('EVIDENCE_EMPTY', dump('page-left'))),
  first('EVIDENCE_LATE', root('EVIDENCE_LATE', dump('opened-late'))),
  first(
    'PC_SELECTION',
    says('2 more left out', dump('trial-before')),
    says('the worst of 4 with audio', dump('path-lost'), dump('healthy-direct')),
  ),
  first('GUM_DENIED', root('GUM_DENIED', dump('microphone-denied'))),
  first('GUM_DEVICE_BUSY', root('GUM_DEVICE_BUSY', dump('microphone-busy'))),
  second('GUM_NO_DEVICE', root('GUM_NO_DEVICE', dump('no-microphone'))),
  first(
    'TRACK_ENDED',
    root('TRACK_ENDED', dump('track-removed')),
    root('TRACK_ENDED', dump('track-stopped')),
  ),
  first('MIC_SILENT', root('MIC_SILENT', dump('muted-track')), root('MIC_SILENT', dump('quiet-microphone'))),
  first('NO_AUDIO_NEGOTIATED', root('NO_AUDIO_NEGOTIATED', dump('no-audio'))),
  first('AUDIO_REJECTED', root('AUDIO_REJECTED', dump('audio-rejected'))),
  first(
    'NO_COMMON_CODEC',
    root('NO_COMMON_CODEC', dump('no-common-codec')),
    root('NO_COMMON_CODEC', dump('answer-of-gateway')),
  ),
  first(
    'DIRECTION_NO_AUDIO',
    root('DIRECTION_NO_AUDIO', dump('direction-mismatch')),
    root('DIRECTION_NO_AUDIO', 'direction-mismatch.sdp'),
    root('DIRECTION_NO_AUDIO', 'direction-mismatch.firefox-page.gz'),
  ),
  first('NO_LOCAL_AUDIO_TRACK', root('NO_LOCAL_AUDIO_TRACK', dump('no-track'))),
  second('SDP_FAILED', root('SDP_FAILED', dump('answer-damaged'))),
  first('SIGNALING_STUCK', root('SIGNALING_STUCK', dump('never-answered'))),
  second('DTLS_SDP_PROBLEM', root('DTLS_SDP_PROBLEM', dump('no-fingerprint'))),
  second('TURN_NOT_CONFIGURED', beside('TURN_NOT_CONFIGURED', dump('no-turn'))),
  first('RELAY_POLICY_NO_TURN', root('RELAY_POLICY_NO_TURN', dump('relay-without-turn'))),
  first('ICE_URL_INVALID', root('ICE_URL_INVALID', dump('placeholder-url'))),
  first(
    'TURN_AUTH_FAILED',
    root('TURN_AUTH_FAILED', dump('wrong-password')),
    root('TURN_AUTH_FAILED', 'wrong-password.rtcstats.gz'),
    root('TURN_AUTH_FAILED', 'wrong-password.firefox-page.gz'),
    root('TURN_AUTH_FAILED', joined('wrong-password'), log('wrong-password'), capture('wrong-password')),
    root('TURN_AUTH_FAILED', 'joined/firefox-wrong-password.report.gz', log('firefox-wrong-password')),
  ),
  first(
    'TURN_UNREACHABLE',
    root('TURN_UNREACHABLE', dump('turn-unreachable')),
    root('TURN_UNREACHABLE', 'turn-unreachable.firefox-page.gz'),
  ),
  first('NO_RELAY_CANDIDATE', root('RELAY_NOT_GATHERED', 'wrong-password.firefox-report.gz')),
  first(
    'RELAY_ADDR_PRIVATE',
    root('RELAY_ADDR_PRIVATE', dump('private-relay')),
    root('RELAY_ADDR_PRIVATE', 'private-relay.sdp'),
  ),
  first('NO_UDP_CANDIDATES', root('NO_UDP_CANDIDATES', dump('no-udp'))),
  second(
    'TURN_QUOTA',
    root('TURN_QUOTA', dump('quota')),
    root('TURN_QUOTA', joined('quota'), log('quota'), capture('quota')),
  ),
  first('NO_REMOTE_CANDIDATES', root('NO_REMOTE_CANDIDATES', dump('candidates-lost'))),
  first('REMOTE_UNREACHABLE_ADDR', root('REMOTE_UNREACHABLE_ADDR', dump('loopback-address'))),
  first('MDNS_ONLY', root('MDNS_ONLY', dump('mdns-only'))),
  first(
    'ICE_FAILED_NO_RELAY',
    root('ICE_FAILED_NO_RELAY', dump('no-turn')),
    root('ICE_FAILED_NO_RELAY', 'no-turn.firefox-report.gz'),
  ),
  first(
    'ICE_FAILED_WITH_RELAY',
    root('ICE_FAILED_WITH_RELAY', dump('relay-ports-blocked')),
    root('TURN_RELAY_SILENT', joined('relay-ports-blocked'), log('relay-ports-blocked')),
    root('TURN_RELAY_SILENT', joined('relay-ports-blocked'), capture('relay-ports-blocked')),
  ),
  first(
    'TURN_PERMISSION_DENIED',
    root('TURN_PERMISSION_DENIED', joined('peers-denied'), log('peers-denied')),
    root('TURN_PERMISSION_DENIED', joined('peers-denied'), capture('peers-denied')),
    root('TURN_PERMISSION_DENIED', 'joined/firefox-peers-denied.report.gz', log('firefox-peers-denied')),
  ),
  second('ICE_NEVER_STARTED', root('ICE_NEVER_STARTED', dump('other-family'))),
  first(
    'CONNECTION_LOST',
    root('CONNECTION_LOST', dump('path-lost')),
    root('CONNECTION_LOST', dump('path-switched')),
  ),
  first(
    'TURN_ALLOC_EXPIRED',
    root('TURN_ALLOC_EXPIRED', joined('allocation-expired'), log('allocation-expired')),
    root('TURN_ALLOC_EXPIRED', joined('allocation-expired'), capture('allocation-expired')),
  ),
  first('DTLS_STUCK', root('DTLS_STUCK', dump('dtls-blocked'))),
  first('DTLS_FAILED', root('DTLS_FAILED', dump('wrong-fingerprint'))),
  first('OUTBOUND_ZERO', root('OUTBOUND_ZERO', dump('encoding-off'))),
  second('SENDING_SILENCE', root('MIC_SILENT', dump('muted-track'))),
  second('REMOTE_GETS_NOTHING', beside('REMOTE_GETS_NOTHING', dump('one-way'))),
  first(
    'INBOUND_ZERO',
    root('INBOUND_ZERO', dump('one-way')),
    root('INBOUND_ZERO', 'one-way.getstats.gz'),
    root('INBOUND_ZERO', 'one-way.rtcstats.gz'),
    root('INBOUND_ZERO', 'one-way.rtcstats-v2.gz'),
    root('INBOUND_ZERO', 'one-way.jitsi.gz'),
    root('INBOUND_ZERO', 'one-way.firefox-report.gz'),
  ),
  first('ONE_WAY_AUDIO', says('one-way audio: ', dump('one-way'))),
  first('PLAYOUT_MUTED', root('PLAYOUT_MUTED', dump('element-muted'))),
  first(
    'INBOUND_SILENT',
    beside('INBOUND_SILENT', dump('muted-track')),
    root('INBOUND_SILENT', 'muted-track.firefox-report.gz'),
  ),
  first('NOT_PLAYED', root('NOT_PLAYED', dump('not-attached'))),
  unproved(
    'PLAYOUT_GLITCH',
    'no sound card is in a container, and what Chromium has in its place takes samples by the clock, never late; `test/rules/analysis/calls.test.ts` has figures of such a call',
  ),
  second('CONCEALMENT', beside('CONCEALMENT', dump('high-loss'))),
  first(
    'HIGH_LOSS',
    root('HIGH_LOSS', dump('high-loss')),
    root('HIGH_LOSS', 'high-loss.getstats.gz'),
    root('HIGH_LOSS', 'high-loss.rtcstats.gz'),
  ),
  second('HIGH_JITTER_DELAY', beside('HIGH_JITTER_DELAY', dump('uneven-line'))),
  second('HIGH_RTT', root('HIGH_RTT', dump('slow-line'))),
  first('MOS', beside('LOW_MOS', dump('high-loss'))),
  first('RELAY_TCP', root('RELAY_TCP', dump('relay-tcp'))),
  first(
    'RELAY_IN_USE',
    says('relay to relay over udp', dump('healthy-relay')),
    says('host to host over udp', dump('healthy-direct')),
    says('The path changed from host to host over udp to ', dump('path-switched')),
  ),
  unproved(
    'BWE_LOW',
    'Chromium estimates no less than its audio takes: 49.6 kbit/s to the end over a line of 30; `test/rules/analysis/calls.test.ts` has figures of a call with less',
  ),
  first('TURNLOG_401_LOOP', root('LOG_CREDENTIALS_WRONG', log('wrong-password'))),
  first('TURNLOG_NO_MEDIA', root('LOG_PEERS_SILENT', log('relay-ports-blocked'))),
  second(
    'TURNLOG_ERRORS',
    root('LOG_QUOTA_REACHED', log('quota')),
    root('LOG_PEERS_DENIED', log('peers-denied')),
  ),
  second('TURNLOG_CLOSE_REASON', root('LOG_ALLOCATIONS_EXPIRED', log('allocation-expired'))),
  second('PCAP_ICE_ONEWAY', beside('CAPTURE_CHECKS_UNANSWERED', capture('relay-ports-blocked'))),
  second(
    'PCAP_TURN_STATE',
    root('CAPTURE_CREDENTIALS_REFUSED', capture('wrong-password')),
    root('CAPTURE_ALLOCATION_REFUSED', capture('quota')),
    root('CAPTURE_PEERS_REFUSED', capture('peers-denied')),
    root('CAPTURE_ALLOCATION_LOST', capture('allocation-expired')),
  ),
];

/** What has nothing wrong in it, of each source. */
export const healthyRecordings: readonly {
  readonly source: string;
  readonly files: readonly string[];
  /** Null where it holds no call to be judged. */
  readonly verdict: 'healthy' | 'unknown' | null;
}[] = [
  { source: 'chrome://webrtc-internals', files: [dump('healthy-direct')], verdict: 'healthy' },
  { source: 'chrome://webrtc-internals, through relays', files: [dump('healthy-relay')], verdict: 'healthy' },
  {
    source: 'chrome://webrtc-internals, through relays over TCP',
    files: [dump('relay-tcp')],
    verdict: 'healthy',
  },
  {
    source: 'chrome://webrtc-internals, opened during the call',
    files: [dump('opened-late')],
    verdict: 'healthy',
  },
  {
    source: 'chrome://webrtc-internals, with a trial that failed',
    files: [dump('trial-before')],
    verdict: 'healthy',
  },
  { source: 'rtcstats', files: ['healthy-relay.rtcstats.gz'], verdict: 'healthy' },
  {
    source: 'rtcstats 5.2, as its server writes it',
    files: ['healthy-relay.rtcstats-v2.gz'],
    verdict: 'healthy',
  },
  { source: 'rtcstats of Jitsi', files: ['healthy-relay.jitsi.gz'], verdict: 'healthy' },
  { source: '`getStats()`', files: ['healthy-relay.getstats.gz'], verdict: 'healthy' },
  { source: 'about:webrtc, “Copy Report”', files: ['healthy-relay.firefox-report.gz'], verdict: 'healthy' },
  {
    source: 'about:webrtc, “Copy Report History”',
    files: ['healthy-relay.firefox-history.gz'],
    verdict: 'healthy',
  },
  { source: 'about:webrtc, “Save Page”', files: ['healthy-relay.firefox-page.gz'], verdict: 'unknown' },
  { source: 'about:webrtc, marked and copied', files: ['healthy-relay.firefox-text.gz'], verdict: 'unknown' },
  { source: 'SDP, the offer and its answer', files: ['healthy-relay.sdp'], verdict: 'unknown' },
  { source: 'candidate lines', files: ['healthy-relay.candidates'], verdict: 'unknown' },
  { source: 'a log of coturn', files: [log('healthy-relay')], verdict: null },
  { source: 'a capture', files: [capture('healthy-relay')], verdict: null },
  {
    source: 'a dump, the log and a capture of one call',
    files: [joined('healthy-relay'), log('healthy-relay'), capture('healthy-relay')],
    verdict: 'healthy',
  },
];
