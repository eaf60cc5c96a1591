// C0 and C1 control characters: a terminal obeys them, and a CI log reads commands behind a line break. Line and paragraph
// separators break lines too, and the marks of bidirectional text (Unicode UAX #9 §2) let a line read as another one.
// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** A text that came over the network, safe to print: each control character becomes `�`. */
export function printable(text: string): string {
  return text.replaceAll(control, '\ufffd');
}

/** The same for every text within plain data. */
export function printableData<T>(data: T): T {
  if (typeof data === 'string') return printable(data) as T;
  if (Array.isArray(data)) return data.map((item: unknown) => printableData(item)) as T;
  if (typeof data !== 'object' || data === null) return data;
  return Object.fromEntries(
    Object.entries(data).map(([key, value]) => [key, printableData(value as unknown)]),
  ) as T;
}
