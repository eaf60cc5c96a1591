/** What the user asked to be tried, beside the listeners. What was not asked for was not tried, and says nothing. */
export interface Asked {
  /** How long each call was to last; null when none was wanted. */
  readonly callDurationMs: number | null;
  /** The outside peer, as the user named it; null when none was given. */
  readonly peer: string | null;
  /** How many relay ports of each server; null when no number was given. */
  readonly ports: number | null;
  /** The NAT of this client, and the longest time for which a binding was to be left idle; null when not wanted. */
  readonly nat: { readonly lifetimeMs: number | null } | null;
  /** URIs of the servers that the user knows to work. */
  readonly controls: readonly string[];
}
