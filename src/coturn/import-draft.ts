import type { Written } from '../config/written-config.ts';
import type { Secret } from '../model/secret.ts';
import { isOn } from './directive.ts';
import type { ParsedDirective } from './parse.ts';

/** A line that rtc-ops.yaml does not have, or has in another way. */
export interface LeftOver {
  /** 1-based; null for what concerns the whole file. */
  readonly line: number | null;
  /** The option, or the key of rtc-ops.yaml. */
  readonly name: string;
  readonly because: string;
}

/** A secret that stood in the file, under the name of the file that is to hold it. */
export interface FoundSecretFile {
  readonly name: string;
  readonly secret: Secret;
}

/** What is being made of a turnserver.conf. */
export class ImportDraft {
  readonly written: Record<string, Written> = {};
  readonly secrets: FoundSecretFile[] = [];
  readonly left: LeftOver[] = [];
  readonly #directives: readonly ParsedDirective[];
  readonly #seen = new Set<ParsedDirective>();

  constructor(directives: readonly ParsedDirective[]) {
    this.#directives = directives;
  }

  /** Every line of that option, which then counts as dealt with. */
  all(name: string): ParsedDirective[] {
    const found = this.#directives.filter((each) => each.name === name);
    for (const each of found) this.#seen.add(each);
    return found;
  }

  /** The line that counts of an option that may stand once. */
  last(name: string): ParsedDirective | undefined {
    return this.all(name).at(-1);
  }

  text(name: string): string | null {
    const found = this.last(name);
    return found === undefined ? null : textOf(found);
  }

  /** A whole number above 0 as coturn reads it; null for 0, which means none, and where there is none. */
  number(name: string): number | null {
    // atoi() takes the digits and leaves the rest.
    const number = Number.parseInt(this.text(name) ?? '', 10);
    return number > 0 ? number : null;
  }

  isOn(name: string): boolean {
    this.all(name);
    return isOn(this.#directives, name);
  }

  leave({ line, name }: ParsedDirective, because: string): void {
    this.left.push({ line, name, because });
  }

  /** The lines that nobody has asked for. */
  rest(): ParsedDirective[] {
    return this.#directives.filter((each) => !this.#seen.has(each));
  }
}

export function textOf({ value }: ParsedDirective): string {
  return value === true ? '' : value;
}
