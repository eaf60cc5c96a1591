import { jsonSlices } from '../json-slices.ts';
import type { GiveBack } from '../part-source.ts';
import { ConnectionBuilder } from './connection-builder.ts';
import { field, member } from './event-value.ts';
import { Omissions } from './omissions.ts';
import type { Reading } from './reading.ts';
import { isOfOtherKind } from './source-kind.ts';

/**
 * Reads what `getStats()` gave, as JSON: an object by id, an array of `[id, stats]` pairs or of stats, an array of any of
 * these (a series), or one of them a line.
 */
export async function readGetStats(chunks: AsyncIterable<Buffer>, giveBack?: GiveBack): Promise<Reading> {
  const reports = new Reports();
  const omissions = new Omissions();
  try {
    for await (const { path, text, document } of jsonSlices(chunks, {
      choose: ({ length }) => (length === 0 ? 'enter' : 'give'),
      isLines: true,
      isOther: (bytes) => isOfOtherKind(bytes, 'getstats'),
      giveBack,
      onTooLong: () => omissions.unread('an entry is too long and was left out'),
    })) {
      reports.inDocument(document);
      reports.take(path[0] ?? '', JSON.parse(text) as unknown);
    }
  } catch (error) {
    omissions.damage(error);
  }
  return reports.reading(omissions);
}

type Report = Record<string, unknown>;

// A page that makes a connection each second for a quarter of an hour.
const mostConnections = 1000;
/** Types of which each connection has objects of its own, under names that no other connection has. */
const ownTypes = /^(?:inbound-rtp|outbound-rtp|candidate-pair|local-candidate|remote-candidate)$/;

class Reports {
  readonly #connections: ConnectionBuilder[] = [];
  /** Whose object each is. */
  readonly #owners = new Map<string, ConnectionBuilder>();
  #open: Report = {};
  #document = 0;
  #isChromium = false;
  #isFirefox = false;

  inDocument(document: number): void {
    if (document !== this.#document) this.#flush();
    this.#document = document;
  }

  /** A member of the document: a stats object, a pair, or a whole report. */
  take(key: string | number, value: unknown): void {
    if (isStats(value)) this.#addStats(typeof key === 'string' ? key : '', value);
    else if (isPair(value)) this.#addStats(value[0], value[1]);
    else this.#addReport(value);
  }

  #addStats(key: string, stats: object): void {
    const id = field(stats, 'id') ?? key;
    const earlier = member(this.#open, id);
    // The same object again begins the next report of a flat series.
    if (earlier !== undefined && member(earlier, 'timestamp') !== member(stats, 'timestamp')) this.#flush();
    if (member(stats, 'type') === 'media-playout') this.#isChromium = true;
    if (member(stats, 'selected') !== undefined) this.#isFirefox = true;
    Object.defineProperty(this.#open, id, { value: stats, enumerable: true, configurable: true });
  }

  #addReport(value: unknown): void {
    this.#flush();
    const inner = member(value, 'stats') ?? member(value, 'report') ?? member(value, 'reports') ?? value;
    if (Array.isArray(inner)) {
      for (const each of inner) {
        if (isStats(each)) this.#addStats('', each);
        else if (isPair(each)) this.#addStats(each[0], each[1]);
      }
    } else if (typeof inner === 'object' && inner !== null) {
      for (const [key, each] of Object.entries(inner)) if (isStats(each)) this.#addStats(key, each);
    }
    this.#flush();
  }

  #flush(): void {
    const own = Object.entries(this.#open).flatMap(([id, stats]) =>
      ownTypes.test(field(stats, 'type') ?? '') ? [id] : [],
    );
    const builder = this.#builderFor(own);
    builder?.statistics.addReport(this.#open, Number.NaN);
    for (const id of own) if (builder !== undefined) this.#owners.set(id, builder);
    this.#open = {};
  }

  /** A report that shares no object with those before is of another connection. */
  #builderFor(own: readonly string[]): ConnectionBuilder | undefined {
    const last = this.#connections.at(-1);
    if (last !== undefined && (own.length === 0 || this.#owners.size === 0)) return last;
    const owner = own.find((id) => this.#owners.has(id));
    if (owner !== undefined) return this.#owners.get(owner);
    const count = this.#connections.length + 1;
    if (count > mostConnections) return undefined;
    const next = new ConnectionBuilder(count === 1 ? 'getStats' : `getStats ${count}`);
    this.#connections.push(next);
    return next;
  }

  reading(omissions: Omissions): Reading {
    this.#flush();
    const engine = this.#isChromium ? ('chromium' as const) : this.#isFirefox ? ('firefox' as const) : null;
    return {
      source: { writer: null, engine, savedAtMs: null, ...omissions.facts() },
      connections: this.#connections.flatMap((each) => (each.hasFacts ? [each.facts()] : [])),
      mediaRequests: [],
    };
  }
}

function isStats(value: unknown): value is object {
  return typeof value === 'object' && value !== null && typeof member(value, 'type') === 'string';
}

function isPair(value: unknown): value is [string, object] {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && isStats(value[1]);
}
