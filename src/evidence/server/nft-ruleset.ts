import type { Family } from '../../model/endpoint.ts';
import type {
  FilterAction,
  FilterChain,
  FilterMatch,
  FilterRule,
  FilterTable,
} from '../../model/packet-filter.ts';
import { matchOf, type NamedSets } from './nft-match.ts';

/** What `nft -j list ruleset` prints (libnftables-json(5)), as far as it is looked at. */
type Json = Readonly<Record<string, unknown>>;

/**
 * The tables of a ruleset.
 * @param json what `nft -j list ruleset` printed
 * @param listing what `nft -a list ruleset` printed at the same time: the text of each rule
 * @param saved what `iptables-nft-save` says of it: the rules of iptables in full, of which nft shows many a match by its
 *   name alone. It misreads every other rule, so it is asked for these alone.
 */
export function parseNftRuleset(
  json: string,
  listing: string,
  saved: readonly FilterTable[] = [],
): FilterTable[] {
  const objects = ((JSON.parse(json) as Json)['nftables'] ?? []) as readonly Json[];
  const of = (kind: string): Json[] => objects.flatMap((each) => (kind in each ? [each[kind] as Json] : []));
  const texts = textsOf(listing);
  return of('table').flatMap((table) => {
    const families = familiesOf(String(table['family']));
    if (families.length === 0) return [];
    const belongs = (each: Json): boolean =>
      each['family'] === table['family'] && each['table'] === table['name'];
    const sets: NamedSets = new Map(
      [...of('set').filter(belongs), ...of('map').filter(belongs)].map((each) => [
        String(each['name']),
        each['elem'] ?? [],
      ]),
    );
    const name = `${String(table['family'])} ${String(table['name'])}`;
    const rules = of('rule').filter(belongs);
    const chains = of('chain')
      .filter(belongs)
      .map((chain): FilterChain => {
        const own = rules.filter((rule) => rule['chain'] === chain['name']);
        const textOf = ({ handle }: Json): string => texts.rules.get(`${name} ${String(handle)}`) ?? 'a rule';
        const plain = {
          name: String(chain['name']),
          base: baseOf(chain),
          rules: own.flatMap((rule, index) => {
            const known = isOfIptables(rule) ? savedRule(saved, name, rule, { index, of: own.length }) : null;
            return known === null ? rulesOf(rule, sets, textOf(rule)) : [known];
          }),
        };
        const devices = texts.devices.get(`${name} ${plain.name}`);
        return plain.base?.hook === 'ingress' ? onDevices(plain, devices ?? null) : plain;
      });
    return [{ name, tool: toolOf(name, chains), families, chains }];
  });
}

// What nft calls the tables of iptables-nft, and the chains that are hooked in there.
const iptablesTable = /^ip6? (?:raw|mangle|nat|filter|security)$/;
const builtInChain = /^(?:PREROUTING|INPUT|OUTPUT)$/;

function toolOf(table: string, chains: readonly FilterChain[]): FilterTable['tool'] {
  const isIptables =
    iptablesTable.test(table) && chains.every(({ base, name }) => base === null || builtInChain.test(name));
  if (!isIptables) return 'nft';
  return table.startsWith('ip6 ') ? 'ip6tables' : 'iptables';
}

/** Only iptables makes rules with a match or a target of its own. */
function isOfIptables({ expr }: Json): boolean {
  return ((expr ?? []) as readonly Json[]).some((statement) => 'xt' in statement);
}

/** The same rule as iptables-save has it: that of the same place in the same chain, if both have as many. */
function savedRule(
  saved: readonly FilterTable[],
  table: string,
  { chain }: Json,
  place: { readonly index: number; readonly of: number },
): FilterRule | null {
  const own = saved.find(({ name }) => name === table)?.chains.find(({ name }) => name === chain);
  return own?.rules.length === place.of ? (own.rules[place.index] ?? null) : null;
}

function familiesOf(family: string): Family[] {
  return (
    { ip: [4 as const], ip6: [6 as const], inet: [4 as const, 6 as const], netdev: [4 as const, 6 as const] }[
      family
    ] ?? []
  );
}

const hooks = ['ingress', 'prerouting', 'input', 'output'] as const;

function baseOf({ hook, type, prio, policy }: Json): FilterChain['base'] {
  const known = hooks.find((each) => each === hook);
  if (known === undefined) return null;
  return {
    hook: known,
    type: String(type),
    priority: Number(prio),
    policy: policy === 'drop' ? 'drop' : 'accept',
  };
}

/** A chain that is hooked into some interfaces alone: nothing of it, its policy neither, is for packets of others. */
function onDevices({ name, base, rules }: FilterChain, names: readonly string[] | null): FilterChain {
  const there: FilterMatch =
    names === null
      ? { kind: 'unknown', what: 'the interface', negated: false }
      : { kind: 'interface', end: 'in', names, negated: false };
  const own = rules.map((rule) => ({ ...rule, matches: [there, ...rule.matches] }));
  if (base?.policy !== 'drop') return { name, base, rules: own };
  const policy = { text: 'policy drop', matches: [there], action: { kind: 'drop' } } as const;
  return { name, base: { ...base, policy: 'accept' }, rules: [...own, policy] };
}

interface Texts {
  /** By `FAMILY TABLE HANDLE`. */
  readonly rules: ReadonlyMap<string, string>;
  /** The interfaces of chains that are hooked into some alone, by `FAMILY TABLE CHAIN`; nft 1.0.6 leaves them out of its JSON. */
  readonly devices: ReadonlyMap<string, readonly string[]>;
}

// They differ from one look to the next, and say nothing of the rule.
const counts = / counter packets \d+ bytes \d+/;

function textsOf(listing: string): Texts {
  const rules = new Map<string, string>();
  const devices = new Map<string, readonly string[]>();
  let [table, chain] = ['', ''];
  for (const line of listing.split('\n')) {
    table = /^table (\S+ \S+) \{/.exec(line)?.[1] ?? table;
    chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain;
    const [, named] = /^\t\ttype \S+ hook \S+ devices?(?: =)? (.*?) priority /.exec(line) ?? [];
    if (named !== undefined) {
      const names = [...named.matchAll(/[^\s"{},]+/g)].map(([name]) => name);
      devices.set(`${table} ${chain}`, names);
    }
    const [, text, handle] = /^\t\t(.*) # handle (\d+)$/.exec(line) ?? [];
    if (text !== undefined) rules.set(`${table} ${handle}`, text.replace(counts, ' counter'));
  }
  return { rules, devices };
}

/** A rule; one for each element where it ends with a map of verdicts, and the way on where none of them fits. */
function rulesOf(rule: Json, sets: NamedSets, text: string): FilterRule[] {
  const matches: FilterMatch[] = [];
  for (const statement of (rule['expr'] ?? []) as readonly Json[]) {
    const [[kind, value] = ['', null]] = Object.entries(statement);
    if (kind === 'vmap') return mapRules(value as Json, sets, matches, text);
    const action = actionOf(kind, value);
    if (action !== null) return [{ text, matches: [...matches, ...familyOfTranslation(value)], action }];
    matches.push(...conditionsOf(kind, value, sets));
  }
  return [{ text, matches, action: { kind: 'none' } }];
}

/** `dnat ip to …` in a table of both families is for one of them. */
function familyOfTranslation(value: unknown): FilterMatch[] {
  const family = (value as Json | null)?.['family'];
  if (family !== 'ip' && family !== 'ip6') return [];
  return [{ kind: 'family', family: family === 'ip' ? 4 : 6, negated: false }];
}

function mapRules(
  { key, data }: Json,
  sets: NamedSets,
  before: readonly FilterMatch[],
  text: string,
): FilterRule[] {
  const named = typeof data === 'string' ? sets.get(data.slice(1)) : (data as Json)['set'];
  const elements = (Array.isArray(named) ? named : []) as readonly unknown[];
  return elements.flatMap((element) => {
    const [value, verdict] = element as [unknown, Json];
    const [[kind, argument] = ['', null]] = Object.entries(verdict);
    const action = actionOf(kind, argument) ?? { kind: 'unknown', what: kind };
    return [{ text, matches: [...before, ...matchOf('==', key, withoutState(value), sets)], action }];
  });
}

/** An element of a set can carry a counter or a timeout: `{"elem": {"val": …}}`. */
function withoutState(value: unknown): unknown {
  return typeof value === 'object' && value !== null && 'elem' in value
    ? (value as { elem: { val: unknown } }).elem.val
    : value;
}

/** What a statement does with the packet; null when it is a condition, or only notes something. */
function actionOf(kind: string, value: unknown): FilterAction | null {
  const target = (value as Json | null)?.['target'];
  switch (kind) {
    case 'accept':
    case 'drop':
    case 'return':
      return { kind };
    case 'reject':
      return { kind: 'drop' };
    case 'jump':
    case 'goto':
      return { kind, chain: String(target) };
    case 'notrack':
      return { kind: 'untrack' };
    case 'dnat':
    case 'redirect':
      return { kind: 'redirect', to: destinationOf(value) };
    case 'queue':
    case 'tproxy':
    case 'synproxy':
    case 'fwd':
      return { kind: 'unknown', what: kind };
    case 'xt':
      return xtAction(value as Json);
    default:
      return null;
  }
}

/** A target of iptables. What follows it in a rule of iptables is nothing. */
function xtAction({ type, name }: Json): FilterAction | null {
  if (type !== 'target') return null;
  if (name === 'REJECT') return { kind: 'drop' };
  if (name === 'LOG' || name === 'NFLOG') return { kind: 'none' };
  return { kind: 'unknown', what: `the target ${String(name)}` };
}

function destinationOf(value: unknown): string {
  const { addr, port } = (value ?? {}) as Json;
  const shown = (each: unknown): string => (typeof each === 'string' ? each : JSON.stringify(each));
  if (addr === undefined) return port === undefined ? 'another port' : `port ${shown(port)}`;
  return port === undefined ? shown(addr) : `${shown(addr)} port ${shown(port)}`;
}

// They note something, and the packet goes on.
const silent: ReadonlySet<string> = new Set([
  ...['counter', 'log', 'mangle', 'set', 'map', 'comment', 'last', 'dup', 'flow', 'secmark', 'ct helper'],
  ...['ct timeout', 'ct expectation', 'reset', 'tunnel', 'masquerade', 'snat'],
]);

function conditionsOf(kind: string, value: unknown, sets: NamedSets): FilterMatch[] {
  // An element of a set can hold a rate or a count of its own, and the rule with it.
  if (kind === 'set' && (value as Json)['stmt'] !== undefined)
    return [{ kind: 'unknown', what: 'a set that counts', negated: false }];
  if (silent.has(kind)) return [];
  if (kind === 'match') {
    const { op, left, right } = value as Json;
    return matchOf(String(op), left, right, sets);
  }
  const name = kind === 'xt' ? `the match ${String((value as Json)['name'])}` : kind;
  if (name === 'the match comment') return [];
  return [{ kind: 'unknown', what: name, negated: false }];
}
