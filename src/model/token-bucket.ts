/** How many of something may happen: `burst` at once, `perSecond` over time. */
export interface TokenBucket {
  /** Whether one more may happen at `nowMs`; counts it when it may. */
  take(nowMs: number): boolean;
  /** Whether nothing has happened for so long that it holds its full burst again. */
  isFull(nowMs: number): boolean;
}

export function tokenBucket(burst: number, perSecond: number): TokenBucket {
  let tokens = burst;
  let filledAtMs: number | null = null;
  const level = (nowMs: number): number =>
    Math.min(burst, tokens + ((nowMs - (filledAtMs ?? nowMs)) / 1000) * perSecond);
  return {
    take(nowMs) {
      tokens = level(nowMs);
      filledAtMs = nowMs;
      if (tokens < 1) return false;
      tokens--;
      return true;
    },
    isFull: (nowMs) => level(nowMs) >= burst,
  };
}
