/** Those of `known` that are most like `word`, or have a word of it in them, the nearest first. */
export function nearest(word: string, known: readonly string[], count: number): string[] {
  const words = wordsIn(word);
  return known
    .map((candidate) => ({
      candidate,
      shared: wordsIn(candidate).filter((each) => words.includes(each)).length,
      distance: distance(plain(word), plain(candidate)),
    }))
    .filter(({ shared, distance: far }) => shared > 0 || far <= farthest(word))
    .toSorted((a, b) => a.distance - b.distance || b.shared - a.shared)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** The one of `known` that `word` was probably meant to be: a typo away, or the same but for case and separators. */
export function closest(word: string, known: readonly string[]): string | null {
  const ranked = known
    .map((candidate) => ({ candidate, distance: distance(plain(word), plain(candidate)) }))
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best && best.distance <= farthest(word) ? best.candidate : null;
}

/** A third of the letters may differ: more would suggest a word that only looks alike. */
function farthest(word: string): number {
  return Math.max(1, Math.floor(word.length / 3));
}

function plain(text: string): string {
  return text.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
}

function wordsIn(text: string): string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

/** Optimal string alignment: insertions, deletions, replacements, and swaps of neighbours. */
function distance(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (previous[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (previous[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) cost = Math.min(cost, (beforePrevious[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length] ?? 0;
}
