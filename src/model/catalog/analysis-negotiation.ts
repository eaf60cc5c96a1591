import { callEntry, exampleCall, inApplication, seconds, type CallEvidence } from './analysis-entry.ts';
import { listed } from './entry.ts';

interface RequestEvidence extends CallEvidence {
  /** `NotAllowedError` */
  readonly error: string;
  readonly message: string;
}

const exampleRequest: RequestEvidence = {
  ...exampleCall,
  error: 'NotAllowedError',
  message: 'Permission denied',
};

function requestProof(e: RequestEvidence): string {
  return `getUserMedia ended with ${e.error}${e.message === '' ? '' : ` (“${e.message}”)`}, and no later request got a microphone.`;
}

/** From the microphone to the answer: what a recording shows before a packet is sent. */
export const analysisNegotiationCatalog = {
  EVIDENCE_EMPTY: callEntry<CallEvidence & { microphoneOpened: boolean }>({
    severity: 'warning',
    example: { ...exampleCall, connection: '', microphoneOpened: true },
    title: () => 'The recording holds no call',
    cause: (e) =>
      `No connection is in it${e.microphoneOpened ? '; the microphone was opened, and no call was made from it' : ''}. Chrome forgets a connection when its page is closed or loaded again.`,
    proof: (e) => `${e.file} has no connection with an event or a figure, as far as it could be read.`,
    fix: () => [
      'open chrome://webrtc-internals?keepRemovedConnections in a tab, then make the call',
      'save the dump while the call is still up',
    ],
    explanation:
      'A dump of chrome://webrtc-internals holds the connections of pages that are open when it is saved. From an empty one nothing follows: neither that a call was good nor that it was bad.',
    confusedWith: ['ICE_NEVER_STARTED: there a connection is in the recording, and did not begin.'],
    references: ['W3C webrtc-stats'],
  }),
  EVIDENCE_LATE: callEntry<CallEvidence>({
    severity: 'info',
    example: exampleCall,
    title: () => 'The recording began after the call did',
    cause: () =>
      'What happened before is not in it, so that "never happened" is not known of anything early.',
    proof: (e) => `Connection ${e.connection} has its last states and no event of how it was made.`,
    fix: () => ['open chrome://webrtc-internals before the call'],
    explanation:
      'A page of chrome://webrtc-internals that is opened during a call gets the descriptions and the states of that moment, and no candidates and no errors of before.',
    confusedWith: ['EVIDENCE_EMPTY: there no connection is in it at all.'],
    references: ['W3C webrtc-stats'],
  }),
  GUM_DENIED: callEntry<RequestEvidence>({
    severity: 'error',
    example: exampleRequest,
    title: () => 'The browser was not allowed to use the microphone',
    cause: () => 'The user, the system or a policy refused it; nothing can be sent without it.',
    proof: requestProof,
    fix: () => [
      'allow the microphone for the site, in the browser and in the privacy settings of the system',
      'serve the page over https, and give a frame allow="microphone"',
    ],
    explanation:
      'getUserMedia was refused with NotAllowedError, PermissionDeniedError or SecurityError, and no later request succeeded.',
    confusedWith: [
      'GUM_DEVICE_BUSY: there it is allowed, and the device cannot be had.',
      'A page without https: the browser offers it no microphone to ask for.',
    ],
    references: ['W3C mediacapture-streams §9.2'],
  }),
  GUM_DEVICE_BUSY: callEntry<RequestEvidence>({
    severity: 'error',
    example: { ...exampleRequest, error: 'NotReadableError', message: 'Could not start audio source' },
    title: () => 'The microphone could not be opened',
    cause: () => 'It is there and allowed, but another program has it, or its driver does not give it.',
    proof: requestProof,
    fix: () => [
      'close what else uses the microphone, plug it in again, look at the privacy switch of the system',
    ],
    explanation:
      'getUserMedia was refused with NotReadableError, TrackStartError or AbortError. Where audio and video were asked for at once it can be the camera; a later request for audio alone that succeeds tells.',
    confusedWith: [
      'GUM_DENIED: there somebody said no.',
      'TRACK_ENDED: there it was open, and was lost later.',
    ],
    references: ['W3C mediacapture-streams §9.2'],
  }),
  GUM_NO_DEVICE: callEntry<RequestEvidence>({
    severity: 'error',
    example: { ...exampleRequest, error: 'NotFoundError', message: 'Requested device not found' },
    title: () => 'No microphone was found',
    cause: () => 'There is none, or the application asks for one that is not there (any more).',
    proof: requestProof,
    fix: () => [
      'plug in a microphone',
      inApplication('audio: { deviceId: { ideal: id } } // exact fails when the device is gone'),
    ],
    explanation: 'getUserMedia was refused with NotFoundError, DevicesNotFoundError or OverconstrainedError.',
    confusedWith: ['GUM_DEVICE_BUSY: there it is found, and not given.'],
    references: ['W3C mediacapture-streams §9.2'],
  }),
  NO_AUDIO_NEGOTIATED: callEntry<CallEvidence & { kinds: readonly string[] }>({
    severity: 'error',
    example: { ...exampleCall, kinds: ['video'] },
    title: () => 'Audio was never part of the call',
    cause: () => 'Neither description has an audio section: the application did not ask for audio.',
    proof: (e) =>
      `The descriptions of connection ${e.connection} have ${e.kinds.length === 0 ? 'no section' : `${listed(e.kinds)} alone`}, and there are no figures of audio.`,
    fix: () => [
      inApplication("pc.addTrack(microphone, stream); // or pc.addTransceiver('audio'), before createOffer"),
    ],
    explanation: 'What is not in an offer cannot be in its answer (RFC 3264 §6).',
    confusedWith: [
      'AUDIO_REJECTED: there it was offered.',
      'NO_LOCAL_AUDIO_TRACK: there audio was agreed on, and nothing is attached.',
    ],
    references: ['RFC 8829 §5.2', 'RFC 3264 §6'],
  }),
  AUDIO_REJECTED: callEntry<CallEvidence & { by: 'local' | 'remote' }>({
    severity: 'error',
    example: { ...exampleCall, by: 'remote' },
    title: (e) => `${e.by === 'remote' ? 'The other side' : 'This side'} rejected audio`,
    cause: () =>
      'Its answer has port 0 in the audio section: no codec or profile suits it, or audio was stopped.',
    proof: (e) => `The ${e.by} answer has m=audio 0.`,
    fix: () => ['compare the codecs and the profile of m=audio in the offer and the answer'],
    explanation:
      'An answer rejects a section with port 0 (RFC 3264 §6). An offer with port 0 and a=bundle-only does not.',
    confusedWith: [
      'NO_COMMON_CODEC: there the section stays, without a codec in it that both know.',
      'NO_AUDIO_NEGOTIATED: there nobody offered it.',
    ],
    references: ['RFC 3264 §6', 'RFC 9143 §6'],
  }),
  NO_COMMON_CODEC: callEntry<CallEvidence & { offered: readonly string[]; answered: readonly string[] }>({
    severity: 'error',
    example: { ...exampleCall, offered: ['opus'], answered: ['G729'] },
    title: () => 'The two sides have no audio codec in common',
    cause: (e) =>
      `One offers ${listed(e.offered) || 'nothing'}, the other answers ${listed(e.answered) || 'nothing'}.`,
    proof: () =>
      'The codecs of m=audio in the offer and the answer, without telephone events and comfort noise.',
    fix: () => ['enable opus, or PCMU and PCMA, on both ends'],
    explanation:
      'Without a codec that both know, nothing that arrives can be heard. RFC 7874 asks for opus and PCMU/PCMA.',
    confusedWith: ['AUDIO_REJECTED: there the answer says no, with port 0.'],
    references: ['RFC 7874 §3'],
  }),
  DIRECTION_NO_AUDIO: callEntry<CallEvidence & { negotiated: string; missing: 'send' | 'recv' | 'both' }>({
    severity: 'error',
    example: { ...exampleCall, negotiated: 'recvonly', missing: 'send' },
    title: (e) => `The negotiated direction lets no audio ${ways[e.missing]}`,
    cause: (e) =>
      `Audio was negotiated ${e.negotiated}: one end had no track to send when it answered, or asked for it so.`,
    proof: (e) =>
      `The last offer and answer of connection ${e.connection} together give ${e.negotiated}, seen from the recorded side.`,
    fix: () => [
      inApplication("transceiver.direction = 'sendrecv'; // with the track added before createAnswer"),
      'where one way is meant, say so with --expect send or --expect recv',
    ],
    explanation:
      'What flows is what both allow: sendonly against recvonly is one way, inactive is none (RFC 3264 §6.1). An answer without a track is recvonly or inactive.',
    confusedWith: ['A server for conferences uses a connection for each way: there one way is right.'],
    references: ['RFC 3264 §6.1', 'RFC 8829 §5.3.1'],
  }),
  NO_LOCAL_AUDIO_TRACK: callEntry<CallEvidence>({
    severity: 'error',
    example: exampleCall,
    title: () => 'No microphone is attached to the connection',
    cause: () => 'There is an audio transceiver, but nothing is attached to what sends.',
    proof: (e) =>
      `The audio transceiver of connection ${e.connection} has no track to send, and no audio stream leaves.`,
    fix: () => [inApplication('await sender.replaceTrack(stream.getAudioTracks()[0])')],
    explanation:
      'A track that is added after the answer needs another negotiation, or replaceTrack on a transceiver that may send. In a conference it can mean that the user joined muted.',
    confusedWith: [
      'OUTBOUND_ZERO: there statistics show that nothing leaves, whatever is attached.',
      'Somebody who listens only: then it is meant so (--expect recv).',
    ],
    references: ['RFC 8829 §4.1.8', 'W3C webrtc §5.2'],
  }),
  SDP_FAILED: callEntry<CallEvidence & { operation: string; message: string }>({
    severity: 'error',
    example: {
      ...exampleCall,
      operation: 'setRemoteDescription',
      message:
        "Failed to set remote answer sdp: The order of m-lines in answer doesn't match order in offer.",
    },
    title: (e) => `${e.operation} failed`,
    cause: () => 'The browser refused a description, and the same call did not succeed later.',
    proof: (e) => `The browser says: “${e.message}”.`,
    fix: () => [
      'hand the description on as it was made, letter by letter',
      'where both sides offer at once, follow "perfect negotiation" of the WebRTC specification',
    ],
    explanation:
      'Changed SDP, two offers at once, or sections in another order than before are the usual reasons; the message names it.',
    confusedWith: [
      'DTLS_SDP_PROBLEM: there the description is taken, and its keys are of no use.',
      'SIGNALING_STUCK: there no description came.',
    ],
    references: ['W3C webrtc §10.7'],
  }),
  SIGNALING_STUCK: callEntry<CallEvidence & { state: string; forMs: number }>({
    severity: 'error',
    example: { ...exampleCall, state: 'have-local-offer', forMs: 31_000 },
    title: (e) =>
      e.state === 'have-remote-offer' ? 'The offer was not answered here' : 'The offer was never answered',
    cause: () =>
      'The answer did not come: signaling lost it, the other side did not take the call, or its code failed.',
    proof: (e) =>
      `The signaling state stayed ${e.state} for ${seconds(e.forMs)}, to the end of the recording.`,
    fix: () => ['look at the signaling (websocket, SIP) at that time, and at the console of the other side'],
    explanation: 'Without an answer neither ICE nor DTLS begins.',
    confusedWith: [
      'SDP_FAILED: there it came, and was refused.',
      'NO_REMOTE_CANDIDATES: there the answer came, and its candidates did not.',
    ],
    references: ['RFC 8829 §3.2'],
  }),
  DTLS_SDP_PROBLEM: callEntry<CallEvidence & { side: 'local' | 'remote'; problem: string }>({
    severity: 'error',
    example: { ...exampleCall, side: 'remote', problem: 'it has no a=fingerprint' },
    title: () => 'A description has no usable keys for DTLS-SRTP',
    cause: (e) => `The ${e.side} description cannot be used for encrypted media: ${e.problem}.`,
    proof: () => 'The audio section of the description says so.',
    fix: () => ['enable DTLS-SRTP at the gateway (Asterisk: webrtc=yes in pjsip.conf)'],
    explanation:
      'WebRTC takes its keys from DTLS alone (RFC 8827 §6.5): each side needs a fingerprint, one of them takes the active and the other the passive role.',
    confusedWith: ['DTLS_FAILED: there the descriptions are sound, and the handshake ends with an error.'],
    references: ['RFC 8827 §6.5', 'RFC 8842 §5'],
  }),
} as const;

const ways = { send: 'out', recv: 'in', both: 'through' } as const;
