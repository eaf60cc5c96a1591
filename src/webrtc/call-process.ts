import type { CallFacts } from '../model/observations.ts';
import type { CallOrder } from './call-worker.ts';
import type { CallProgress, CallRequest } from './call.ts';
import { ChildProcess, type ProcessResult } from './child-process.ts';

export interface CallOptions extends Omit<CallRequest, 'connectAttempts'> {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CallProgress) => void;
}

// DTLS repeats a lost flight after 1, 2 and 4 s (RFC 6347 §4.2.4.1). Where a tenth of the packets is lost, one handshake in
// ten takes longer than any connect timeout, and says nothing about the relay.
const connectAttempts = 2;
// Draining and releasing take a second each at most; the rest is for a busy machine.
const slackMs = 10_000;

/** A process for one call: a crash or a freeze of the native library ends with it. */
export class CallProcess {
  readonly #child = new ChildProcess<CallOrder, CallFacts, CallProgress>('call-worker', 'call');

  /** Starts the process at once, so that its start overlaps with other work. */
  static start(): CallProcess {
    return new CallProcess();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Makes the call, and ends the process. To be called once.
   * @throws the reason of `signal` when aborted; the allocations have been freed by then, if the server answers
   */
  async call({ signal, onProgress, ...request }: CallOptions): Promise<ProcessResult<CallFacts>> {
    const { username, password } = request.credential;
    const order: CallOrder = {
      ...request,
      connectAttempts,
      credential: { username, password: password.reveal() },
    };
    const deadlineMs = connectAttempts * request.connectTimeoutMs + request.durationMs + slackMs;
    try {
      return await this.#child.run(order, {
        deadlineMs,
        signal,
        ...(onProgress === undefined ? {} : { onProgress }),
      });
    } finally {
      await this.#child.close();
    }
  }

  /** Ends the process, used or not. */
  close(): void {
    void this.#child.close();
  }
}
