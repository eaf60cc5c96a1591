import type { GatheringFacts } from '../model/observations.ts';
import { ChildProcess, type ProcessResult } from './child-process.ts';
import type { GatheringOrder } from './gathering-worker.ts';
import type { GatheringRequest } from './gathering.ts';

// Releasing takes a second at most; the rest is for a busy machine.
const slackMs = 8000;

/** A process that gathers ICE candidates, any number of times, also at once. */
export class GatheringProcess {
  #child = startChild();

  /** Starts the process at once, so that its start overlaps with other work. */
  static start(): GatheringProcess {
    return new GatheringProcess();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Gathers. A server that refuses or is silent is no failure here: its candidate is missing from the facts. After a
   * crash, which fails all that is under way, the next gathering gets a new process.
   * @throws the reason of `signal` when aborted
   */
  async gather(request: GatheringRequest, signal: AbortSignal): Promise<ProcessResult<GatheringFacts>> {
    const { turn } = request;
    const order: GatheringOrder = {
      ...request,
      turn: turn && {
        server: turn.server,
        credential: { username: turn.credential.username, password: turn.credential.password.reveal() },
      },
    };
    if (this.#child.hasEnded) this.#child = startChild();
    return this.#child.run(order, { deadlineMs: request.timeoutMs + slackMs, signal });
  }

  /** Ends the process, used or not. */
  close(): void {
    void this.#child.close();
  }
}

function startChild() {
  return new ChildProcess<GatheringOrder, GatheringFacts, never>('gathering-worker', 'gathering');
}
