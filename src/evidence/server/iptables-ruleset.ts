import type { PortSpan } from '../../model/firewall.ts';
import type {
  FilterAction,
  FilterChain,
  FilterCondition,
  FilterMatch,
  FilterRule,
  FilterTable,
} from '../../model/packet-filter.ts';

/** Where the built-in chains of iptables are hooked in (netfilter_ipv4.h). */
const priorities: Readonly<Record<string, number>> = {
  raw: -300,
  mangle: -150,
  nat: -100,
  filter: 0,
  security: 50,
};
const hooks = { PREROUTING: 'prerouting', INPUT: 'input', OUTPUT: 'output' } as const;

/** The tables that `iptables-save` or `ip6tables-save` printed. */
export function parseIptablesSave(text: string, tool: 'iptables' | 'ip6tables'): FilterTable[] {
  const family = tool === 'iptables' ? 4 : 6;
  return [...text.matchAll(/^\*(\S+)\n([\s\S]*?)^COMMIT$/gm)].map(([, table = '', body = '']) => ({
    name: `${tool === 'iptables' ? 'ip' : 'ip6'} ${table}`,
    tool,
    families: [family],
    chains: chainsOf(table, body.split('\n')),
  }));
}

function chainsOf(table: string, lines: readonly string[]): FilterChain[] {
  return lines.flatMap((line): FilterChain[] => {
    const [, name, policy] = /^:(\S+) (\S+)/.exec(line) ?? [];
    if (name === undefined) return [];
    const hook = Object.hasOwn(hooks, name) ? hooks[name as keyof typeof hooks] : null;
    const priority = table === 'nat' && hook === 'input' ? 100 : (priorities[table] ?? 0);
    return [
      {
        name,
        base:
          hook === null || policy === '-'
            ? null
            : {
                hook,
                type: table === 'nat' ? 'nat' : 'filter',
                priority,
                policy: policy === 'DROP' ? 'drop' : 'accept',
              },
        rules: lines.filter((each) => each.startsWith(`-A ${name} `)).map(ruleOf),
      },
    ];
  });
}

/** Words, those in double quotes without them. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
}

function ruleOf(line: string): FilterRule {
  const words = wordsOf(line).slice(2);
  const matches: FilterMatch[] = [];
  let action: FilterAction = { kind: 'none' };
  for (let index = 0; index < words.length; index++) {
    const negated = words[index] === '!';
    if (negated) index++;
    const option = words[index] ?? '';
    if (option === '-j' || option === '-g') {
      action = actionOf(option, words.slice(index + 1));
      break;
    }
    const values: string[] = [];
    while (index + 1 < words.length && !/^(?:!|-\D\S*)$/.test(words[index + 1] ?? ''))
      values.push(words[++index] ?? '');
    const condition = conditionOf(option, values);
    if (condition !== null) matches.push({ ...condition, negated });
  }
  return { text: line, matches, action };
}

function actionOf(option: string, [target = '', ...options]: readonly string[]): FilterAction {
  if (option === '-g') return { kind: 'goto', chain: target };
  switch (target) {
    case 'ACCEPT':
      return { kind: 'accept' };
    case 'DROP':
    case 'REJECT':
      return { kind: 'drop' };
    case 'RETURN':
      return { kind: 'return' };
    case 'NOTRACK':
      return { kind: 'untrack' };
    case 'CT':
      return { kind: options.includes('--notrack') ? 'untrack' : 'none' };
    case 'DNAT':
    case 'REDIRECT':
      return {
        kind: 'redirect',
        to: valueAfter(options, '--to-destination', '--to-ports') ?? 'another port',
      };
    case 'NFQUEUE':
    case 'QUEUE':
    case 'TPROXY':
    case 'SYNPROXY':
      return { kind: 'unknown', what: `the target ${target}` };
    default:
      // Upper case is for targets that note or mark something; chains of users are what is jumped to.
      return noting.has(target) ? { kind: 'none' } : { kind: 'jump', chain: target };
  }
}

const noting: ReadonlySet<string> = new Set([
  ...[
    'LOG',
    'NFLOG',
    'ULOG',
    'AUDIT',
    'MARK',
    'CONNMARK',
    'SET',
    'TCPMSS',
    'TOS',
    'DSCP',
    'CLASSIFY',
    'TRACE',
  ],
  ...['CHECKSUM', 'SECMARK', 'CONNSECMARK', 'TTL', 'HL', 'MASQUERADE', 'SNAT', 'IDLETIMER', 'LED', 'RATEEST'],
]);

function valueAfter(words: readonly string[], ...names: readonly string[]): string | undefined {
  const index = words.findIndex((word) => names.includes(word));
  return index < 0 ? undefined : words[index + 1];
}

/** Null for what is no condition: the name of a module, a comment. */
function conditionOf(option: string, values: readonly string[]): FilterCondition | null {
  const [value = ''] = values;
  switch (option) {
    case '-m':
      return null;
    case '--comment':
      return null;
    case '-p':
      return value === 'all' ? null : { kind: 'protocol', names: [value] };
    case '-s':
      return { kind: 'address', end: 'source', networks: value.split(',') };
    case '-d':
      return { kind: 'address', end: 'destination', networks: value.split(',') };
    case '--src-range':
      return { kind: 'address', end: 'source', networks: [value] };
    case '--dst-range':
      return { kind: 'address', end: 'destination', networks: [value] };
    case '-i':
      return { kind: 'interface', end: 'in', names: [value.replace(/\+$/, '*')] };
    case '-o':
      return { kind: 'interface', end: 'out', names: [value.replace(/\+$/, '*')] };
    case '--dport':
    case '--dports':
      return portCondition('destination', value);
    case '--sport':
    case '--sports':
      return portCondition('source', value);
    case '--ctstate':
    case '--state':
      return { kind: 'state', states: value.toLowerCase().split(',') };
    case '--dst-type':
      return { kind: 'address-type', end: 'destination', types: value.toLowerCase().split(',') };
    case '--src-type':
      return { kind: 'address-type', end: 'source', types: value.toLowerCase().split(',') };
    case '--tcp-flags':
      return {
        kind: 'tcp-flags',
        mask: flagsOf(value),
        flags: flagsOf(values[1] ?? ''),
      };
    case '--pkt-type':
      return value === 'unicast'
        ? { kind: 'address-type', end: 'destination', types: ['local'] }
        : { kind: 'never' };
    // Routing headers, with which no packet of a client begins (RFC 5095 took away their use).
    case '--rt-type':
      return { kind: 'never' };
    // Its own match, -p icmp, has said already that the packet is another one.
    case '--icmp-type':
    case '--icmpv6-type':
    case '--reject-with':
      return null;
    default:
      return { kind: 'unknown', what: option.replace(/^-+/, '') };
  }
}

function flagsOf(text: string): string[] {
  if (text === 'NONE' || text === '') return [];
  return text === 'ALL' ? ['fin', 'syn', 'rst', 'psh', 'ack', 'urg'] : text.toLowerCase().split(',');
}

function portCondition(end: 'source' | 'destination', text: string): FilterCondition {
  const spans = text.split(',').map((part): PortSpan => {
    const [first = 0, last = first] = part.split(':').map(Number);
    return { first, last };
  });
  return spans.every(({ first, last }) => Number.isInteger(first) && Number.isInteger(last))
    ? { kind: 'port', end, spans }
    : { kind: 'unknown', what: `port ${text}` };
}
