/**
 * One line of `turnserver.conf`: an option's name and its value. A flag has the value `true` and stands
 * as its bare name.
 */
export interface Directive {
  readonly name: string;
  readonly value: string | true;
}

/** The values of every directive called `name`, in order; a bare flag counts as the empty string. */
export function valuesOf(directives: readonly Directive[], name: string): string[] {
  return directives
    .filter((directive) => directive.name === name)
    .map(({ value }) => (value === true ? '' : value));
}

/** The value that counts for an option that may stand once: coturn lets the last line win. */
export function lastValueOf(directives: readonly Directive[], name: string): string | undefined {
  return valuesOf(directives, name).at(-1);
}

/** Whether coturn takes the flag `name` for switched on (`get_bool_value` of its mainrelay.c). */
export function isOn(directives: readonly Directive[], name: string): boolean {
  const value = lastValueOf(directives, name);
  return value !== undefined && /^(?:$|[1-9yt]|on$)/i.test(value);
}
