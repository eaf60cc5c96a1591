import {
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  visit,
  type Document,
  type YAMLError,
} from 'yaml';
import { RtcOpsError, reasonOf } from '../model/error.ts';
import { configOf, type Config } from './config.ts';
import { conflictsIn } from './constraints.ts';
import { configSchema } from './schema.ts';

type Path = readonly (string | number)[];

type Issue = NonNullable<ReturnType<typeof configSchema.safeParse>['error']>['issues'][number];

/** Something wrong in the file, and the offset of the character where it is. */
interface Complaint {
  readonly offset: number;
  /** `tls.cert`; empty for the file itself. */
  readonly key: string;
  readonly message: string;
}

/**
 * Reads the text of an rtc-ops.yaml. All that is wrong with it is said at once, each with `file:line:column`.
 * @throws RtcOpsError `configuration`
 */
export function parseConfig(text: string, file: string): Config {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, stringKeys: true });
  const problems = [...document.errors, ...document.warnings];
  if (problems.length > 0) throw configurationError(problems.map(syntaxComplaint), file, lines);
  const written = plainValue(document, file, lines);
  const result = configSchema.safeParse(written);
  if (!result.success) {
    const complaints = result.error.issues
      .flatMap(unfolded)
      .flatMap((issue) => complaintsOf(issue, document, written));
    throw configurationError(complaints, file, lines);
  }
  const config = configOf(result.data);
  const conflicts = conflictsIn(config);
  if (conflicts.length > 0) {
    const complaints = conflicts.map(({ path, message }) => complaintAt(document, path, message));
    throw configurationError(complaints, file, lines);
  }
  return config;
}

function plainValue(document: Document, file: string, lines: LineCounter): unknown {
  try {
    return document.toJS() ?? {};
  } catch (cause) {
    // Two things fail here: an alias of nothing, and aliases within aliases that grow without bound.
    throw configurationError(
      [{ offset: badAlias(document), key: '', message: reasonOf(cause) }],
      file,
      lines,
    );
  }
}

/** Where the first alias of nothing stands; the first character of all when there is none. */
function badAlias(document: Document): number {
  let offset = 0;
  visit(document, {
    Alias: (_, alias) => {
      if (alias.resolve(document)) return undefined;
      offset = alias.range?.[0] ?? 0;
      return visit.BREAK;
    },
  });
  return offset;
}

function configurationError(complaints: readonly Complaint[], file: string, lines: LineCounter): RtcOpsError {
  const messages = complaints
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ offset, key, message }) => {
      const { line, col } = lines.linePos(offset);
      return `${file}:${line}:${col} ${key === '' ? '' : `${key}: `}${message}`;
    });
  const unique = [...new Set(messages)];
  const heading = unique.length === 1 ? [] : [`${file} is wrong in ${unique.length} places:`];
  return new RtcOpsError('configuration', [...heading, ...unique].join('\n'));
}

const syntaxWords: ReadonlyMap<string, string> = new Map([
  ['DUPLICATE_KEY', 'stands here a second time'],
  ['MULTIPLE_DOCS', 'begins a second document (---); the configuration is one: keep one in the file'],
]);

function syntaxComplaint(error: YAMLError): Complaint {
  const message = syntaxWords.get(error.code) ?? `is not YAML: ${error.message}`;
  return { offset: error.pos[0], key: '', message };
}

/** Of a value that may be one of several things, the complaints about the one that it comes closest to. */
function unfolded(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const branches = issue.errors
    .map((issues) => issues.flatMap(unfolded))
    // What is wrong at the value itself is of another kind altogether.
    .filter((issues) => issues.every(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'))
    .toSorted((a, b) => a.length - b.length);
  const [best, second] = branches;
  if (!best || best.length === second?.length) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function complaintsOf(issue: Issue, document: Document, written: unknown): Complaint[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    const messages = issue.message.split('\n');
    return issue.keys.map((key, index) => ({
      ...complaintAt(document, path, messages[index] ?? ''),
      offset: keyOffset(document, path, key),
      key: keyText([...path, key]),
    }));
  }
  if (issue.code === 'invalid_key') {
    const [key = ''] = path.slice(-1).map(String);
    const offset = keyOffset(document, path.slice(0, -1), key);
    return [{ offset, key: keyText(path), message: issue.issues[0]?.message ?? issue.message }];
  }
  return [complaintAt(document, path, messageOf(issue, valueAt(written, path)))];
}

function messageOf(issue: Issue, value: unknown): string {
  if (value === undefined) return 'is missing';
  switch (issue.code) {
    case 'invalid_type':
      return value === null
        ? 'has no value'
        : `must be ${typeNames[issue.expected] ?? issue.expected}, not ${kindOf(value)}`;
    case 'invalid_value':
      return `must be ${issue.values.map(String).join(' or ')}`;
    case 'too_small':
      return issue.origin === 'number' ? `must be at least ${issue.minimum}` : 'must not be empty';
    case 'too_big':
      return `must be at most ${issue.maximum}`;
    default:
      return issue.message;
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map',
};

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'string':
      return 'text';
    case 'object':
      return 'a map';
    case 'boolean':
    case 'number':
      return String(value);
    default:
      return typeof value;
  }
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>((current, part) => {
    const entry = Object.entries(current ?? {}).find(([key]) => key === String(part));
    return entry?.[1];
  }, value);
}

/** At the value that `path` leads to, or the nearest one above it that is written. */
function complaintAt(document: Document, path: Path, message: string): Complaint {
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return { offset: node.range[0], key: keyText(path), message };
  }
  return { offset: 0, key: keyText(path), message };
}

function keyOffset(document: Document, path: Path, key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true);
  const pair = isMap(map)
    ? map.items.find((item) => isScalar(item.key) && item.key.value === key)
    : undefined;
  return isScalar(pair?.key) ? (pair.key.range?.[0] ?? 0) : 0;
}

/** `hosts[0].addresses` */
function keyText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}
