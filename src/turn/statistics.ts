/** One request to the server as it went. */
export interface RequestRecord {
  readonly method: number;
  readonly rttMs: number | null;
  /** Error code of the answer; null for success, or when there was none. */
  readonly code: number | null;
}

const rememberedRequests = 100;

/** What went through one allocation. */
export class AllocationStatistics {
  sentPackets = 0;
  sentBytes = 0;
  receivedPackets = 0;
  receivedBytes = 0;
  /** The last hundred, oldest first. */
  readonly requests: RequestRecord[] = [];

  countSent(payload: Uint8Array): void {
    this.sentPackets++;
    this.sentBytes += payload.length;
  }

  countReceived(payload: Uint8Array): void {
    this.receivedPackets++;
    this.receivedBytes += payload.length;
  }

  addRequest(record: RequestRecord): void {
    if (this.requests.length === rememberedRequests) this.requests.shift();
    this.requests.push(record);
  }
}
