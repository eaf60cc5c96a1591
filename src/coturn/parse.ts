import type { PlainDirective } from './directive.ts';

/** A directive and where it stands: 1-based line, 1-based columns of its name and its value. */
export interface ParsedDirective extends PlainDirective {
  readonly line: number;
  readonly column: number;
  readonly valueColumn: number;
}

// What isspace() takes for white space in the C locale.
const whiteSpace = ' \t\n\v\f\r';
const separators = ' =\t';

/**
 * Reads a `turnserver.conf` as coturn reads it (`read_config_file` and `parse_arg_string` of its mainrelay.c,
 * the same from 4.5.2 to 4.17): no inline comments; blanks around a line are dropped; the name ends at the
 * first blank, tab or `=`, and the value begins after all of them; one pair of double quotes around the value
 * goes. Names are not checked: an unknown one is kept, as coturn only warns about it. A line over 1023 bytes, which
 * coturn cuts in two, is kept whole.
 */
export function parseDirectives(text: string): ParsedDirective[] {
  const directives: ParsedDirective[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const start = skip(line, 0, whiteSpace);
    if (start === line.length || line[start] === '#') continue;
    directives.push(parseLine(line, start, index + 1));
  }
  return directives;
}

function parseLine(line: string, start: number, lineNumber: number): ParsedDirective {
  const end = trimmedLength(line, whiteSpace);
  let nameEnd = start;
  while (nameEnd < end && !separators.includes(line.charAt(nameEnd))) nameEnd++;
  const valueStart = Math.min(skip(line, nameEnd, separators), end);
  const value = unquoted(line.slice(valueStart, end));
  return {
    name: line.slice(start, nameEnd),
    value: nameEnd === end ? true : value,
    line: lineNumber,
    column: start + 1,
    valueColumn: valueStart + 1,
  };
}

/** coturn drops a closing quote only behind an opening one, and an opening one even without the other. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  const rest = value.slice(1);
  return rest.endsWith('"') ? rest.slice(0, -1) : rest;
}

function skip(text: string, from: number, characters: string): number {
  let index = from;
  while (index < text.length && characters.includes(text.charAt(index))) index++;
  return index;
}

function trimmedLength(text: string, characters: string): number {
  let length = text.length;
  while (length > 0 && characters.includes(text.charAt(length - 1))) length--;
  return length;
}
