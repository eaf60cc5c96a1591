import {
  callEntry,
  exampleCall,
  inApplication,
  percent,
  seconds,
  type CallEvidence,
} from './analysis-entry.ts';

interface WindowEvidence extends CallEvidence {
  /** How long it was watched. */
  readonly forMs: number;
}

const exampleWindow: WindowEvidence = { ...exampleCall, forMs: 24_000 };

interface MeasuredEvidence extends CallEvidence {
  readonly measured: number;
  readonly limit: number;
  readonly direction: 'sent' | 'received' | 'path';
}

const of = { sent: 'what is sent', received: 'what arrives', path: 'the path' } as const;

/** What flowed, what was heard, and how good it was. */
export const analysisMediaCatalog = {
  DTLS_STUCK: callEntry<CallEvidence & { forMs: number; received: number | null }>({
    severity: 'error',
    example: { ...exampleCall, forMs: 15_000, received: 0 },
    title: () => 'A path was found, but no keys were agreed on (DTLS)',
    cause: () =>
      'STUN gets through and DTLS does not: the other side does not answer, or packets of its size are lost.',
    proof: (e) =>
      `ICE was connected, and DTLS stayed connecting for ${seconds(e.forMs)}${e.received === null ? '' : `, with ${e.received} bytes received`}.`,
    fix: () => [
      'compare a=setup and a=fingerprint of both descriptions; take a capture at both ends (udp, DTLS)',
    ],
    explanation:
      'The handshake needs packets of 1,200 bytes and more; middleboxes that let STUN pass alone, a small MTU, or a peer that is gone stop it.',
    confusedWith: [
      'DTLS_FAILED: there an answer came, and it was an error.',
      'ICE_FAILED_WITH_RELAY: there not even STUN gets through.',
    ],
    references: ['RFC 8827 §6.5', 'RFC 6347 §4.1.1'],
  }),
  DTLS_FAILED: callEntry<CallEvidence>({
    severity: 'error',
    example: exampleCall,
    title: () => 'The two sides did not agree on keys (DTLS failed)',
    cause: () => 'The certificate is not the one that the description announced, or no cipher suits both.',
    proof: (e) => `DTLS of connection ${e.connection} is failed while ICE is connected.`,
    fix: () => [
      'compare a=fingerprint with the certificate of the other side; do not keep descriptions of earlier calls',
    ],
    explanation:
      'The fingerprint in the description binds the call to a certificate; with another one the handshake ends.',
    confusedWith: [
      'DTLS_STUCK: there nothing came back.',
      'TLS_HANDSHAKE_FAILED: the TLS between a client and its TURN server, which is another one.',
    ],
    references: ['RFC 8842 §5', 'RFC 8122 §5'],
  }),
  TRACK_ENDED: callEntry<CallEvidence & { beforeEndMs: number }>({
    severity: 'error',
    example: { ...exampleCall, beforeEndMs: 12_000 },
    title: () => 'The microphone ended during the call',
    cause: () => 'It was unplugged, stopped by the application, or taken away by the system.',
    proof: (e) =>
      `The figures of the microphone end ${seconds(e.beforeEndMs)} before those of the connection.`,
    fix: () => [inApplication('track.onended = async () => sender.replaceTrack(await newMicrophone())')],
    explanation:
      'A track that has ended sends nothing and does not begin again; another one has to take its place.',
    confusedWith: [
      'A muted track: it goes on, and sends silence.',
      'OUTBOUND_ZERO: there nothing was ever sent.',
    ],
    references: ['W3C mediacapture-streams §4.3'],
  }),
  MIC_SILENT: callEntry<WindowEvidence & { isMuted: boolean }>({
    severity: 'warning',
    example: { ...exampleWindow, isMuted: true },
    title: (e) => (e.isMuted ? 'The microphone was muted' : 'No speech was captured'),
    cause: (e) =>
      e.isMuted
        ? 'What it gave was silence to the last bit: muted in the application, on the device, or in the system.'
        : 'It gave no more than noise: the wrong device, or nobody spoke.',
    proof: (e) =>
      `Over ${seconds(e.forMs)} the energy of the microphone ${e.isMuted ? 'stayed at zero' : 'stayed below that of speech'}, while packets were sent.`,
    fix: () => ['unmute, and choose the right input device', inApplication('track.enabled = true')],
    explanation:
      'totalAudioEnergy of the microphone tells what was captured. Exactly zero is muting; below 1e-7 per second is the noise of a room.',
    confusedWith: ['A person who listens and does not talk.'],
    references: ['W3C webrtc-stats §RTCAudioSourceStats'],
  }),
  OUTBOUND_ZERO: callEntry<WindowEvidence & { because: string }>({
    severity: 'error',
    example: { ...exampleWindow, because: 'no track is attached to the sender' },
    title: () => 'Connected, but no audio leaves',
    cause: (e) => `Not one audio packet was sent: ${e.because}.`,
    proof: (e) => `packetsSent did not grow for ${seconds(e.forMs)}, to the end of the recording.`,
    fix: () => [inApplication('await sender.replaceTrack(track); track.enabled = true')],
    explanation: 'The path and the keys are there, and the sender gives nothing.',
    confusedWith: [
      'NO_LOCAL_AUDIO_TRACK: there the descriptions tell it already.',
      'CAPTURE_RELAY_ONE_WAY: there packets leave, and none come back.',
      'Somebody muted: browsers send packets of silence then.',
    ],
    references: ['W3C webrtc-stats §RTCOutboundRtpStreamStats'],
  }),
  REMOTE_GETS_NOTHING: callEntry<WindowEvidence & { lossRatio: number | null }>({
    severity: 'error',
    example: { ...exampleWindow, lossRatio: 1 },
    title: () => 'Audio leaves, and does not arrive',
    cause: () => 'The path is open in one direction only, or the other side drops what it gets.',
    proof: (e) =>
      e.lossRatio === null
        ? `Packets were sent for ${seconds(e.forMs)} without a report of the other side that it got any.`
        : `The other side reports that ${percent(e.lossRatio)} of what was sent is lost.`,
    fix: () => ['look at a recording of the other side, and at firewalls between the two'],
    explanation: 'Receivers report in RTCP every few seconds what they got.',
    confusedWith: ['Some servers and Firefox send no report for a while.'],
    references: ['RFC 3550 §6.4'],
  }),
  INBOUND_ZERO: callEntry<WindowEvidence & { where: 'lost' | 'not-sent' | 'path' | 'unknown' }>({
    severity: 'error',
    example: { ...exampleWindow, where: 'path' },
    title: () => 'Connected, but no audio arrives',
    cause: (e) => inboundCauses[e.where],
    proof: (e) => `No audio packet arrived for ${seconds(e.forMs)}, to the end of the recording.`,
    fix: () => [
      'look at a recording of the other side: does it send?',
      'here:  rtc-ops probe TURN_SERVER --call',
    ],
    explanation: 'The negotiation lets audio in, the path and the keys are there, and nothing comes.',
    confusedWith: ['A participant of a conference who is muted there.'],
    references: ['W3C webrtc-stats §RTCInboundRtpStreamStats'],
  }),
  PLAYOUT_MUTED: callEntry<WindowEvidence & { bytesPerPacket: number }>({
    severity: 'error',
    example: { ...exampleWindow, bytesPerPacket: 78 },
    title: () => 'Audio arrives, and is played at volume zero',
    cause: () => 'The element that plays it is muted, at volume 0, or was never allowed to play.',
    proof: (e) =>
      `Packets of ${Math.round(e.bytesPerPacket)} bytes arrived for ${seconds(e.forMs)}, as speech has them, and what was played had no energy at all.`,
    fix: () => [inApplication('audio.muted = false; audio.volume = 1; await audio.play(); // after a click')],
    explanation:
      'Chromium measures the level behind the volume of the element. Without a click a page may not play sound.',
    confusedWith: ['INBOUND_SILENT: there the packets are small, as silence has them.'],
    references: ['W3C webrtc-stats §RTCInboundRtpStreamStats'],
  }),
  INBOUND_SILENT: callEntry<WindowEvidence & { bytesPerPacket: number | null }>({
    severity: 'warning',
    example: { ...exampleWindow, bytesPerPacket: 9 },
    title: () => 'Packets arrive, and carry silence',
    cause: () => 'The microphone of the other side is muted or silent, or nobody spoke there.',
    proof: (e) =>
      `Over ${seconds(e.forMs)} what was decoded had less energy than speech${e.bytesPerPacket === null ? '' : `; ${Math.round(e.bytesPerPacket)} bytes a packet`}.`,
    fix: () => ['look at a recording of the other side for MIC_SILENT'],
    explanation: 'Network and browser do their part; there is nothing in the packets to be heard.',
    confusedWith: ['Nobody talking looks the same.'],
    references: ['W3C webrtc-stats §RTCInboundRtpStreamStats'],
  }),
  NOT_PLAYED: callEntry<WindowEvidence>({
    severity: 'error',
    example: exampleWindow,
    title: () => 'Audio arrives, and nothing plays it',
    cause: () => 'The stream is attached to no element, or the element or the audio context does not run.',
    proof: (e) => `Packets arrived for ${seconds(e.forMs)}, and no sample was taken from them.`,
    fix: () => [inApplication('audio.srcObject = stream; await audio.play(); // after a click')],
    explanation: 'A receiver decodes when something asks it for samples.',
    confusedWith: [
      'AUDIO_SILENT: there nothing arrives.',
      'A loudspeaker that is off or another one: the browser has played it then.',
    ],
    references: ['W3C webrtc-stats §RTCInboundRtpStreamStats'],
  }),
  PLAYOUT_GLITCH: callEntry<CallEvidence & { ratio: number }>({
    severity: 'warning',
    example: { ...exampleCall, ratio: 0.04 },
    title: () => 'The output device runs dry',
    cause: () => 'The machine is too busy, or the device (Bluetooth, its driver) too slow.',
    proof: (e) => `${percent(e.ratio)} of what was played had to be made up.`,
    fix: () => ['try another output device, and close what else is busy'],
    explanation: 'synthesizedSamplesDuration is what the device had to fill in because nothing came in time.',
    confusedWith: ['CONCEALMENT: there the network left the holes.'],
    references: ['W3C webrtc-stats §RTCAudioPlayoutStats'],
  }),
  CONCEALMENT: callEntry<MeasuredEvidence>({
    severity: 'warning',
    example: { ...exampleCall, measured: 0.06, limit: 0.02, direction: 'received' },
    title: (e) => `${percent(e.measured)} of the sound that was heard is made up`,
    cause: () => 'Packets were lost or late, and the decoder filled the holes.',
    proof: (e) =>
      `concealedSamples against totalSamplesReceived, without silence; ${percent(e.limit)} is usual at most.`,
    fix: () => ['see loss and jitter; a wired network helps, and UDP instead of TCP'],
    explanation: 'Up to 2 % is hardly heard; beyond 8 % words are lost.',
    confusedWith: [
      'PLAYOUT_GLITCH: there the machine of the listener left them.',
      'LOSS_HIGH: the loss that a probe measured.',
    ],
    references: ['W3C webrtc-stats §RTCInboundRtpStreamStats'],
  }),
  HIGH_LOSS: callEntry<MeasuredEvidence>({
    severity: 'warning',
    example: { ...exampleCall, measured: 0.11, limit: 0.03, direction: 'received' },
    title: (e) => `${percent(e.measured)} of ${of[e.direction]} is lost`,
    cause: () => 'A network that is too full, or a bad Wi-Fi.',
    proof: (e) =>
      `${e.direction === 'sent' ? 'The reports of the other side' : 'packetsLost against packetsReceived'}; ${percent(e.limit)} is what the codec conceals well.`,
    fix: () => ['use a wired network; give audio priority (DSCP); lower the bit rate of video'],
    explanation: 'Opus conceals some 3 %; beyond 8 % words are lost.',
    confusedWith: ['LOSS_HIGH: measured by a probe, not recorded in a call.'],
    references: ['RFC 3550 §6.4'],
  }),
  HIGH_JITTER_DELAY: callEntry<MeasuredEvidence & { what: 'jitter' | 'buffer' }>({
    severity: 'warning',
    example: { ...exampleCall, measured: 320, limit: 200, direction: 'received', what: 'buffer' },
    title: (e) =>
      e.what === 'jitter'
        ? `The jitter is ${Math.round(e.measured)} ms`
        : `Sound waits ${Math.round(e.measured)} ms in the jitter buffer`,
    cause: () => 'Packets come at uneven times: Wi-Fi, a VPN, or a relay over TCP.',
    proof: (e) => `The middle of what was recorded; ${e.limit} ms is usual at most.`,
    fix: () => ['use a wired network; let media use UDP'],
    explanation: 'The buffer grows with the jitter, and what waits in it is heard later.',
    confusedWith: [
      'HIGH_RTT: there the way itself is long.',
      'JITTER_HIGH: the jitter that a probe measured, without a buffer.',
    ],
    references: ['RFC 3550 §6.4.1', 'W3C webrtc-stats §jitterBufferDelay'],
  }),
  HIGH_RTT: callEntry<MeasuredEvidence>({
    severity: 'warning',
    example: { ...exampleCall, measured: 420, limit: 300, direction: 'path' },
    title: (e) => `A round trip takes ${Math.round(e.measured)} ms`,
    cause: () => 'The other side or the relay is far away, or the path is over TCP.',
    proof: (e) => `The middle of what was recorded; from ${e.limit} ms on people begin to talk at once.`,
    fix: () => ['put a relay near the users; let media use UDP'],
    explanation: 'ITU-T G.114 puts the limit of good conversation at 150 ms one way.',
    confusedWith: [
      'HIGH_JITTER_DELAY: there it waits in the receiver.',
      'RTT_HIGH: the round trip that a probe measured.',
    ],
    references: ['ITU-T G.114'],
  }),
  LOW_MOS: callEntry<MeasuredEvidence & { worst: number }>({
    severity: 'warning',
    example: { ...exampleCall, measured: 3.3, limit: 3.6, direction: 'received', worst: 2.4 },
    title: (e) => `The sound was mediocre: MOS ${e.measured.toFixed(1)}`,
    cause: (e) => `Loss, jitter and delay together; the worst 10 seconds had ${e.worst.toFixed(1)}.`,
    proof: () => 'Estimated from loss, jitter and round trip; the middle of all spans of 10 s.',
    fix: () => ['see loss, jitter and round trip'],
    explanation:
      'An estimate from the network alone, 1 to 4.5. Below 3.6 users begin to complain (ITU-T G.109).',
    confusedWith: [
      'MOS_LOW: that of the call that a probe made.',
      'An opinion of users: it takes in the microphone and the room as well, which no packet shows.',
    ],
    references: ['ITU-T G.107', 'ITU-T G.109'],
  }),
  BWE_LOW: callEntry<MeasuredEvidence>({
    severity: 'warning',
    example: { ...exampleCall, measured: 22_000, limit: 40_000, direction: 'sent' },
    title: (e) => `There is room for ${Math.round(e.measured / 1000)} kbit/s only`,
    cause: () => 'The network is too full even for audio.',
    proof: (e) => `availableOutgoingBitrate stayed below ${e.limit / 1000} kbit/s for 5 s and more.`,
    fix: () => ['switch video off, or lower it; give audio priority'],
    explanation: 'Audio with its headers takes 40 kbit/s.',
    confusedWith: [
      'CONCEALMENT: there packets are lost, of which a full network is one cause.',
      'Video that was switched off by the user.',
    ],
    references: ['W3C webrtc-stats §RTCIceCandidatePairStats'],
  }),
  RELAY_TCP: callEntry<CallEvidence & { protocol: string }>({
    severity: 'info',
    example: { ...exampleCall, protocol: 'tls' },
    title: () => 'The media goes over TCP',
    cause: (e) => `The path uses ${e.protocol}: one lost packet holds up all that follow.`,
    proof: (e) => `The selected pair of connection ${e.connection}.`,
    fix: () => ['open 3478 over udp to the TURN server for these users'],
    explanation: 'Browsers take TCP where UDP does not get through. It works, with delay under loss.',
    confusedWith: [
      'UDP_BLOCKED_HERE: that this network lets no UDP out, proven by a control.',
      'TCP between the relay and the other side: that no browser asks for.',
    ],
    references: ['RFC 8656 §1'],
  }),
} as const;

const inboundCauses = {
  lost: 'The other side sends, and what it sends is lost on the way, or cannot be decrypted.',
  'not-sent': 'Other media arrives over the same path: the other side sends no audio.',
  path: 'Nothing at all arrives: the path is open in one direction only.',
  unknown: 'The other side sends none, or it is lost on the way.',
} as const;
