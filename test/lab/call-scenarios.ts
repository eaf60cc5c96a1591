/** A call in a page of Chromium, and what is wrong with it; all of it is code of that page, but `nft` and `coturn`. */
export interface CallScenario {
  readonly name: string;
  /** The configuration of both sides, as an expression. */
  readonly configuration?: string;
  /** What is changed in the descriptions and candidates on their way; `sdp`, `side` and `candidate` are there. */
  readonly onOffer?: string;
  readonly onAnswer?: string;
  readonly onCandidate?: string;
  /** Before the offer, with `a` and `b` and their `microphones`. */
  readonly before?: string;
  /** Once connected, or given up. */
  readonly after?: string;
  /** What the receiver does with a track; without, it is played. */
  readonly onTrack?: string;
  /** Rules of the firewall, from the beginning or once connected. */
  readonly nft?: string;
  readonly nftAfter?: string;
  readonly coturn?: readonly string[];
  readonly browser?: readonly string[];
  /** Of the profile of the browser. */
  readonly preferences?: object;
  readonly denied?: boolean;
  /** What is sent comes from a synthesizer; the page never asks for a microphone. */
  readonly synthesized?: boolean;
  /** How long it lasts once connected or given up. */
  readonly forMs: number;
  readonly openInternalsLate?: boolean;
}

const relayed = (password = 'right', port = 3478): string =>
  `{ iceServers: [{ urls: 'turn:203.0.113.10:${port}', username: 'alice', credential: '${password}' }], iceTransportPolicy: 'relay' }`;

// The first byte of a packet tells what it is (RFC 7983): 20 to 63 DTLS, 128 to 191 RTP.
const dtls = '@th,64,8 >= 20 @th,64,8 <= 63';
const rtp = '@th,64,8 >= 128 @th,64,8 <= 191';

export const callScenarios: readonly CallScenario[] = [
  { name: 'healthy-direct', forMs: 9000 },
  { name: 'healthy-relay', configuration: relayed(), forMs: 9000 },
  { name: 'no-turn', nft: 'udp dport 1024-65535 drop', forMs: 18_000 },
  { name: 'wrong-password', configuration: relayed('wrong'), forMs: 12_000 },
  {
    name: 'turn-unreachable',
    configuration: relayed('right', 3999),
    nft: 'udp dport 3999 drop',
    forMs: 15_000,
  },
  { name: 'relay-without-turn', configuration: "{ iceTransportPolicy: 'relay' }", forMs: 6000 },
  {
    name: 'placeholder-url',
    configuration:
      "{ iceServers: [{ urls: 'turn:YOUR_TURN_SERVER', username: 'u', credential: 'c' }], iceTransportPolicy: 'relay' }",
    forMs: 6000,
  },
  {
    name: 'relay-ports-blocked',
    configuration: relayed(),
    nft: 'udp dport 49152-65535 ip daddr 203.0.113.10 drop',
    forMs: 18_000,
  },
  {
    name: 'private-relay',
    configuration: relayed(),
    coturn: ['--external-ip=172.16.0.10/203.0.113.10'],
    nft: 'udp dport 49152-65535 ip daddr 203.0.113.10 drop',
    forMs: 18_000,
  },
  { name: 'quota', configuration: relayed(), coturn: ['--user-quota=1'], forMs: 12_000 },
  {
    name: 'muted-track',
    after: 'a.microphone.enabled = false;',
    before: 'a.microphone.enabled = false;',
    forMs: 9000,
  },
  {
    name: 'direction-mismatch',
    onAnswer: "sdp = sdp.replace('a=sendrecv', 'a=recvonly')",
    before: 'b.pc.getSenders().forEach((sender) => b.pc.removeTrack(sender));',
    forMs: 8000,
  },
  {
    name: 'no-common-codec',
    onOffer:
      "sdp = sdp.replace(/m=audio.*/, 'm=audio 9 UDP/TLS/RTP/SAVPF 18').replace(/a=(rtpmap|fmtp|rtcp-fb):.*\\r\\n/g, '') + 'a=rtpmap:18 G729/8000\\r\\n'",
    forMs: 6000,
  },
  {
    name: 'no-audio',
    before:
      "a.pc.getSenders().forEach((sender) => a.pc.removeTrack(sender)); a.pc.getTransceivers().forEach((each) => each.stop()); a.pc.addTransceiver('video');",
    forMs: 6000,
  },
  {
    name: 'track-removed',
    after: 'await wait(4000); await a.pc.getSenders()[0].replaceTrack(null);',
    forMs: 9000,
  },
  {
    name: 'element-muted',
    onTrack:
      'const audio = new Audio(); audio.srcObject = stream; audio.muted = true; audio.play(); keep.push(audio);',
    forMs: 9000,
  },
  { name: 'not-attached', onTrack: '', forMs: 9000 },
  { name: 'microphone-denied', denied: true, forMs: 1000 },
  {
    name: 'wrong-fingerprint',
    onAnswer:
      "sdp = sdp.replace(/(a=fingerprint:sha-256 )../, (_, start) => start + (sdp.includes('sha-256 00') ? '01' : '00'))",
    forMs: 8000,
  },
  { name: 'dtls-blocked', nft: `udp dport 1024-65535 ${dtls} drop`, forMs: 9000 },
  { name: 'one-way', nftAfter: `udp dport PORT_OF_A ${rtp} drop`, forMs: 12_000 },
  { name: 'high-loss', nftAfter: `${rtp} numgen random mod 100 < 15 drop`, forMs: 25_000 },
  { name: 'path-lost', nftAfter: 'udp dport 1024-65535 drop', after: 'await wait(25000);', forMs: 1000 },
  { name: 'never-answered', onOffer: 'return;', forMs: 8000 },
  { name: 'candidates-lost', onCandidate: 'return;', forMs: 9000 },
  {
    name: 'answer-damaged',
    onAnswer: "sdp = sdp.replace(/a=ice-ufrag:.*\\r\\n/, '').replace(/a=ice-pwd:.*\\r\\n/, '')",
    forMs: 3000,
  },
  {
    name: 'peers-denied',
    configuration: relayed(),
    coturn: ['--denied-peer-ip=203.0.113.0-203.0.113.255'],
    forMs: 18_000,
  },
  {
    // Chromium asks for more time at half of a short lifetime; what asks for it (method 0x0004) gets lost.
    name: 'allocation-expired',
    configuration: relayed(),
    coturn: ['--max-allocate-lifetime=30'],
    nftAfter: 'udp dport 3478 @th,64,16 == 0x0004 drop',
    after: 'await wait(50000);',
    forMs: 1000,
  },
  {
    name: 'mdns-only',
    synthesized: true,
    nft: 'udp dport 5353 drop',
    forMs: 18_000,
  },
  {
    name: 'no-udp',
    preferences: { webrtc: { ip_handling_policy: 'disable_non_proxied_udp' } },
    forMs: 12_000,
  },
  { name: 'opened-late', openInternalsLate: true, forMs: 9000 },
];
