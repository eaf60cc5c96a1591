import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import { configOfHost, type Config, type Host } from './config.ts';
import type { SecretSource } from './secret-source.ts';
import { hostSettingNames } from './defaults.ts';
import { portsText, writtenConfig, type Written } from './written-config.ts';

/** Where a value comes from. */
export type Origin =
  | { readonly kind: 'file'; readonly line: number; readonly column: number }
  | { readonly kind: 'default' }
  /** It follows from what another key says. */
  | { readonly kind: 'derived'; readonly from: string };

/** A value that counts, by its key in rtc-ops.yaml. */
export interface EffectiveValue {
  /** `listen.udp`, `hosts[0].addresses` */
  readonly key: string;
  /** Null for a secret, of which the source alone is told. */
  readonly value: Written | null;
  readonly origin: Origin;
  readonly secret: SecretSource | null;
}

type Path = readonly (string | number)[];

/**
 * All values of a config that was read from `text`, each with where it comes from. With a host, those that count for it;
 * without, those that all share, and those of each host beside them.
 */
export function effectiveValues(text: string, config: Config, host: Host | null): EffectiveValue[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, stringKeys: true });
  const index = host === null ? null : config.hosts.indexOf(host);
  const counting = host === null ? config : configOfHost(config, host);
  const written = writtenConfig(counting);
  const { addresses, ports, users } = counting.relay;
  const relay = { addresses: [...addresses], ports: portsText(ports), ...(users !== null && { users }) };
  return leavesOf([], config.provider === null ? { ...written, relay } : written)
    .filter(({ path }) => index === null || !isElsewhere(path, index))
    .map(({ path, value, secret }) => {
      const node = nodeAt(document, index, path);
      const origin = node === null ? withoutNode(path, document, index) : placeOf(node, lines);
      return { key: keyOf(path), value: secret === null ? value : null, secret, origin };
    })
    .filter(({ key, origin }) => !isInherited(key, origin));
}

/** What a host takes over is told where it stands for all. */
function isInherited(key: string, origin: Origin): boolean {
  return key.startsWith('hosts[') && origin.kind === 'default';
}

/** What another host says, or this one of its settings: those are told as what counts. */
function isElsewhere([section, host, key]: Path, index: number): boolean {
  return section === 'hosts' && (host !== index || hostSettingNames.some((name) => name === key));
}

interface Leaf {
  readonly path: Path;
  readonly value: Written;
  readonly secret: SecretSource | null;
}

/** A list is one value, unless maps are in it. */
function leavesOf(path: Path, value: Written): Leaf[] {
  const secret = secretSourceOf(value);
  if (secret !== null) return [{ path, value, secret }];
  if (Array.isArray(value)) {
    const isOfMaps = value.some((each) => typeof each === 'object' && !Array.isArray(each));
    return isOfMaps
      ? value.flatMap((each: Written, index) => leavesOf([...path, index], each))
      : [{ path, value, secret: null }];
  }
  if (typeof value !== 'object') return [{ path, value, secret: null }];
  return Object.entries(value).flatMap(([key, each]) => leavesOf([...path, key], each));
}

function secretSourceOf(value: Written): SecretSource | null {
  if (typeof value !== 'object' || Array.isArray(value)) return null;
  const [[key, name] = ['', ''], ...more] = Object.entries(value);
  if (more.length > 0 || typeof name !== 'string') return null;
  return key === 'file' ? { file: name } : key === 'env' ? { env: name } : null;
}

/** Where a value is written: in the host when it says so, else beside the hosts. */
function nodeAt(document: Document, host: number | null, path: Path): Node | null {
  if (host === null) return descend(document, path);
  const own = descend(document, ['hosts', host, ...path]);
  if (own !== null) return own;
  const replaced = [keyOf(path), ...path.slice(0, 1)].flatMap((key) => rivals[key] ?? []);
  const isReplaced = replaced.some((each) => descend(document, ['hosts', host, ...each.split('.')]) !== null);
  return isReplaced ? null : descend(document, path);
}

/** What a host says as a whole, or by another key, in place of what stands beside. */
const rivals: Readonly<Record<string, readonly string[]>> = {
  tls: ['tls'],
  prometheus: ['prometheus'],
  'relay.ports': ['relay.users'],
  'relay.users': ['relay.ports'],
};

function descend(document: Document, path: Path): Node | null {
  let node: Node | null = document.contents;
  for (const [depth, part] of path.entries()) {
    const target: Node | null = isAlias(node) ? (node.resolve(document) ?? null) : node;
    // A host that is no more than its name; a single secret in place of a list.
    if (isScalar(target) && part === 'name' && depth === path.length - 1) return target;
    if (isMap(target) && part === 0) continue;
    const next: unknown = isMap(target) || isSeq(target) ? target.get(part, true) : undefined;
    if (!isNodeOf(next)) return null;
    node = next;
  }
  return node;
}

function isNodeOf(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function placeOf({ range }: Node, lines: LineCounter): Origin {
  const { line, col } = lines.linePos(range?.[0] ?? 0);
  return { kind: 'file', line, column: col };
}

/** What stands nowhere counts by default, or because of another key. */
const sources: Readonly<Record<string, string>> = {
  'relay.ports': 'relay.users',
  'listen.tls': 'tls',
  'auth.method': 'auth.users',
};

function withoutNode(path: Path, document: Document, host: number | null): Origin {
  const [section, index, ...own] = path;
  if (section === 'hosts' && keyOf(own) === 'ssh.address')
    return { kind: 'derived', from: `hosts[${index}].name` };
  const from = sources[keyOf(path)];
  if (from === undefined || nodeAt(document, host, from.split('.')) === null) return { kind: 'default' };
  return { kind: 'derived', from };
}

/** `hosts[0].addresses` */
function keyOf(path: Path): string {
  return path.reduce<string>(
    (key, part) => (typeof part === 'number' ? `${key}[${part}]` : key === '' ? part : `${key}.${part}`),
    '',
  );
}
