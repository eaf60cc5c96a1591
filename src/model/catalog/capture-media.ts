import { captureEntry, exampleCapture, path, type CaptureEvidence } from './capture-place.ts';
import { here } from './entry.ts';
import { counted } from './server-log-place.ts';

interface StreamEvidence extends CaptureEvidence {
  /** As hexadecimal digits. */
  readonly ssrc: string;
  readonly measured: number;
  readonly limit: number;
}

const exampleMedia: CaptureEvidence = { ...exampleCapture, to: '198.51.100.20:40000', count: 250 };

/** What a capture proves about the way between two peers, and what they send. */
export const captureMediaCatalog = {
  CAPTURE_CHECKS_UNANSWERED: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: exampleMedia,
    title: () => 'No connectivity check was answered',
    cause: (e) =>
      `${e.from} asked ${e.to} ${e.count} times (Binding of ICE) and got no answer, and no other pair worked either.`,
    proof: (e) => `${e.file}: checks from ${path(e)}.`,
    fix: () => ['see that both sides have a relay candidate', here('rtc-ops probe HOST')],
    explanation:
      'ICE sends Binding requests over each pair of candidates. When none is answered, packets are lost on every way: firewalls that drop UDP, private candidates alone, or a relay whose ports are closed.',
    confusedWith: ['Single pairs without an answer: normal as long as another pair works.'],
    references: ['RFC 8445 §7.2', 'RFC 8445 §8.1'],
  }),
  CAPTURE_DTLS_UNANSWERED: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: { ...exampleMedia, count: 6 },
    title: () => 'The DTLS handshake stops after the ClientHello',
    cause: (e) =>
      `${e.from} sent ${counted(e.count, 'ClientHello')} to ${e.to}, and no part of a handshake came back: packets of that size are lost, or the other side does not speak DTLS here.`,
    proof: (e) => `${e.file}: ClientHello records without an answer, from ${path(e)}.`,
    fix: () => [
      'compare a=setup of both descriptions: one side has to be active, the other passive',
      'capture on the other side too: what does not arrive there is lost on the way',
    ],
    explanation:
      'ICE has found a way, and the keys for the media are to be agreed on over it (DTLS-SRTP). The connection state stays “connecting” for as long as that takes.',
    confusedWith: [
      'CAPTURE_DTLS_INCOMPLETE: there an answer began.',
      'CAPTURE_DTLS_ALERT: there it is refused in words.',
    ],
    references: ['RFC 5764 §4.1', 'RFC 8827 §6.5'],
  }),
  CAPTURE_DTLS_INCOMPLETE: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: { ...exampleMedia, count: 6 },
    title: () => 'The DTLS handshake begins and never ends',
    cause: () =>
      'Both sides spoke, and at least one never came to encrypted records. Most often the large packet with the certificate is lost: fragments are dropped on the way.',
    proof: (e) =>
      `${e.file}: a handshake with ${counted(e.count, 'ClientHello')} and no end, from ${path(e)}.`,
    fix: (e) => [here(`tracepath -n ${e.to.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')}`)],
    explanation:
      'The flight with the certificate is the first large one. A path whose MTU is lower, and a firewall that drops fragments, stop the handshake there.',
    confusedWith: [
      'CAPTURE_DTLS_UNANSWERED: there no part of an answer came.',
      'CAPTURE_DTLS_ALERT: there one side ended it.',
    ],
    references: ['RFC 5764 §4.1', 'RFC 9147 §4.4'],
  }),
  CAPTURE_DTLS_ALERT: captureEntry<CaptureEvidence & { readonly alert: string }>({
    severity: 'error',
    example: { ...exampleMedia, alert: 'bad_certificate' },
    title: (e) => `The DTLS handshake failed: ${e.alert}`,
    cause: (e) =>
      `${e.from} ended it with the alert ${e.alert}. With a certificate alert, the fingerprint in the description is not that of the certificate.`,
    proof: (e) => `${e.file}: an alert in clear, from ${path(e)}.`,
    fix: () => [
      'compare a=fingerprint of the description with the certificate that is used; a proxy that rewrites descriptions may have changed it',
    ],
    explanation: 'Alerts before the keys are agreed on are in clear. close_notify is none of them.',
    confusedWith: [
      'CAPTURE_TLS_ALERT: the TLS to a TURN server.',
      'CAPTURE_DTLS_INCOMPLETE: there it breaks off without a word.',
    ],
    references: ['RFC 8827 §6.5', 'RFC 9147 §5.10'],
  }),
  CAPTURE_TLS_ALERT: captureEntry<CaptureEvidence & { readonly alert: string }>({
    severity: 'error',
    example: { ...exampleCapture, transport: 'tcp', to: '203.0.113.10:5349', alert: 'unknown_ca' },
    title: (e) => `The TLS handshake failed: ${e.alert}`,
    cause: (e) => `${e.from} ended the connection with ${e.to} by the alert ${e.alert}.`,
    proof: (e) => `${e.file}: an alert in clear, from ${path(e)}.`,
    fix: (e) => [
      here(`rtc-ops probe 'turns:${e.to}'`),
      'serve the whole chain (fullchain.pem), and a certificate with the name of the URL',
    ],
    explanation:
      'unknown_ca: the client does not trust who signed the certificate, or an intermediate one is missing. certificate_expired and protocol_version say what they mean.',
    confusedWith: [
      'CAPTURE_DTLS_ALERT: the keys of the call itself, between the two ends.',
      'close_notify: that is how a connection ends.',
    ],
    references: ['RFC 8446 §6.2'],
  }),
  CAPTURE_RTP_ONE_WAY: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: exampleMedia,
    title: () => 'Media flows one way only',
    cause: (e) =>
      `${counted(e.count, 'RTP packet')} went from ${e.from} to ${e.to}, and none came back${e.relayedBy === null ? '' : ' through the relay'}.`,
    proof: (e) => `${e.file}: RTP in one direction of ${path(e)}.`,
    fix: () => [
      'if the call was to go both ways: look at the direction in both descriptions (a=sendrecv), and whether the other side has a microphone track',
    ],
    explanation:
      'The way is open, for media goes over it, and checks of ICE go in both directions. What is missing is not sent, or is lost near the other side.',
    confusedWith: ['A call that is one-way by design: a broadcast, hold, a listener.'],
    references: ['RFC 3550 §5.1', 'RFC 8829 §4.2.5'],
  }),
  CAPTURE_RTP_LOST: captureEntry<StreamEvidence>({
    severity: 'warning',
    example: { ...exampleMedia, ssrc: '1a2b3c4d', measured: 0.08, limit: 0.02 },
    distinctBy: ['ssrc'],
    title: (e) => `${percent(e.measured)} of an RTP stream is missing`,
    cause: (e) =>
      `Its sequence numbers have holes; the limit is ${percent(e.limit)}. What is missing here was lost before it came to where the capture was taken.`,
    proof: (e) => `${e.file}: ${counted(e.count, 'packet')} with the SSRC ${e.ssrc}, from ${path(e)}.`,
    fix: (e) => [
      here(`mtr --report --udp ${e.from.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')}`),
      'prefer a wired network, and see whether the server or its uplink is overloaded',
    ],
    explanation:
      'Loss is counted from sequence numbers (RFC 3550 §A.3), from the sender up to the place of the capture. A capture that itself dropped packets looks alike, and says so where it knows.',
    confusedWith: [
      'CAPTURE_RTP_GAP: there the numbers have no hole.',
      'Packets that the capture dropped: it says so where it knows.',
    ],
    references: ['RFC 3550 §A.3'],
  }),
  CAPTURE_RTP_JITTER: captureEntry<StreamEvidence>({
    severity: 'warning',
    example: { ...exampleMedia, ssrc: '1a2b3c4d', measured: 84, limit: 50 },
    distinctBy: ['ssrc'],
    title: (e) => `An RTP stream arrives unevenly: jitter ${Math.round(e.measured)} ms`,
    cause: (e) => `The limit is ${e.limit} ms; jitter buffers add that much delay, or drop what comes later.`,
    proof: (e) =>
      `${e.file}: the highest J of ${counted(e.count, 'packet')} with the SSRC ${e.ssrc}, from ${path(e)}.`,
    fix: () => ['look at the wireless network of the sender, and at other traffic on its uplink'],
    explanation: 'J of RFC 3550 §6.4.1, by the times of the capture and the timestamps of the stream.',
    confusedWith: [
      'CAPTURE_RTP_GAP: one long pause.',
      'A capture on a busy machine: then the times in it jitter, and not the stream.',
    ],
    references: ['RFC 3550 §6.4.1'],
  }),
  CAPTURE_RTP_GAP: captureEntry<StreamEvidence>({
    severity: 'warning',
    example: { ...exampleMedia, ssrc: '1a2b3c4d', measured: 6000, limit: 2000 },
    distinctBy: ['ssrc'],
    title: (e) => `An RTP stream paused for ${(e.measured / 1000).toFixed(1)} s`,
    cause: () =>
      'Nothing of it came in that time, and its numbers go on without a hole to match it: the sender was silent or was held, or the network was away for the while.',
    proof: (e) => `${e.file}: ${counted(e.count, 'packet')} with the SSRC ${e.ssrc}, from ${path(e)}.`,
    fix: () => ['look at what the sender did at that time: mute, hold, sleep, another network'],
    explanation:
      'Audio comes every 20 ms, with DTX at least every 400 ms (RFC 7587 §3.1.3). A longer pause is heard as silence.',
    confusedWith: [
      'CAPTURE_RTP_LOST: there numbers are missing.',
      'DTX: silence with a packet every 400 ms is no pause.',
    ],
    references: ['RFC 7587 §3.1.3'],
  }),
} as const;

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(2))} %`;
}
