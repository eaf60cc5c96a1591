import type { Written } from '../config/written-config.ts';
import { Secret } from '../model/secret.ts';
import { isOn } from './directive.ts';
import { alwaysOn } from './lint/source.ts';
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
  readonly #overruled = new Set<ParsedDirective>();
  readonly #stem: string;

  /** `stem` is what the names of the files with its secrets begin with. */
  constructor(directives: readonly ParsedDirective[], stem: string) {
    this.#directives = directives;
    this.#stem = stem;
  }

  /** Every line of that option, which then counts as dealt with. */
  all(name: string): ParsedDirective[] {
    const found = this.#directives.filter((each) => each.name === name);
    for (const each of found) this.#seen.add(each);
    return found;
  }

  /** The line that counts of an option that may stand once. */
  last(name: string): ParsedDirective | undefined {
    const lines = this.all(name);
    const last = lines.at(-1);
    if (last !== undefined) this.overrule(lines, last, (each) => textOf(each) === textOf(last));
    return last;
  }

  text(name: string): string | null {
    const found = this.last(name);
    return found === undefined ? null : textOf(found);
  }

  /** A limit; null for 0, which means none, and where there is none. */
  limit(name: string): number | null {
    const found = this.last(name);
    if (found === undefined || textOf(found) === '0') return null;
    return this.#number(found, 'it is no whole number above 0, and limits nothing');
  }

  /** A port; null where there is none. `otherwise` counts then. */
  port(name: string, otherwise: number): number | null {
    const found = this.last(name);
    if (found === undefined) return null;
    const because = `it is no port from 1 to 65535; it is ${otherwise} from here on`;
    const port = this.#number(found, because);
    if (port === null || port <= 65_535) return port;
    this.leave(found, because);
    return null;
  }

  /** A whole number above 0 as coturn reads it: atoi() takes the digits and leaves the rest. */
  #number(directive: ParsedDirective, otherwise: string): number | null {
    const text = textOf(directive);
    const number = Number.parseInt(text, 10);
    if (!(number > 0)) {
      this.leave(directive, otherwise);
      return null;
    }
    if (!/^\d+$/.test(text)) this.leave(directive, `coturn reads it as ${number}, and that it is now`);
    return number;
  }

  isOn(name: string): boolean {
    const lines = this.all(name);
    const last = lines.at(-1);
    if (last === undefined || alwaysOn.has(name)) return last !== undefined;
    const on = isOn([last], name);
    this.overrule(lines, last, (each) => isOn([each], name) === on);
    return on;
  }

  /** Lists lines that another one overrules, but for those that say the same. */
  overrule(
    lines: readonly ParsedDirective[],
    last: ParsedDirective,
    isSame: (line: ParsedDirective) => boolean,
  ): void {
    for (const each of lines) {
      if (each === last || isSame(each) || this.#overruled.has(each)) continue;
      this.#overruled.add(each);
      this.leave(each, `line ${last.line} overrules it`);
    }
  }

  /** The place of a secret of the file, in one of its own. */
  keep(name: string, secret: string): { readonly file: string } {
    const file = `${this.#stem}.${name}`;
    this.secrets.push({ name: file, secret: new Secret(secret) });
    return { file };
  }

  /** The line of an option that stands once; null for any other. */
  onlyLineOf(...names: readonly string[]): number | null {
    const [only, ...more] = this.#directives.filter(({ name }) => names.includes(name));
    return only === undefined || more.length > 0 ? null : only.line;
  }

  leave({ line, name }: ParsedDirective, because: string): void {
    this.left.push({ line, name, because });
  }

  /** Every line, asked for or not. */
  lines(): readonly ParsedDirective[] {
    return this.#directives;
  }

  /** The lines that nobody has asked for. */
  rest(): ParsedDirective[] {
    return this.#directives.filter((each) => !this.#seen.has(each));
  }
}

export function textOf({ value }: ParsedDirective): string {
  return value === true ? '' : value;
}
