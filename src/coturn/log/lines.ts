import { StringDecoder } from 'node:string_decoder';
import type { LogLine } from './assembly.ts';

// coturn cuts its messages at 1 KiB; prefixes, and what JSON makes of control characters, come on top.
const longestLine = 16_384;

/** Cuts a stream of bytes into lines, with a limit to what it holds of one. Takes LF, CR LF, and a last line without either. */
export class LineSplitter {
  readonly #decoder = new StringDecoder('utf8');
  readonly #take: (line: LogLine) => boolean;
  #rest = '';
  #isCut = false;

  /** `take` says whether the line was its own: with the first that is not, it ends. */
  constructor(take: (line: LogLine) => boolean) {
    this.#take = take;
  }

  /** What follows the last line that was taken, once one was not; null otherwise. */
  push(chunk: Buffer): Buffer | null {
    const text = this.#rest + this.#decoder.write(chunk);
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      if (!this.#emit(text, start, end)) return this.#giveBack(text.slice(start));
      start = end + 1;
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > longestLine) {
      this.#isCut = true;
      this.#rest = this.#rest.slice(0, longestLine);
    }
    return null;
  }

  #giveBack(text: string): Buffer {
    this.#rest = '';
    return Buffer.from(text + this.#decoder.end());
  }

  end(): void {
    this.#rest += this.#decoder.end();
    if (this.#rest !== '') this.#emit(this.#rest, 0, this.#rest.length);
    this.#rest = '';
  }

  #emit(text: string, start: number, end: number): boolean {
    const last = end > start && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end;
    const isCut = this.#isCut || last - start > longestLine;
    this.#isCut = false;
    return this.#take({ text: text.slice(start, Math.min(last, start + longestLine)), isCut });
  }
}
