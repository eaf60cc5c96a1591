import { inspect } from 'node:util';

const redacted = '[redacted]';

/**
 * A value that must not be printed. Every accidental way out (string conversion, JSON, `console.log`,
 * template strings) gives `[redacted]`; `reveal()` is the one deliberate way.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
