import type { Secret } from '../model/secret.ts';

/**
 * One line of `turnserver.conf`: an option's name and its value. A flag has the value `true` and stands
 * as its bare name.
 */
export interface Directive {
  readonly name: string;
  readonly value: string | true | Secret;
}

export function flag(name: string): Directive {
  return { name, value: true };
}

export function option(name: string, value: string | Secret): Directive {
  return { name, value };
}

/** A directive as it was read from a file, where a secret is text like any other. */
export interface PlainDirective extends Directive {
  readonly value: string | true;
}

/** Directives that belong together, under a comment that says what for. */
export interface Section {
  readonly title: string;
  readonly directives: readonly Directive[];
}

/** The values of every directive called `name`, in order; a bare flag counts as the empty string. */
export function valuesOf(directives: readonly PlainDirective[], name: string): string[] {
  return directives
    .filter((directive) => directive.name === name)
    .map(({ value }) => (value === true ? '' : value));
}

/** The value that counts for an option that may stand once: coturn lets the last line win. */
export function lastValueOf(directives: readonly PlainDirective[], name: string): string | undefined {
  return valuesOf(directives, name).at(-1);
}

/** Whether coturn takes the flag `name` for switched on (`get_bool_value` of its mainrelay.c). */
export function isOn(directives: readonly PlainDirective[], name: string): boolean {
  const value = lastValueOf(directives, name);
  return value !== undefined && /^(?:$|[1-9yt]|on$)/i.test(value);
}
