import { JsonSliceError } from '../json-slices.ts';

/** What a reader could not tell, in the words of a report. */
export class Omissions {
  readonly #texts = new Set<string>();
  #isDamaged = false;

  /** What was never in it, or is more than is kept. */
  note(text: string): void {
    this.#texts.add(text);
  }

  /** What was not read, and may hold anything. */
  unread(text: string): void {
    this.#texts.add(text);
    this.#isDamaged = true;
  }

  /** Takes the error of a document that ends early or is none; throws any other. */
  damage(error: unknown): void {
    if (!(error instanceof JsonSliceError) && !(error instanceof SyntaxError)) throw error;
    const why = error instanceof JsonSliceError ? error.message : 'a value in it is no JSON';
    this.unread(`the file is damaged: ${why}; what follows is not known`);
  }

  facts(): { readonly missing: readonly string[]; readonly isDamaged: boolean } {
    return { missing: [...this.#texts], isDamaged: this.#isDamaged };
  }
}
