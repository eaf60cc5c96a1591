import type { Endpoint, Family } from '../model/endpoint.ts';
import { AttemptError } from '../model/failure.ts';
import type { CallEnd, CallRelayFacts, Failure } from '../model/observations.ts';
import { allocate, type Allocation, type Lifetimes } from '../turn/allocation.ts';
import type { TurnServer } from '../turn/server.ts';
import type { TurnCredential } from '../turn/session.ts';

export interface CallRelaysOptions {
  readonly server: TurnServer;
  readonly credential: TurnCredential;
  readonly family?: Family;
  readonly lifetimes?: Lifetimes;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

type RelayEnd = Exclude<CallEnd['kind'], 'connection-ended'>;

// Refresh with lifetime 0 over UDP is sent again after 0.1–0.5 s; two chances, then the server may keep it.
const releaseTimeoutMs = 1000;

const ended = 'the server ended an allocation';
const silent = 'the server stopped answering';

/**
 * The two allocations of a call, one per peer, on one server. What goes wrong with them is kept as facts; it
 * throws on abort alone.
 */
export class CallRelays {
  /** Called at the first failure. */
  onFailure: (kind: RelayEnd, what: string) => void = () => {};
  readonly #startedAt: number;
  readonly #allocations: readonly (Allocation | null)[];
  readonly #allocateMs: number | null;
  readonly #lost: { readonly atMs: number; readonly failure: Failure }[] = [];
  #error: string | null = null;
  #releasing = false;
  #released = false;

  /** Allocates twice at once. When one is refused, the other is not waited for. */
  static async allocate(options: CallRelaysOptions, startedAt: number): Promise<CallRelays> {
    const given = new AbortController();
    const signal = AbortSignal.any([options.signal, given.signal]);
    const failures: { what: string; failure: Failure }[] = [];
    const attempt = async (peer: string): Promise<Allocation | null> => {
      try {
        return await allocate({ ...options, signal });
      } catch (error) {
        if (error instanceof AttemptError) {
          failures.push({ what: `the ${peer} got no allocation`, failure: error.failure });
          given.abort();
        } else if (!given.signal.aborted) throw error;
        return null;
      }
    };
    const results = await Promise.allSettled([attempt('caller'), attempt('callee')]);
    const allocations = results.map((result) => (result.status === 'fulfilled' ? result.value : null));
    const relays = new CallRelays(startedAt, allocations);
    const thrown = results.find((result) => result.status === 'rejected');
    if (thrown) {
      await relays.release();
      throw thrown.reason;
    }
    for (const { what, failure } of failures) relays.#fail(what, failure);
    return relays;
  }

  private constructor(startedAt: number, allocations: readonly (Allocation | null)[]) {
    this.#startedAt = startedAt;
    this.#allocations = allocations;
    this.#allocateMs = allocations.includes(null) ? null : performance.now() - startedAt;
    for (const allocation of allocations) {
      if (allocation) allocation.onLost = (failure) => this.#fail(ended, failure);
    }
  }

  /** Why there can be no call, or no longer; null while there is no reason. */
  get error(): string | null {
    return this.#error;
  }

  /** Both allocations, caller's first; null unless there are two. */
  get both(): readonly [Allocation, Allocation] | null {
    const [caller, callee] = this.#allocations;
    return caller && callee ? [caller, callee] : null;
  }

  /**
   * Lets each relay address send to the other, and binds a channel between them. Done when both permissions are there; a
   * refusal is told by `onFailure`.
   */
  async connect(): Promise<void> {
    if (this.both === null) return;
    const [caller, callee] = this.both;
    await Promise.all([this.#open(caller, callee.relayed), this.#open(callee, caller.relayed)]);
  }

  /**
   * Asks the server whether the allocations still live, which no packet does when the server has fallen silent.
   * A negative answer, or none, is told by `onFailure`.
   */
  async examine(): Promise<void> {
    await Promise.all(
      this.#held.map(async (allocation) => {
        try {
          await allocation.refresh();
        } catch (error) {
          if (!(error instanceof AttemptError)) throw error;
          if (error.failure.kind === 'timeout') this.#fail(silent, error.failure, 'server-silent');
          else this.#fail(ended, error.failure);
        }
      }),
    );
  }

  /** Frees both; takes a second at most. */
  async release(): Promise<void> {
    // From now on a request that fails does so because of us.
    this.#releasing = true;
    const failures = await Promise.all(this.#held.map((allocation) => allocation.release(releaseTimeoutMs)));
    this.#released = failures.every((failure) => failure === null);
  }

  get #held(): Allocation[] {
    return this.#allocations.filter((allocation) => allocation !== null);
  }

  facts(): CallRelayFacts {
    return {
      relayed: this.#allocations.map((allocation) => allocation?.relayed ?? null),
      allocateMs: this.#allocateMs,
      lost: this.#lost,
      released: this.#released,
    };
  }

  async #open(allocation: Allocation, peer: Endpoint): Promise<void> {
    const permitted = allocation.permit([peer.address]);
    void this.#bindChannel(allocation, peer);
    try {
      await permitted;
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      this.#fail('the server gave no permission for the relay address of the other peer', error.failure);
    }
  }

  /** Until there is a channel, or without one, the call uses Send indications; channels are another check's matter. */
  async #bindChannel(allocation: Allocation, peer: Endpoint): Promise<void> {
    try {
      await allocation.bindChannel(peer);
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
    }
  }

  #fail(what: string, failure: Failure, kind: RelayEnd = 'relay-lost'): void {
    if (this.#releasing || this.#error !== null) return;
    this.#note(what, failure);
    this.onFailure(kind, what);
  }

  /** Only the first failure counts: what comes after it is its consequence. */
  #note(what: string, failure: Failure): void {
    if (this.#error !== null) return;
    this.#error = what;
    this.#lost.push({ atMs: performance.now() - this.#startedAt, failure });
  }
}
