import type { DataChannel, PeerConnection, Track } from 'node-datachannel';
import type { Endpoint } from '../model/endpoint.ts';
import type { SelectedPair } from '../model/observations.ts';
import { opusPayloadType } from './audio-endpoint.ts';
import type { Bridge } from './bridge.ts';
import { guarded, keep, type NativeModule } from './native.ts';

export interface CallPeerOptions {
  readonly name: 'caller' | 'callee';
  readonly bridge: Bridge;
  readonly ssrc: number;
  /** A fault of this process, not of the network. */
  readonly onError: (error: Error) => void;
  /** ICE or DTLS has ended, in its own word. */
  readonly onEnded: (state: string) => void;
}

/** One peer of the call: a peer connection that can go only through its bridge, with one audio track. */
export class CallPeer {
  /** RTP and RTCP of the other peer, decrypted, with the time of arrival. */
  onMedia: (bytes: Uint8Array, nowMs: number) => void = () => {};
  /** Settles when media can flow: ICE and DTLS are through. */
  readonly open: Promise<void>;
  readonly connection: PeerConnection;
  readonly #native: NativeModule;
  readonly #options: CallPeerOptions;
  #track: Track | null = null;
  #markOpen = (): void => {};

  constructor(native: NativeModule, options: CallPeerOptions) {
    this.#native = native;
    this.#options = options;
    this.open = new Promise((resolve) => {
      this.#markOpen = resolve;
    });
    const { hostname, port, username, password } = options.bridge.server;
    this.connection = keep(
      new native.PeerConnection(options.name, {
        iceServers: [{ hostname, port, username, password, relayType: 'TurnUdp' }],
        iceTransportPolicy: 'relay',
        // The policy hides host candidates from the other peer, but ICE still sends checks from the host's socket. Bound
        // to loopback, that socket reaches the bridge and nothing else.
        bindAddress: hostname,
        disableAutoNegotiation: true,
      }),
    );
    this.connection.onIceStateChange(guarded((state) => this.#onIceState(state), options.onError));
    this.connection.onStateChange(
      guarded((state) => {
        if (state === 'failed' || state === 'closed' || state === 'disconnected') options.onEnded(state);
      }, options.onError),
    );
  }

  #onIceState(state: string): void {
    if (state !== 'connected' && state !== 'completed') return;
    // ICE tells its state before it starts DTLS, with its lock held until that is done. This question needs the same
    // lock, so once it is answered DTLS has been started.
    this.connection.getSelectedCandidatePair();
    this.#options.bridge.admitHandshake();
  }

  /** Caller: makes track and data channel, and an offer with all its candidates. */
  async offer(): Promise<{ sdp: string; channel: DataChannel }> {
    const { name, ssrc } = this.#options;
    const audio = keep(new this.#native.Audio('audio', 'SendRecv'));
    audio.addOpusCodec(opusPayloadType);
    audio.addSSRC(ssrc, name, name, 'audio');
    this.#adopt(this.connection.addTrack(audio));
    const channel = this.connection.createDataChannel('echo', { unordered: true, maxRetransmits: 0 });
    return { sdp: await this.#describe(), channel };
  }

  /** Callee: takes the offer and makes an answer with all its candidates. */
  async answer(offer: string, onChannel: (channel: DataChannel) => void): Promise<string> {
    this.connection.onTrack(guarded((track) => this.#adopt(track), this.#options.onError));
    this.connection.onDataChannel(guarded(onChannel, this.#options.onError));
    this.connection.setRemoteDescription(offer, 'offer');
    this.#options.bridge.admitPeer();
    return this.#describe();
  }

  /** Caller: takes the answer. */
  accept(answer: string): void {
    this.connection.setRemoteDescription(answer, 'answer');
    this.#options.bridge.admitPeer();
  }

  /** False when the track is not, or no longer, open. */
  send(packet: Buffer): boolean {
    const track = this.#track;
    if (!track?.isOpen()) return false;
    try {
      return track.sendMessageBinary(packet);
    } catch {
      // Closed by a native thread since the line above; `onEnded` tells why.
      return false;
    }
  }

  /**
   * The candidate pair in use, null before there is one.
   * @param local our relay address
   * @param remote that of the other peer
   */
  selectedPair(local: Endpoint, remote: Endpoint): SelectedPair | null {
    const pair = this.connection.getSelectedCandidatePair();
    if (pair === null) return null;
    const isRelay = (candidate: typeof pair.local, relayed: Endpoint): boolean =>
      candidate.address === relayed.address && candidate.port === relayed.port;
    return {
      local: pair.local.type,
      remote: pair.remote.type,
      relayed:
        pair.local.type === 'relay' &&
        pair.remote.type === 'relay' &&
        isRelay(pair.local, local) &&
        isRelay(pair.remote, remote),
    };
  }

  /** Whether ICE has found a way to the other peer, be it that DTLS has not come through. */
  get hasPath(): boolean {
    return ['connected', 'completed'].includes(this.connection.iceState());
  }

  /** ICE's and DTLS's word for where they are, and what the bridge saw. */
  get state(): string {
    const { toPeer, fromPeer } = this.#options.bridge.statistics;
    const { connection } = this;
    return `ICE ${connection.iceState()}, connection ${connection.state()}, ${toPeer} packets out and ${fromPeer} in`;
  }

  /**
   * Descriptions and candidates come by callbacks in no fixed order, and a candidate that is handed over before its
   * description aborts the process: so the whole description is taken once gathering is complete (no
   * trickling). Behind the bridge that takes some milliseconds.
   */
  async #describe(): Promise<string> {
    const { connection } = this;
    const complete = new Promise<void>((resolve) => {
      connection.onGatheringStateChange(
        guarded((state) => {
          if (state === 'complete') resolve();
        }, this.#options.onError),
      );
    });
    // Without a type: the library takes the one that fits its state, and a wrong one would abort the process.
    connection.setLocalDescription();
    await complete;
    const description = connection.localDescription();
    if (description === null) throw new Error('gathering is complete, but there is no local description');
    return description.sdp;
  }

  #adopt(track: Track): void {
    const { onError } = this.#options;
    this.#track = keep(track);
    track.onOpen(guarded(() => this.#markOpen(), onError));
    track.onMessage(guarded((bytes) => this.onMedia(bytes, performance.now()), onError));
  }
}
