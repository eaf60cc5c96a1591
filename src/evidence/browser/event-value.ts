/**
 * What browsers and their recorders wrote beside an event: a JSON value in a text (Chrome from 142), or a notation of
 * their own, `key: value, key: value` (Chrome before), or plain data (rtcstats).
 */
export type EventValue = unknown;

/** A text that holds JSON as what it holds; anything else as it is. */
export function opened(value: EventValue): EventValue {
  if (typeof value !== 'string' || !/^\s*["[{]/.test(value)) return value;
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

/** The value as a text that can be searched. */
export function asText(value: EventValue): string {
  if (typeof value === 'string') return value;
  return value === null || value === undefined ? '' : JSON.stringify(value);
}

/** The own member `name` of an object; undefined for anything else. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}

/** A field by its names in the several notations; null where there is none. */
export function field(value: EventValue, ...names: readonly string[]): string | null {
  const data = opened(value);
  for (const name of names) {
    const own = member(data, name);
    if (typeof own === 'string' || typeof own === 'number' || typeof own === 'boolean') return String(own);
  }
  if (typeof data !== 'string') return null;
  for (const name of names) {
    const [, text] =
      new RegExp(`(?:^|[\\n,{\\s])${name}:[ \\t]*([^\\n]*?)(?=,\\s*[\\w]+:|\\n|,?$)`, 'm').exec(data) ?? [];
    if (text !== undefined) return text.replace(/^['"]|['"],?$/g, '').trim();
  }
  return null;
}

/** `SignalingStateHaveLocalOffer`, `"connected"`, `ICEGatheringStateComplete` → `have-local-offer`, `connected`, `complete`. */
export function stateName(value: EventValue): string {
  const text = asText(opened(value)).trim();
  return text
    .replace(
      /^(?:Signaling|ICE(?:Connection|Gathering)|Ice(?:Connection|Gathering)|Connection)State(?=[A-Z])/,
      '',
    )
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-')
    .toLowerCase()
    .slice(0, 40);
}
