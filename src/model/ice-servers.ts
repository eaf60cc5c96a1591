/** What an application hands to RTCPeerConnection as iceServers, as far as it is judged. Credentials are not in it. */
export interface IceServersFacts {
  /** As it was named. */
  readonly file: string;
  /** URLs that a browser takes, in their order. */
  readonly urls: readonly string[];
  /** What a browser does not take, or takes and does not use, in the order in which it stands there. */
  readonly problems: readonly IceServersProblem[];
}

export interface IceServersProblem {
  /**
   * `refused`: RTCPeerConnection throws over it (W3C WebRTC §4.2.2 and §4.4.1.6). `dtls`: TURN over DTLS, which no browser
   * speaks. `no-turn`: there is no TURN server in it.
   */
  readonly kind: 'refused' | 'dtls' | 'no-turn';
  /** `iceServers[0].urls[1]`; empty for the whole. */
  readonly at: string;
  readonly text: string;
  /** What to write in its place; null where that is not known. */
  readonly instead: string | null;
}
