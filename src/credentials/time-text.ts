/** `2026-01-02T03:04:05Z` */
export function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

/** `in 12 h`, `in 1 d 2 h`, `45 s ago`. */
export function relativeTime(seconds: number): string {
  const size = durationText(Math.abs(seconds));
  return seconds < 0 ? `${size} ago` : `in ${size}`;
}

/** The two largest units: `12 h`, `1 d 2 h`, `45 s`. */
export function durationText(seconds: number): string {
  const units: readonly [string, number][] = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ];
  let rest = seconds;
  const parts = units.flatMap(([unit, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count > 0 ? [`${count} ${unit}`] : [];
  });
  return parts.length === 0 ? '0 s' : parts.slice(0, 2).join(' ');
}
