import type { ByteSource } from './byte-source.ts';

/** Takes back what a reader has read, and is not its own. */
export type GiveBack = (bytes: Buffer) => void;

/** The bytes of a source, of which one reader after the other takes its part: people put files behind one another. */
export class PartSource {
  readonly #source: ByteSource;
  readonly #iterator: AsyncIterator<Buffer>;
  readonly #next: Buffer[] = [];
  #isDone = false;

  constructor(source: ByteSource) {
    this.#source = source;
    this.#iterator = source.chunks[Symbol.asyncIterator]();
  }

  /** The next bytes, which stay there: as many as are asked for, or all that there are. */
  async head(bytes: number): Promise<Buffer> {
    while (this.#next.reduce((sum, { length }) => sum + length, 0) < bytes) {
      const chunk = await this.#read();
      if (chunk === null) break;
      this.#next.push(chunk);
    }
    const head = Buffer.concat(this.#next);
    if (head.length > 0) this.#next.splice(0, Infinity, head);
    return head;
  }

  skip(bytes: number): void {
    const [first, ...others] = this.#next;
    if (first !== undefined && bytes > 0) this.#next.splice(0, Infinity, first.subarray(bytes), ...others);
  }

  /** From here to the end, or to what its reader gives back. */
  part(): ByteSource & { readonly giveBack: GiveBack } {
    const chunks = async function* chunks(this: PartSource): AsyncGenerator<Buffer> {
      for (let next = await this.#take(); next !== null; next = await this.#take()) yield next;
    };
    return {
      chunks: chunks.call(this),
      cutShort: () => (this.#isDone && this.#next.length === 0 ? this.#source.cutShort() : null),
      giveBack: (bytes) => this.#next.unshift(bytes),
    };
  }

  async close(): Promise<void> {
    await this.#iterator.return?.();
  }

  async #take(): Promise<Buffer | null> {
    return this.#next.shift() ?? this.#read();
  }

  async #read(): Promise<Buffer | null> {
    const { done, value } = await this.#iterator.next();
    if (done !== true) return value;
    this.#isDone = true;
    return null;
  }
}
