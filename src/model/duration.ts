const unitMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

type Unit = keyof typeof unitMs;

/** `150ms`, `3s`, `90m`, `12h`, `7d` → milliseconds. Null when the text is none of these; a number alone has no unit. */
export function parseDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  return match ? Math.round(Number(match[1]) * unitMs[match[2] as Unit]) : null;
}

/** As `durationText`; nothing for what could not be measured. */
export function durationTextOrNothing(ms: number | null): string | undefined {
  return ms === null ? undefined : durationText(ms);
}

/** `0.4 ms`, `12 ms`, `1.2 s`. */
export function durationText(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 10 ? Number(ms.toFixed(1)) : Math.round(ms)} ms`;
}
