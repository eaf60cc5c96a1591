/*
 * The simplified E-model that call quality tools use where only loss, jitter and round trip are known: R of ITU-T G.107
 * less what the delay costs (a jitter buffer of twice the jitter, 10 ms for coding) and 2.5 for each percent of loss.
 */
const bestRating = 93.2;
const codingMs = 10;
const noticedMs = 160;

/** Mean opinion score of a span of a call, 1 to 4.5. */
export function mosOfSpan({
  lossRatio,
  jitterMs,
  rttMs,
}: {
  readonly lossRatio: number;
  readonly jitterMs: number;
  readonly rttMs: number;
}): number {
  const delayMs = rttMs / 2 + 2 * jitterMs + codingMs;
  const byDelay = delayMs < noticedMs ? delayMs / 40 : (delayMs - 120) / 10;
  const rating = Math.max(0, bestRating - byDelay - 2.5 * lossRatio * 100);
  const mos = 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating);
  return Math.min(4.5, Math.max(1, mos));
}
