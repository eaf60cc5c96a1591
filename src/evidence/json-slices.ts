/**
 * A JSON document (RFC 8259) as the values at some places in it, one after the other, so that a document of any size is
 * read in little memory. The libraries that do this build every value or every token: about 20 MB/s. This one looks for
 * the ends of values alone and leaves the values to `JSON.parse`.
 */

export type Path = readonly (string | number)[];

/** What is to become of the value at a place. `enter` opens an object or an array; any other value there is given. */
export type Choice = 'enter' | 'give' | 'skip';

export interface Slice {
  readonly path: Path;
  /** A JSON text. */
  readonly text: string;
  /** Of several documents, which one it is of, from 0. */
  readonly document: number;
}

/** What is wrong with a document, with the number of the byte. */
export class JsonSliceError extends Error {
  override readonly name = 'JsonSliceError';
}

export interface SliceOptions {
  readonly choose: (path: Path) => Choice;
  /** A value that is longer is skipped. */
  readonly mostBytes?: number;
  /** Whether several documents may follow one another, one a line (NDJSON). */
  readonly isLines?: boolean;
  /** What follows the end of the document and is none of its lines; without this it is an error. */
  readonly giveBack?: ((rest: Buffer) => void) | undefined;
  /** Whether the document that begins there is none of these lines. */
  readonly isOther?: (bytes: Buffer) => boolean;
  /** Called for each value that was skipped for its length. */
  readonly onTooLong?: (path: Path) => void;
}

// Ten times what the largest value of a dump has: an SDP of some hundred sections.
const mostBytesByDefault = 8 * 2 ** 20;
// A hundred times what any kept format has; deeper is an attack.
const deepest = 200;

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openObject, closeObject, openArray, closeArray] = [0x7b, 0x7d, 0x5b, 0x5d];

interface Frame {
  readonly isObject: boolean;
  /** The key or the index of the value that is next, or being read. */
  place: string | number;
}

type Expected = 'value' | 'first-value' | 'key' | 'first-key' | 'colon' | 'comma' | 'end';

/**
 * Cuts a document. What follows its end is ignored if it is blank, and given back if it is not.
 * @throws JsonSliceError when the document is no JSON or ends early; what was given before is right
 */
export async function* jsonSlices(
  chunks: AsyncIterable<Buffer>,
  options: SliceOptions,
): AsyncGenerator<Slice> {
  const cutter = new Cutter(options);
  for await (const chunk of chunks) {
    yield* cutter.push(chunk);
    const rest = cutter.rest();
    if (rest === null) continue;
    options.giveBack?.(rest);
    return;
  }
  yield* cutter.end();
}

/** Where the first object or array of these bytes ends; null where they are no such thing, or it goes on. */
export function documentEnd(bytes: Buffer): number | null {
  const start = bytes.findIndex((byte) => byte === openObject || byte === openArray);
  if (start === -1 || !/^(?:\u00ef\u00bb\u00bf)?\s*$/.test(bytes.toString('latin1', 0, start))) return null;
  try {
    return scan(bytes, start, {
      ...{ kind: 'container', keep: false, isTooLong: false, start },
      ...{ depth: 0, inString: false, escaped: false },
    });
  } catch (error) {
    if (error instanceof JsonSliceError) return null;
    throw error;
  }
}

class Cutter {
  readonly #choose: SliceOptions['choose'];
  readonly #mostBytes: number;
  readonly #onTooLong: (path: Path) => void;
  readonly #isLines: boolean;
  readonly #canGiveBack: boolean;
  readonly #isOther: (bytes: Buffer) => boolean;
  readonly #frames: Frame[] = [];
  #expected: Expected = 'value';
  /** What is not done with, from the beginning of the value that is being read. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #before = 0;
  /** The value or key that is being read. */
  #token: Token | null = null;
  /** Whether what is next is none of this document. */
  #isOver = false;
  #document = 0;

  constructor(options: SliceOptions) {
    const { choose, mostBytes = mostBytesByDefault, onTooLong = () => undefined, isLines = false } = options;
    this.#isLines = isLines;
    this.#canGiveBack = options.giveBack !== undefined;
    this.#isOther = options.isOther ?? (() => false);
    this.#choose = choose;
    this.#mostBytes = mostBytes;
    this.#onTooLong = onTooLong;
  }

  *push(chunk: Buffer): Generator<Slice> {
    this.#take(chunk);
    while (this.#at < this.#bytes.length && !this.#isOver) {
      if (this.#token !== null) {
        const end = scan(this.#bytes, this.#at, this.#token);
        this.#at = end ?? this.#bytes.length;
        if (end === null) return;
        const slice = this.#finish(this.#token);
        if (slice !== null) yield slice;
      } else if (!this.#skipBlanks()) this.#begin();
    }
  }

  *end(): Generator<Slice> {
    if (this.#token?.kind === 'scalar' && this.#frames.length === 0) {
      const slice = this.#finish(this.#token);
      if (slice !== null) yield slice;
    }
    if (this.#token !== null || this.#expected !== 'end')
      throw new JsonSliceError(`it ends early, after ${this.#before + this.#bytes.length} bytes`);
  }

  /** What follows the document, once it is over; null before. */
  rest(): Buffer | null {
    return this.#isOver ? this.#bytes.subarray(this.#at) : null;
  }

  get #path(): Path {
    return this.#frames.map(({ place }) => place);
  }

  /** Keeps what belongs to the token that is being read, in front of what is new. */
  #take(chunk: Buffer): void {
    const token = this.#token;
    const length = this.#bytes.length;
    let from = this.#at;
    if (token !== null && token.keep && length - token.start + chunk.length > this.#mostBytes) {
      token.keep = false;
      token.isTooLong = true;
    }
    if (token !== null && token.keep) from = token.start;
    this.#bytes = from >= length ? chunk : Buffer.concat([this.#bytes.subarray(from), chunk]);
    this.#before += from;
    this.#at -= from;
    if (token !== null) token.start = token.keep ? 0 : -1;
  }

  #skipBlanks(): boolean {
    const byte = this.#bytes[this.#at];
    // The byte order mark that some editors write.
    const isMark = this.#before + this.#at < 3 && (byte === 0xef || byte === 0xbb || byte === 0xbf);
    if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09 && !isMark) return false;
    this.#at++;
    return true;
  }

  #wrong(): JsonSliceError {
    return new JsonSliceError(`it is no JSON at byte ${this.#before + this.#at}`);
  }

  #begin(): void {
    const byte = this.#bytes[this.#at];
    switch (this.#expected) {
      case 'colon':
        if (byte !== colon) throw this.#wrong();
        this.#expected = 'value';
        this.#at++;
        return;
      case 'comma':
        this.#afterValue(byte);
        return;
      case 'first-key':
      case 'key':
        if (byte === closeObject && this.#expected === 'first-key') this.#leave();
        else if (byte === quote) this.#open('key', true);
        else throw this.#wrong();
        return;
      case 'first-value':
      case 'value':
        if (byte === closeArray && this.#expected === 'first-value') this.#leave();
        else this.#beginValue(byte);
        return;
      case 'end':
        if (this.#canGiveBack && !this.#isNextLine(byte)) this.#isOver = true;
        else if (this.#isLines) {
          this.#document++;
          this.#beginValue(byte);
        } else throw this.#wrong();
        return;
      default:
        this.#expected satisfies never;
    }
  }

  #isNextLine(byte: number | undefined): boolean {
    const isDocument = byte === openObject || byte === openArray;
    return this.#isLines && isDocument && !this.#isOther(this.#bytes.subarray(this.#at));
  }

  #afterValue(byte: number | undefined): void {
    const frame = this.#frames.at(-1);
    if (frame === undefined) throw this.#wrong();
    if (byte === (frame.isObject ? closeObject : closeArray)) {
      this.#leave();
      return;
    }
    if (byte !== comma) throw this.#wrong();
    if (typeof frame.place === 'number') frame.place++;
    this.#expected = frame.isObject ? 'key' : 'value';
    this.#at++;
  }

  #beginValue(byte: number | undefined): void {
    const isContainer = byte === openObject || byte === openArray;
    const choice = this.#choose(this.#path);
    if (choice === 'enter' && isContainer) {
      const isObject = byte === openObject;
      this.#frames.push({ isObject, place: isObject ? '' : 0 });
      if (this.#frames.length > deepest) throw this.#wrong();
      this.#expected = isObject ? 'first-key' : 'first-value';
      this.#at++;
      return;
    }
    if (byte === quote) this.#open('string', choice !== 'skip');
    else if (isContainer) this.#open('container', choice !== 'skip');
    else if (byte === comma || byte === colon || byte === closeArray || byte === closeObject)
      throw this.#wrong();
    else this.#open('scalar', choice !== 'skip');
  }

  #open(kind: Token['kind'], keep: boolean): void {
    const isString = kind === 'string' || kind === 'key';
    this.#token = {
      kind,
      keep,
      start: this.#at,
      isTooLong: false,
      depth: 0,
      inString: isString,
      escaped: false,
    };
    if (isString) this.#at++;
  }

  #leave(): void {
    this.#frames.pop();
    this.#at++;
    this.#expected = this.#frames.length === 0 ? 'end' : 'comma';
  }

  #finish(token: Token): Slice | null {
    this.#token = null;
    const text = token.keep ? this.#bytes.toString('utf8', token.start, this.#at) : '';
    if (token.kind === 'key') {
      const frame = this.#frames.at(-1);
      if (frame !== undefined) frame.place = token.keep ? keyOf(text) : '';
      this.#expected = 'colon';
      return null;
    }
    this.#expected = this.#frames.length === 0 ? 'end' : 'comma';
    if (token.isTooLong) this.#onTooLong(this.#path);
    return token.keep ? { path: this.#path, text, document: this.#document } : null;
  }
}

function keyOf(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    throw new JsonSliceError(`${text.slice(0, 40)} is no key`);
  }
}

interface Token {
  readonly kind: 'key' | 'string' | 'container' | 'scalar';
  keep: boolean;
  isTooLong: boolean;
  /** Where it begins in the bytes; -1 for one that is not kept and began earlier. */
  start: number;
  depth: number;
  inString: boolean;
  /** Whether the byte before was a backslash that is no escaped one. */
  escaped: boolean;
}

/** Where the token ends, behind its last byte; null when that is not among the bytes. */
function scan(bytes: Buffer, from: number, token: Token): number | null {
  let at = from;
  if (token.kind === 'scalar') {
    while (at < bytes.length) {
      const byte = bytes[at] as number;
      if (byte === comma || byte === closeArray || byte === closeObject || byte <= 0x20) return at;
      at++;
    }
    return null;
  }
  while (at < bytes.length) {
    if (token.inString) {
      const end = stringEnd(bytes, at, token);
      if (end === null) return null;
      at = end;
      token.inString = false;
      if (token.kind !== 'container') return at;
      continue;
    }
    const byte = bytes[at++] as number;
    if (byte === quote) token.inString = true;
    else if (byte === openObject || byte === openArray) {
      if (++token.depth > deepest) throw new JsonSliceError(`it is nested more than ${deepest} deep`);
    } else if ((byte === closeObject || byte === closeArray) && --token.depth === 0) return at;
  }
  return null;
}

/** Behind the closing quote of a string, of which `from` is inside. */
function stringEnd(bytes: Buffer, from: number, token: Token): number | null {
  let at = from;
  if (token.escaped) {
    at++;
    token.escaped = false;
  }
  for (;;) {
    const end = bytes.indexOf(quote, at);
    const slashesFrom = end === -1 ? bytes.length : end;
    let slashes = 0;
    while (slashesFrom - slashes > at && bytes[slashesFrom - slashes - 1] === backslash) slashes++;
    if (end === -1) {
      token.escaped = slashes % 2 === 1;
      return null;
    }
    if (slashes % 2 === 0) return end + 1;
    at = end + 1;
  }
}
