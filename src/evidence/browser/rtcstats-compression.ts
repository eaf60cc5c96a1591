import { member } from './event-value.ts';

/*
 * The numbers that rtcstats-js writes in place of names from format 3 on (rtcstats-shared, compression.js). They are part
 * of the format and never change; those of members that nothing here looks at are left out.
 */
const methods: Readonly<Record<string, string>> = {
  1: 'getStats',
  g: 'getStats',
  2: 'createOffer',
  3: 'createOfferOnSuccess',
  12: 'createOfferOnFailure',
  4: 'createAnswer',
  5: 'createAnswerOnSuccess',
  13: 'createAnswerOnFailure',
  6: 'setLocalDescription',
  7: 'setLocalDescriptionOnSuccess',
  14: 'setLocalDescriptionOnFailure',
  8: 'setRemoteDescription',
  9: 'setRemoteDescriptionOnSuccess',
  15: 'setRemoteDescriptionOnFailure',
  10: 'addIceCandidate',
  11: 'addIceCandidateOnSuccess',
  16: 'addIceCandidateOnFailure',
  20: 'onicecandidate',
  21: 'onicecandidateerror',
  22: 'ontrack',
  23: 'onsignalingstatechange',
  24: 'oniceconnectionstatechange',
  25: 'onconnectionstatechange',
  26: 'onicegatheringstatechange',
  27: 'onnegotiationneeded',
  28: 'ondatachannel',
  30: 'addTrack',
  31: 'addTrackOnSuccess',
  32: 'addTransceiver',
  33: 'addTransceiverOnSuccess',
  34: 'removeTrack',
  35: 'createDataChannel',
  36: 'close',
  37: 'restartIce',
  38: 'setConfiguration',
  39: 'create',
  40: 'constraints',
  41: 'setCodecPreferences',
  42: 'setHeaderExtensionsToNegotiate',
  50: 'setParameters',
  51: 'replaceTrack',
  60: 'navigator.mediaDevices.getUserMedia',
  61: 'navigator.mediaDevices.getUserMediaOnSuccess',
  65: 'navigator.mediaDevices.getUserMediaOnFailure',
  63: 'navigator.mediaDevices.getDisplayMedia',
  64: 'navigator.mediaDevices.getDisplayMediaOnSuccess',
  66: 'navigator.mediaDevices.enumerateDevices',
  67: 'navigator.mediaDevices.ondevicechange',
  70: 'MediaStreamTrack.stop',
  71: 'MediaStreamTrack.applyConstraints',
  72: 'MediaStreamTrack.onended',
  73: 'MediaStreamTrack.onmute',
  74: 'MediaStreamTrack.onunmute',
  80: 'HTMLMediaElement.resize',
};

const types: Readonly<Record<string, string>> = {
  1: 'inbound-rtp',
  2: 'outbound-rtp',
  3: 'remote-inbound-rtp',
  4: 'remote-outbound-rtp',
  5: 'transport',
  6: 'candidate-pair',
  7: 'local-candidate',
  8: 'remote-candidate',
  9: 'data-channel',
  10: 'peer-connection',
  11: 'certificate',
  12: 'media-source',
  13: 'media-playout',
  14: 'codec',
};

const members: Readonly<Record<string, string>> = {
  t: 'timestamp',
  6: 'mimeType',
  9: 'sdpFmtpLine',
  10: 'ssrc',
  11: 'kind',
  12: 'codecId',
  14: 'packetsReceived',
  15: 'packetsLost',
  16: 'jitter',
  17: 'trackIdentifier',
  18: 'mid',
  19: 'remoteId',
  34: 'lastPacketReceivedTimestamp',
  36: 'packetsDiscarded',
  41: 'bytesReceived',
  47: 'jitterBufferDelay',
  49: 'jitterBufferEmittedCount',
  51: 'totalSamplesReceived',
  52: 'concealedSamples',
  53: 'silentConcealedSamples',
  54: 'concealmentEvents',
  57: 'audioLevel',
  58: 'totalAudioEnergy',
  59: 'totalSamplesDuration',
  74: 'localId',
  75: 'roundTripTime',
  77: 'fractionLost',
  79: 'packetsSent',
  80: 'bytesSent',
  81: 'mediaSourceId',
  85: 'retransmittedPacketsSent',
  87: 'targetBitrate',
  100: 'active',
  109: 'synthesizedSamplesDuration',
  111: 'totalPlayoutDelay',
  112: 'totalSamplesCount',
  116: 'protocol',
  118: 'state',
  123: 'dtlsState',
  124: 'iceState',
  125: 'selectedCandidatePairId',
  130: 'dtlsRole',
  134: 'address',
  135: 'port',
  136: 'candidateType',
  137: 'priority',
  138: 'url',
  139: 'relayProtocol',
  141: 'relatedAddress',
  142: 'relatedPort',
  144: 'tcpType',
  145: 'networkType',
  148: 'localCandidateId',
  149: 'remoteCandidateId',
  150: 'nominated',
  151: 'lastPacketSentTimestamp',
  152: 'currentRoundTripTime',
  153: 'availableOutgoingBitrate',
  155: 'requestsReceived',
  156: 'requestsSent',
  157: 'responsesReceived',
  158: 'responsesSent',
  159: 'consentRequestsSent',
};

/** The name of a method, which is written as a number or as itself. */
export function methodName(code: unknown): string {
  const text = typeof code === 'string' || typeof code === 'number' ? String(code) : '';
  if (/^getstats$/i.test(text)) return 'getStats';
  return Object.hasOwn(methods, text) ? (methods[text] ?? text) : text;
}

type Stats = Record<string, unknown>;

const mostObjects = 3000;

/** Makes whole reports of what changed since the one before. */
export class StatsDecompressor {
  #base = new Map<string, Stats>();

  /** The whole report, by id. An object that is null is gone. */
  next(delta: unknown): Record<string, Stats> {
    if (typeof delta !== 'object' || delta === null) return {};
    const entries = new Map<string, unknown>(Object.entries(delta));
    const timestamp = entries.get('t') ?? entries.get('timestamp');
    entries.delete('t');
    entries.delete('timestamp');
    for (const [id, change] of entries) {
      if (change === null) this.#base.delete(id);
      else if (typeof change === 'object' && (this.#base.has(id) || this.#base.size < mostObjects))
        this.#base.set(id, { ...this.#base.get(id), ...named(change as Stats) });
    }
    if (typeof timestamp === 'number') {
      for (const [id, stats] of this.#base) {
        const own = member(entries.get(id), 't') ?? member(entries.get(id), 'timestamp');
        // Zero stands for the time of the whole report.
        const isOwn = typeof own === 'number' && own !== 0;
        this.#base.set(id, { ...stats, timestamp: isOwn ? own : timestamp });
      }
    }
    return Object.fromEntries(this.#base);
  }
}

function named(change: Stats): Stats {
  return Object.fromEntries(
    Object.entries(change).map(([key, value]) => {
      const name = Object.hasOwn(members, key) ? (members[key] ?? key) : key;
      const type = name === 'type' ? String(value) : '';
      return [name, Object.hasOwn(types, type) ? types[type] : value];
    }),
  );
}
