import { StringDecoder } from 'node:string_decoder';
import type { Readable } from 'node:stream';

// A verbose coturn writes some 1 KiB per allocation; this holds the start and thousands of calls.
const maxLength = 4 * 2 ** 20;

// coturn marks errors in every version, but warnings only from 4.6.2 on: before, the words are all there is.
const complaint =
  /WARNING|ERROR|ALERT|\bdeprecated\b|Bad configuration|Check config|NO EXPLICIT|Wrong|[Cc]annot|[Cc]an't|[Ff]ailed|[Ff]ailure|[Ii]nvalid|not valid|Unknown|Trying to bind|errno/;

/** Collects what a coturn logs on its output streams. */
export class ServerLog {
  #text = '';
  readonly #watchers = new Set<() => void>();

  constructor(streams: readonly (Readable | null | undefined)[]) {
    for (const stream of streams) {
      const decoder = new StringDecoder('utf8');
      stream?.on('data', (chunk: Buffer) => this.#add(decoder.write(chunk)));
    }
  }

  #add(text: string): void {
    this.#text = (this.#text + text).slice(-maxLength);
    for (const watcher of this.#watchers) watcher();
  }

  text(): string {
    return this.#text;
  }

  /** The last lines that say something. */
  tail(count: number): string[] {
    return this.#lines().slice(-count);
  }

  warnings(): string[] {
    return this.#lines().filter((line) => complaint.test(line));
  }

  /** Waits for a line that matches; never settles when none comes before `signal` is aborted. */
  untilLine(pattern: RegExp, signal: AbortSignal): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.#text);
        if (match) resolve(match);
      };
      this.#watchers.add(look);
      signal.addEventListener('abort', () => this.#watchers.delete(look), { once: true });
      look();
    });
  }

  #lines(): string[] {
    return this.#text.split('\n').filter((line) => !/^\s*(?:\d+: : ?)?\s*$/.test(line));
  }
}
