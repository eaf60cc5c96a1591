import { createRequire } from 'node:module';
import { Language, Parser, type Node } from 'web-tree-sitter';

/** A program as its grammar sees it. */
export interface ReadSource {
  readonly hasError: boolean;
  /** The values of the string literals, in order; null for one that has a part to be computed. */
  readonly strings: readonly (string | null)[];
}

const { resolve } = createRequire(import.meta.url);

const stringNodes = ['string_literal', 'line_string_literal', 'string'];
const interpolations = /interpolat|template_substitution|interpolated/;

/** A reader of the grammar of tree-sitter for a language, which stands in for a compiler that is not here. */
export async function sourceReader(
  language: 'dart' | 'swift' | 'kotlin' | 'lua',
): Promise<(text: string) => ReadSource> {
  await Parser.init();
  const parser = new Parser();
  parser.setLanguage(await Language.load(resolve(`tree-sitter-wasms/out/tree-sitter-${language}.wasm`)));
  return (text) => {
    const tree = parser.parse(text);
    if (tree === null) throw new Error('the parser gave nothing');
    const { rootNode } = tree;
    const strings = stringNodes
      .flatMap((type) => rootNode.descendantsOfType(type))
      .filter((node) => node !== null)
      .toSorted((a, b) => a.startIndex - b.startIndex)
      .map(valueOf);
    const read = { hasError: rootNode.hasError, strings };
    tree.delete();
    return read;
  };
}

function valueOf(node: Node): string | null {
  if (partsOf(node).some(({ type }) => interpolations.test(type))) return null;
  // Of the escapes of these languages, those of one sign that stands for itself are all that a value should need.
  return node.text.slice(1, -1).replaceAll(/\\([\\'"$])/g, '$1');
}

function partsOf(node: Node): Node[] {
  return node.children.flatMap((child) => (child === null ? [] : [child, ...partsOf(child)]));
}
