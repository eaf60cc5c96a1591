import type { PlainDirective } from './directive.ts';
import { maxLineBytes } from './serialise.ts';

/** A directive and where it stands: 1-based line, 1-based columns of its name and its value. */
export interface ParsedDirective extends PlainDirective {
  readonly line: number;
  readonly column: number;
  readonly valueColumn: number;
  /** It stands where coturn goes on with a line that it has cut, be it a comment. */
  readonly isRest?: true;
}

// What isspace() takes for white space in the C locale.
const whiteSpace = ' \t\n\v\f\r';
const separators = ' =\t';

/**
 * Reads a `turnserver.conf` as coturn reads it (`read_config_file` and `parse_arg_string` of its mainrelay.c,
 * the same from 4.5.2 to 4.17): no inline comments; blanks around a line are dropped; the name ends at the
 * first blank, tab or `=`, and the value begins after all of them; one pair of double quotes around the value
 * goes; after 1023 bytes another line begins, whatever it was. Names are not checked: an unknown one is kept, as coturn
 * only warns about it.
 */
export function parseDirectives(text: string): ParsedDirective[] {
  const directives: ParsedDirective[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    for (const { piece, offset } of piecesOf(line)) {
      const start = skip(piece, 0, whiteSpace);
      if (start === piece.length || piece[start] === '#') continue;
      const directive = parseLine(piece, start, index + 1);
      directives.push(offset === 0 ? directive : moved(directive, offset));
    }
  }
  return directives;
}

/** What fgets() of coturn makes of a line: pieces of 1023 bytes. `offset` is in characters. */
export function piecesOf(line: string): { piece: string; offset: number }[] {
  // No character has more than three bytes for each of its UTF-16 units.
  if (line.length * 3 <= maxLineBytes) return [{ piece: line, offset: 0 }];
  const bytes = Buffer.from(line);
  const pieces: { piece: string; offset: number }[] = [];
  let offset = 0;
  for (let from = 0; from === 0 || from < bytes.length; from += maxLineBytes) {
    const piece = bytes.toString('utf8', from, from + maxLineBytes);
    pieces.push({ piece, offset });
    offset += piece.length;
  }
  return pieces;
}

function moved(directive: ParsedDirective, offset: number): ParsedDirective {
  const { column, valueColumn } = directive;
  return { ...directive, column: column + offset, valueColumn: valueColumn + offset, isRest: true };
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
