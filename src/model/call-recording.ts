import type { Endpoint } from './endpoint.ts';

/**
 * What one piece of evidence says of calls, whatever wrote it: facts, no opinion. Plain data of bounded size.
 *
 * Times (`atMs`, `…AtMs`) are milliseconds since 1970 by the clock of whoever recorded, null where the source has none.
 * A list that is empty means "none was seen"; whether it could have been seen, say `source.missing` and `history`.
 */
export interface CallRecording {
  readonly source: SourceFacts;
  readonly connections: readonly ConnectionFacts[];
  readonly mediaRequests: readonly MediaRequest[];
}

/** What kind of recording a file is; `signaling`: descriptions and candidates, as they were exchanged. */
export type SourceKind = 'webrtc-internals' | 'rtcstats' | 'about-webrtc' | 'getstats' | 'signaling';

/** Where facts come from. */
export interface SourceFacts {
  /** The name under which it was read. */
  readonly file: string;
  readonly kind: SourceKind;
  /** Who wrote it: `Chromium 142`; null when it does not tell. */
  readonly writer: string | null;
  /** Whose figures these are; they differ in what they measure. */
  readonly engine: 'chromium' | 'firefox' | 'safari' | null;
  readonly bytes: number;
  /** When it was saved; null when it does not tell. */
  readonly savedAtMs: number | null;
  /** What could not be read or was never in it, a sentence each, as in a report. */
  readonly missing: readonly string[];
  /** Whether a part of it was not read, which may hold anything. */
  readonly isDamaged: boolean;
}

/**
 * How much of the life of a connection was recorded. `whole`: from its creation. `late`: the events before some moment are
 * missing. `none`: states and figures alone, no events.
 */
export type History = 'whole' | 'late' | 'none';

/** One `RTCPeerConnection`, or what stands for one (an offer with its answer, a candidate list). */
export interface ConnectionFacts {
  /** Unique in its file. */
  readonly id: string;
  /** The page; null when the source does not tell. */
  readonly url: string | null;
  readonly history: History;
  /** Whether every candidate that there was is in it, so that one that is missing was not there. */
  readonly hasAllCandidates: boolean;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  /** When the application closed it; null when it did not. */
  readonly closedAtMs: number | null;
  readonly configuration: IceConfiguration | null;
  /** In the order in which they happened. */
  readonly states: readonly StateChange[];
  /** Descriptions that were applied, in order. */
  readonly descriptions: readonly Description[];
  /** Calls of the API that were refused, in order. */
  readonly failures: readonly ApiFailure[];
  readonly transceivers: readonly TransceiverFacts[];
  readonly candidates: readonly CandidateFacts[];
  readonly candidateErrors: readonly CandidateError[];
  readonly pairs: readonly PairFacts[];
  readonly transports: readonly TransportFacts[];
  /** Audio and video. */
  readonly streams: readonly StreamFacts[];
  /** The sources of what is sent (`media-source`). */
  readonly sources: readonly MediaSourceFacts[];
  /** What the output device took (`media-playout`); null when nothing tells. */
  readonly playout: Readonly<Partial<Record<PlayoutMetric, Series>>> | null;
  readonly dataChannels: readonly string[];
}

/** The `RTCConfiguration` as far as ICE goes; never a credential. */
export interface IceConfiguration {
  /** URLs as they were written. */
  readonly urls: readonly string[];
  /** User names of TURN servers, each once. */
  readonly usernames: readonly string[];
  readonly policy: 'all' | 'relay';
}

export type StateMachine = 'signaling' | 'gathering' | 'ice' | 'connection' | 'dtls';

export interface StateChange {
  readonly atMs: number | null;
  readonly machine: StateMachine;
  /** As in the specification: `have-local-offer`, `complete`, `checking`, `connected`. */
  readonly state: string;
}

export interface Description {
  readonly atMs: number | null;
  readonly side: Side;
  readonly type: 'offer' | 'answer' | 'pranswer' | 'rollback';
  /** Null when the recording leaves the text out. */
  readonly sections: readonly MediaSection[] | null;
}

export type Side = 'local' | 'remote';

export type Direction = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';

/** An m-section of a description, with what it inherits from the session. */
export interface MediaSection {
  /** `audio`, `video`, `application`, or what else stands behind `m=`. */
  readonly kind: string;
  readonly mid: string | null;
  readonly port: number;
  readonly isBundleOnly: boolean;
  /** `UDP/TLS/RTP/SAVPF`. */
  readonly protocol: string;
  readonly direction: Direction;
  readonly codecs: readonly CodecFacts[];
  /** `hash value` of each `a=fingerprint`. */
  readonly fingerprints: readonly string[];
  readonly setup: string | null;
  /** Whether keys are offered in the text (SDES, RFC 4568). */
  readonly hasCryptoLines: boolean;
  readonly isIceLite: boolean;
  readonly ufrag: string | null;
  readonly candidateCount: number;
}

export interface CodecFacts {
  readonly payloadType: number;
  /** `opus`, `telephone-event`; as written. */
  readonly name: string;
  readonly clockRate: number;
}

export interface ApiFailure {
  readonly atMs: number | null;
  /** `setRemoteDescription`, `addIceCandidate`, `createOffer`. */
  readonly operation: string;
  readonly message: string;
  /** Whether the same operation succeeded later. */
  readonly isMended: boolean;
}

export interface TransceiverFacts {
  readonly mid: string | null;
  /** `audio`, `video`; null when the source does not tell. */
  readonly kind: string | null;
  readonly direction: Direction | 'stopped' | null;
  readonly currentDirection: Direction | 'stopped' | null;
  /** Whether something is attached to be sent; null when the source does not tell. */
  readonly hasSenderTrack: boolean | null;
}

export type CandidateType = 'host' | 'srflx' | 'prflx' | 'relay';

export interface CandidateFacts {
  readonly atMs: number | null;
  readonly side: Side;
  /** The id of its statistics; null for what stands in an event or a description alone. */
  readonly id: string | null;
  readonly type: CandidateType;
  readonly protocol: 'udp' | 'tcp';
  readonly tcpType: string | null;
  /** An address or an mDNS name; null where the recording hides it. */
  readonly address: string | null;
  readonly port: number | null;
  readonly relatedAddress: string | null;
  readonly relatedPort: number | null;
  readonly priority: number | null;
  /** How the client reaches its TURN server. */
  readonly relayProtocol: 'udp' | 'tcp' | 'tls' | null;
  /** The server that gave it. */
  readonly url: string | null;
  /** `wifi`, `cellular`, `vpn`. */
  readonly networkType: string | null;
  /** Where it was seen. */
  readonly from: 'event' | 'description' | 'statistics' | 'list';
}

/** An `icecandidateerror`. */
export interface CandidateError {
  readonly atMs: number | null;
  readonly url: string;
  /** Of STUN, or 701 (W3C WebRTC §4.8.1.3): no answer. */
  readonly code: number;
  readonly text: string;
  /** The local address from which it was asked; null when it is hidden. */
  readonly local: Endpoint | null;
}

export interface PairFacts {
  readonly id: string;
  readonly localId: string | null;
  readonly remoteId: string | null;
  /** `succeeded`, `failed`, `in-progress`; the last one that was seen. */
  readonly state: string | null;
  readonly isNominated: boolean;
  readonly series: Readonly<Partial<Record<PairMetric, Series>>>;
}

export type PairMetric =
  | 'requestsSent'
  | 'requestsReceived'
  | 'responsesSent'
  | 'responsesReceived'
  | 'consentRequestsSent'
  | 'bytesSent'
  | 'bytesReceived'
  | 'currentRoundTripTime'
  | 'availableOutgoingBitrate'
  | 'lastPacketReceivedTimestamp'
  | 'lastPacketSentTimestamp';

export interface TransportFacts {
  readonly id: string;
  /** As selected, in order; `pairId` is the id of a pair of the connection. */
  readonly selections: readonly { readonly atMs: number | null; readonly pairId: string }[];
  readonly dtlsRole: string | null;
  readonly series: Readonly<Partial<Record<'bytesSent' | 'bytesReceived', Series>>>;
}

/** An RTP stream, with what either end reports of it. */
export interface StreamFacts {
  readonly id: string;
  readonly direction: 'outbound' | 'inbound';
  readonly kind: 'audio' | 'video';
  readonly ssrc: number | null;
  readonly mid: string | null;
  /** `opus`; null when it is not told. */
  readonly codec: string | null;
  /** `a=fmtp` has `usedtx=1`: it may stop sending when nobody speaks. */
  readonly usesDtx: boolean;
  /** The id of its `MediaSourceFacts`; null when there is none (any more). */
  readonly sourceId: string | null;
  /** When the last report of the other end about it came; null where none did. */
  readonly remoteReportedAtMs: number | null;
  /** Of an outbound stream, `RTCRtpEncodingParameters.active`; null when it is not told. */
  readonly isActive: boolean | null;
  readonly series: Readonly<Partial<Record<StreamMetric, Series>>>;
}

/** Names and units of W3C webrtc-stats: bytes, packets, samples, seconds. `remote…` is what the other end reported. */
export type StreamMetric =
  | 'packetsSent'
  | 'bytesSent'
  | 'retransmittedPacketsSent'
  | 'targetBitrate'
  | 'packetsReceived'
  | 'bytesReceived'
  | 'packetsLost'
  | 'packetsDiscarded'
  | 'lastPacketReceivedTimestamp'
  | 'jitter'
  | 'jitterBufferDelay'
  | 'jitterBufferEmittedCount'
  | 'jitterBufferFlushes'
  | 'totalSamplesReceived'
  | 'concealedSamples'
  | 'silentConcealedSamples'
  | 'concealmentEvents'
  | 'audioLevel'
  | 'totalAudioEnergy'
  | 'totalSamplesDuration'
  | 'remotePacketsLost'
  | 'remoteFractionLost'
  | 'remoteJitter'
  | 'remoteRoundTripTime'
  | 'remotePacketsSent';

export interface MediaSourceFacts {
  readonly id: string;
  readonly kind: 'audio' | 'video';
  readonly series: Readonly<
    Partial<Record<'audioLevel' | 'totalAudioEnergy' | 'totalSamplesDuration', Series>>
  >;
}

export type PlayoutMetric =
  'synthesizedSamplesDuration' | 'totalSamplesDuration' | 'totalPlayoutDelay' | 'totalSamplesCount';

/** A figure over time. Both lists are of one length; times grow; a time is NaN where none was recorded. */
export interface Series {
  readonly atMs: readonly number[];
  readonly values: readonly number[];
}

/** A `getUserMedia` request. */
export interface MediaRequest {
  readonly atMs: number | null;
  readonly url: string | null;
  readonly wantsAudio: boolean;
  readonly wantsVideo: boolean;
  readonly result:
    | { readonly state: 'granted'; readonly hasAudio: boolean }
    /** `NotAllowedError`. */
    | { readonly state: 'refused'; readonly error: string; readonly message: string }
    | { readonly state: 'open' };
}
