import { posix } from 'node:path';
import { parseSync, Visitor } from 'rolldown/utils';

/** A file of the project: its path from the root, with `/`, and its text. */
export interface TextFile {
  readonly path: string;
  readonly text: string;
}

/**
 * `static` binds values, `side-effect` binds nothing, `type` leaves nothing in the output; `re-export` is `export … from`,
 * `dynamic` is `import()`, and `require` is any way to CommonJS.
 */
export type ImportKind = 'static' | 'side-effect' | 'type' | 're-export' | 'dynamic' | 'require';

export interface Import {
  readonly kind: ImportKind;
  /** As written; null when it is computed. */
  readonly specifier: string | null;
  /** For a relative specifier, the path from the root; else null. */
  readonly target: string | null;
  /** For a package or a module of Node: its name, such as `chalk` or `node:fs`; else null. */
  readonly packageName: string | null;
  readonly line: number;
}

export interface ProcessUse {
  /** `env` of `process.env`; null when `process` is taken as a whole. */
  readonly member: string | null;
  readonly line: number;
}

/** What the rules of the house want to know of a TypeScript file. */
export interface SourceFile extends TextFile {
  readonly imports: readonly Import[];
  readonly processUses: readonly ProcessUse[];
  /** Lines that ask what time it is: `new Date()`, `Date.now()`. A clock that only measures is no such thing. */
  readonly timeReads: readonly number[];
  /** It exports something and has no statement of its own. */
  readonly isBarrel: boolean;
}

/** @throws Error when the text is not TypeScript */
export function parseSource({ path, text }: TextFile): SourceFile {
  const { program, errors } = parseSync(path, text);
  if (errors[0]) throw new Error(`${path}: ${errors[0].message}`);
  const lineAt = (offset: number): number => text.slice(0, offset).split('\n').length;

  const imports: Import[] = [];
  const add = (kind: ImportKind, specifier: string | null, offset: number): void => {
    const relative = specifier?.startsWith('.') === true;
    imports.push({
      kind,
      specifier,
      target: specifier !== null && relative ? posix.join(posix.dirname(path), specifier) : null,
      packageName: specifier === null || relative ? null : packageOf(specifier),
      line: lineAt(offset),
    });
  };

  const timeReads: number[] = [];
  const processUses: ProcessUse[] = [];
  // Where the identifier `process` stands as a part of something that was looked at already.
  const seen = new Set<number>();
  const use = (member: string | null, offset: number): void =>
    void processUses.push({ member, line: lineAt(offset) });

  new Visitor({
    ImportDeclaration(node) {
      const typeOnly =
        node.importKind === 'type' ||
        (node.specifiers.length > 0 &&
          node.specifiers.every((s) => s.type === 'ImportSpecifier' && s.importKind === 'type'));
      const bare = node.specifiers.length === 0 && !/^import\s*(?:type\s*)?\{/.test(text.slice(node.start));
      add(typeOnly ? 'type' : bare ? 'side-effect' : 'static', node.source.value, node.start);
    },
    ExportNamedDeclaration(node) {
      if (node.source) add(node.exportKind === 'type' ? 'type' : 're-export', node.source.value, node.start);
    },
    ExportAllDeclaration(node) {
      add(node.exportKind === 'type' ? 'type' : 're-export', node.source.value, node.start);
    },
    ImportExpression(node) {
      add('dynamic', literalOf(node.source), node.start);
    },
    TSImportType(node) {
      add('type', literalOf(node.source), node.start);
    },
    TSImportEqualsDeclaration(node) {
      if (node.moduleReference.type !== 'TSExternalModuleReference') return;
      add('require', literalOf(node.moduleReference.expression), node.start);
    },
    CallExpression(node) {
      const isRequire =
        (node.callee.type === 'Identifier' && node.callee.name === 'require') ||
        // createRequire(import.meta.url)('…')
        (node.callee.type === 'CallExpression' &&
          node.callee.callee.type === 'Identifier' &&
          node.callee.callee.name === 'createRequire');
      if (isRequire) add('require', literalOf(node.arguments[0]), node.start);
    },
    NewExpression(node) {
      const isDate = node.callee.type === 'Identifier' && node.callee.name === 'Date';
      if (isDate && node.arguments.length === 0) timeReads.push(lineAt(node.start));
    },
    MemberExpression(node) {
      const property = node.property.type === 'Identifier' && !node.computed ? node.property : null;
      if (property) seen.add(property.start);
      if (property?.name === 'now' && node.object.type === 'Identifier' && node.object.name === 'Date') {
        timeReads.push(lineAt(node.start));
      }
      if (
        property?.name === 'process' &&
        node.object.type === 'Identifier' &&
        node.object.name === 'globalThis'
      ) {
        use(null, node.start);
      }
      if (node.object.type !== 'Identifier' || node.object.name !== 'process') return;
      seen.add(node.object.start);
      use(property?.name ?? literalOf(node.property), node.start);
    },
    Property(node) {
      if (!node.computed && !node.shorthand) seen.add(node.key.start);
    },
    Identifier(node) {
      if (node.name === 'process' && !seen.has(node.start)) use(null, node.start);
    },
  }).visit(program);

  const isBarrel =
    program.body.some((statement) => statement.type.startsWith('Export')) &&
    program.body.every(
      (statement) =>
        statement.type === 'ImportDeclaration' ||
        statement.type === 'ExportAllDeclaration' ||
        (statement.type === 'ExportNamedDeclaration' && statement.declaration === null),
    );
  return { path, text, imports, processUses, timeReads, isBarrel };
}

function literalOf(node: { type: string; value?: unknown } | undefined): string | null {
  return node?.type === 'Literal' && typeof node.value === 'string' ? node.value : null;
}

/** `node:fs` of `node:fs/promises`, `zod` of `zod/v4`, `@types/node` of `@types/node/fs`. */
function packageOf(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
}
