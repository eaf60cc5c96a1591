/** A call in a page of Chromium, and what is wrong with it; all of it is code of that page, but `nft` and `coturn`. */
export interface CallScenario {
  readonly name: string;
  /** In words. */
  readonly broken: string;
  /** The configuration of both sides, as an expression. */
  readonly configuration?: string;
  /** What is changed in the descriptions and candidates on their way; `sdp`, `side` and `candidate` are there. */
  readonly onOffer?: string;
  readonly onAnswer?: string;
  readonly onCandidate?: string;
  /** Before the offer, with `a` and `b`; each has its `pc` and its `microphone`. */
  readonly before?: string;
  /** Once `b` has the offer, before it answers. */
  readonly answering?: string;
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
  /** The machine has no microphone at all. */
  readonly withoutMicrophone?: boolean;
  /** A port on which the server is reached over a line that is slow. */
  readonly slowLine?: { readonly port: number; readonly delayMs: number; readonly jitterMs: number };
  /** The page is left before anything is saved. */
  readonly isLeft?: boolean;
  /** What is sent comes from a synthesizer; the page never asks for a microphone. */
  readonly synthesized?: boolean;
  /** How loud that is, 1 by default. */
  readonly volume?: number;
  /** How long it lasts once connected or given up. */
  readonly forMs: number;
  readonly openInternalsLate?: boolean;
  /** chrome://webrtc-internals is told to keep connections that were closed. */
  readonly keepsClosed?: boolean;
}

const relayed = (password = 'right', port: number | string = 3478): string =>
  `{ iceServers: [{ urls: 'turn:203.0.113.10:${port}', username: 'alice', credential: '${password}' }], iceTransportPolicy: 'relay' }`;

// The first byte of a packet tells what it is (RFC 7983): 20 to 63 DTLS, 128 to 191 RTP.
const dtls = '@th,64,8 >= 20 @th,64,8 <= 63';
const rtp = '@th,64,8 >= 128 @th,64,8 <= 191';

export const callScenarios: readonly CallScenario[] = [
  { name: 'healthy-direct', broken: 'nothing; both sides reach each other', forMs: 9000 },
  {
    name: 'healthy-relay',
    broken: 'nothing; both sides use relays alone',
    configuration: relayed(),
    forMs: 9000,
  },
  {
    name: 'no-turn',
    broken: 'a firewall drops UDP between the two, and no TURN server is configured',
    nft: 'udp dport 1024-65535 drop',
    forMs: 18_000,
  },
  {
    name: 'wrong-password',
    broken: 'the application has another password than the server',
    configuration: relayed('wrong'),
    forMs: 12_000,
  },
  {
    name: 'turn-unreachable',
    broken: 'a firewall drops UDP to the port of the TURN server',
    configuration: relayed('right', 3999),
    nft: 'udp dport 3999 drop',
    forMs: 15_000,
  },
  {
    name: 'relay-without-turn',
    broken: 'relays alone are allowed, and no TURN server is configured',
    configuration: "{ iceTransportPolicy: 'relay' }",
    forMs: 6000,
  },
  {
    name: 'placeholder-url',
    broken: 'the URL of the TURN server is a template that nobody filled in',
    configuration:
      "{ iceServers: [{ urls: 'turn:YOUR_TURN_SERVER', username: 'u', credential: 'c' }], iceTransportPolicy: 'relay' }",
    forMs: 6000,
  },
  {
    name: 'relay-ports-blocked',
    broken: 'a firewall drops UDP to the relay ports',
    configuration: relayed(),
    nft: 'udp dport 49152-65535 ip daddr 203.0.113.10 drop',
    forMs: 18_000,
  },
  {
    name: 'private-relay',
    broken: 'external-ip has a private address',
    configuration: relayed(),
    coturn: ['--external-ip=172.16.0.10/203.0.113.10'],
    nft: 'udp dport 49152-65535 ip daddr 203.0.113.10 drop',
    forMs: 18_000,
  },
  {
    name: 'quota',
    broken: 'the user may have one allocation',
    configuration: relayed(),
    coturn: ['--user-quota=1'],
    forMs: 12_000,
  },
  {
    name: 'muted-track',
    broken: 'the track of the microphone is disabled',
    after: 'a.microphone.enabled = false;',
    before: 'a.microphone.enabled = false;',
    forMs: 9000,
  },
  {
    name: 'direction-mismatch',
    broken: 'the side that answers has no track, and answers recvonly',
    onAnswer: "sdp = sdp.replace('a=sendrecv', 'a=recvonly')",
    before: 'b.pc.getSenders().forEach((sender) => b.pc.removeTrack(sender));',
    forMs: 8000,
  },
  {
    name: 'no-common-codec',
    broken: 'a gateway offers G.729 alone',
    onOffer:
      "sdp = sdp.replace(/m=audio.*/, 'm=audio 9 UDP/TLS/RTP/SAVPF 18').replace(/a=(rtpmap|fmtp|rtcp-fb):.*\\r\\n/g, '') + 'a=rtpmap:18 G729/8000\\r\\n'",
    forMs: 6000,
  },
  {
    name: 'answer-of-gateway',
    broken: 'a gateway answers with G.729 alone',
    onAnswer:
      "sdp = sdp.replace(/m=audio.*/, 'm=audio 9 UDP/TLS/RTP/SAVPF 18').replace(/a=(rtpmap|fmtp|rtcp-fb):.*\\r\\n/g, '') + 'a=rtpmap:18 G729/8000\\r\\n'",
    forMs: 3000,
  },
  {
    name: 'audio-rejected',
    broken: 'one side takes PCMU alone, the other Opus alone',
    before:
      "a.pc.getTransceivers()[0].setCodecPreferences(RTCRtpReceiver.getCapabilities('audio').codecs.filter(({ mimeType }) => mimeType === 'audio/PCMU'));",
    answering:
      "b.pc.getTransceivers()[0].setCodecPreferences(RTCRtpReceiver.getCapabilities('audio').codecs.filter(({ mimeType }) => mimeType === 'audio/opus'));",
    forMs: 6000,
  },
  {
    name: 'no-track',
    broken: 'the sender has no track',
    before: 'await a.pc.getSenders()[0].replaceTrack(null);',
    forMs: 9000,
  },
  {
    name: 'encoding-off',
    broken: 'the encoding is switched off with setParameters',
    after:
      'const [sender] = a.pc.getSenders(); const all = sender.getParameters(); all.encodings[0].active = false; await sender.setParameters(all);',
    forMs: 9000,
  },
  {
    name: 'loopback-address',
    broken: 'each side tells the other 127.0.0.1',
    onCandidate:
      "candidate = { ...candidate.toJSON(), candidate: candidate.candidate.replace(/ (198|203)\\.\\S+/, ' 127.0.0.1') };",
    forMs: 18_000,
  },
  {
    name: 'other-family',
    broken: 'each side tells the other an IPv6 address, and has IPv4 alone',
    onCandidate:
      "candidate = { ...candidate.toJSON(), candidate: candidate.candidate.replace(/ (198|203)\\.\\S+/, ' 2001:db8::7') };",
    forMs: 9000,
  },
  {
    name: 'no-fingerprint',
    broken: 'the answer has lost its fingerprint',
    onAnswer: "sdp = sdp.replace(/a=fingerprint:.*\\r\\n/, '')",
    forMs: 3000,
  },
  { name: 'page-left', broken: 'the page was left before the dump was saved', isLeft: true, forMs: 5000 },
  {
    name: 'trial-before',
    keepsClosed: true,
    broken: 'a connection that tries the network fails before the call, which is good',
    before: `
      const trial = [new RTCPeerConnection(${relayed('wrong')}), new RTCPeerConnection(${relayed('wrong')})];
      keep.push(...trial);
      trial[0].createDataChannel('precalltest');
      await trial[0].setLocalDescription();
      await trial[1].setRemoteDescription(trial[0].localDescription);
      await trial[1].setLocalDescription();
      await trial[0].setRemoteDescription(trial[1].localDescription);
      await wait(3000);
      trial.forEach((each) => each.close());`,
    forMs: 9000,
  },
  {
    name: 'microphone-busy',
    broken: 'the microphone is there, and does not open',
    browser: ['--fail-audio-stream-creation'],
    forMs: 1000,
  },
  { name: 'no-microphone', broken: 'the machine has no microphone', withoutMicrophone: true, forMs: 1000 },
  {
    name: 'quiet-microphone',
    broken: 'what is captured is as quiet as a room in which nobody talks',
    synthesized: true,
    volume: 2e-4,
    forMs: 9000,
  },
  {
    name: 'track-stopped',
    broken: 'the page stops the track of the microphone',
    after: 'await wait(4000); a.microphone.stop();',
    forMs: 9000,
  },
  {
    name: 'relay-tcp',
    broken: 'nothing; the TURN server is reached over TCP',
    configuration: relayed('right', '3478?transport=tcp'),
    forMs: 9000,
  },
  {
    name: 'slow-line',
    broken: 'the line to the TURN server takes 160 to 180 ms each way',
    configuration: relayed('right', 3999),
    slowLine: { port: 3999, delayMs: 160, jitterMs: 20 },
    forMs: 15_000,
  },
  {
    name: 'uneven-line',
    broken: 'the line to the TURN server takes 10 to 260 ms each way, at random',
    configuration: relayed('right', 3999),
    slowLine: { port: 3999, delayMs: 10, jitterMs: 250 },
    forMs: 15_000,
  },
  {
    name: 'path-switched',
    broken: 'a firewall closes the direct path during the call; relays are there',
    configuration: relayed().replace("iceTransportPolicy: 'relay'", "iceTransportPolicy: 'all'"),
    coturn: ['--min-port=62000', '--max-port=64000'],
    nftAfter: 'udp sport 3500-61000 udp dport 3500-61000 drop',
    forMs: 30_000,
  },
  {
    name: 'no-audio',
    broken: 'the page offers video alone',
    before:
      "a.pc.getSenders().forEach((sender) => a.pc.removeTrack(sender)); a.pc.getTransceivers().forEach((each) => each.stop()); a.pc.addTransceiver('video');",
    forMs: 6000,
  },
  {
    name: 'track-removed',
    broken: 'the page takes the track from the sender',
    after: 'await wait(4000); await a.pc.getSenders()[0].replaceTrack(null);',
    forMs: 9000,
  },
  {
    name: 'element-muted',
    broken: 'the page plays what arrives in a muted element',
    onTrack:
      'const audio = new Audio(); audio.srcObject = stream; audio.muted = true; audio.play(); keep.push(audio);',
    forMs: 9000,
  },
  {
    name: 'not-attached',
    broken: 'the page does nothing with the track that arrives',
    onTrack: '',
    forMs: 9000,
  },
  { name: 'microphone-denied', broken: 'the user does not allow the microphone', denied: true, forMs: 1000 },
  {
    name: 'wrong-fingerprint',
    broken: 'the fingerprint in the answer is changed on its way',
    onAnswer:
      "sdp = sdp.replace(/(a=fingerprint:sha-256 )../, (_, start) => start + (sdp.includes('sha-256 00') ? '01' : '00'))",
    forMs: 8000,
  },
  {
    name: 'dtls-blocked',
    broken: 'a firewall drops DTLS, and lets STUN through',
    nft: `udp dport 1024-65535 ${dtls} drop`,
    forMs: 9000,
  },
  {
    name: 'one-way',
    broken: 'a firewall drops RTP to one side',
    nftAfter: `udp dport PORT_OF_A ${rtp} drop`,
    forMs: 12_000,
  },
  {
    name: 'high-loss',
    broken: 'a firewall drops 15 of 100 RTP packets, at random',
    nftAfter: `${rtp} numgen random mod 100 < 15 drop`,
    forMs: 25_000,
  },
  {
    name: 'path-lost',
    broken: 'a firewall drops all UDP once the call is up',
    nftAfter: 'udp dport 1024-65535 drop',
    after: 'await wait(25000);',
    forMs: 1000,
  },
  { name: 'never-answered', broken: 'the offer is lost in signaling', onOffer: 'return;', forMs: 8000 },
  {
    name: 'candidates-lost',
    broken: 'the candidates of both sides are lost in signaling',
    onCandidate: 'return;',
    forMs: 9000,
  },
  {
    name: 'answer-damaged',
    broken: 'the answer has lost its ICE credentials',
    onAnswer: "sdp = sdp.replace(/a=ice-ufrag:.*\\r\\n/, '').replace(/a=ice-pwd:.*\\r\\n/, '')",
    forMs: 3000,
  },
  {
    name: 'peers-denied',
    broken: 'denied-peer-ip covers the relays of the server itself',
    configuration: relayed(),
    coturn: ['--denied-peer-ip=203.0.113.0-203.0.113.255'],
    forMs: 18_000,
  },
  {
    // Chromium asks for more time at half of a short lifetime; what asks for it (method 0x0004) gets lost.
    name: 'allocation-expired',
    broken: 'a firewall drops Refresh requests; an allocation lasts 30 s',
    configuration: relayed(),
    coturn: ['--max-allocate-lifetime=30'],
    nftAfter: 'udp dport 3478 @th,64,16 == 0x0004 drop',
    after: 'await wait(50000);',
    forMs: 1000,
  },
  {
    name: 'mdns-only',
    broken: 'the page never asks for the microphone, and no name of mDNS gets through',
    synthesized: true,
    nft: 'udp dport 5353 drop',
    forMs: 18_000,
  },
  {
    name: 'no-udp',
    broken: 'a policy of the browser allows no UDP',
    preferences: { webrtc: { ip_handling_policy: 'disable_non_proxied_udp' } },
    forMs: 12_000,
  },
  {
    name: 'opened-late',
    broken: 'nothing; chrome://webrtc-internals is opened during the call',
    openInternalsLate: true,
    forMs: 9000,
  },
];
