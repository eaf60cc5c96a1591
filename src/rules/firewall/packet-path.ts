import type { FilterAction, FilterChain, FilterRule, FilterTable } from '../../model/packet-filter.ts';
import { matchesAll, type Packet, type Tracking } from './packet-match.ts';

/** Which rule, or policy, has the word. */
export interface Decider {
  /** `inet filter`. */
  readonly table: string;
  readonly tool: FilterTable['tool'];
  /** The one that is hooked in, from which the rule was reached. */
  readonly chain: string;
  /** Null for the policy of that chain. */
  readonly rule: string | null;
}

/** What becomes of a packet on its way through all tables. */
export type PacketFate =
  | { readonly state: 'open'; readonly decider: Decider | null; readonly exceptions: readonly string[] }
  | { readonly state: 'blocked'; readonly decider: Decider; readonly exceptions: readonly string[] }
  | { readonly state: 'redirected'; readonly decider: Decider; readonly to: string }
  | { readonly state: 'unknown'; readonly because: string };

/** One way in which a chain may end. */
interface Ending {
  readonly action: Extract<FilterAction['kind'], 'accept' | 'drop' | 'redirect' | 'unknown'>;
  readonly rule: string | null;
  readonly to: string;
}

interface Walk {
  readonly packet: Packet;
  readonly chains: ReadonlyMap<string, FilterChain>;
  /** The rules of which it cannot be told whether they apply, with the condition. */
  readonly doubtful: { readonly rule: string; readonly condition: string }[];
  readonly exceptions: string[];
  tracking: Tracking;
}

const hookOrder = ['ingress', 'prerouting', 'input'];

/**
 * Follows a packet to this host through the chains in the order in which the kernel asks them. An accept ends one chain, a
 * drop ends all. Where a condition cannot be decided, both ways are followed, and it is `unknown` if they end differently.
 */
export function packetFate(tables: readonly FilterTable[], packet: Packet): PacketFate {
  const exceptions: string[] = [];
  const doubts: string[] = [];
  // Where it may go elsewhere, what later chains say of it may not count.
  let mayBeAway = false;
  let tracking: Tracking = 'tracked';
  let accepted: Decider | null = null;
  for (const { table, chain } of chainsFor(tables, packet)) {
    const walk: Walk = {
      packet,
      chains: new Map(table.chains.map((each) => [each.name, each])),
      doubtful: [],
      exceptions,
      tracking,
    };
    const endings = endingsOf(chain, walk);
    tracking = walk.tracking;
    // The last is the one that is reached where no doubtful condition holds.
    const last = endings.at(-1);
    if (last === undefined) continue;
    const decider = { table: table.name, tool: table.tool, chain: chain.name, rule: last.rule };
    if (endings.some(({ action }) => action !== last.action)) {
      doubts.push(doubtOf(decider, walk));
      mayBeAway ||= endings.some(({ action }) => action === 'redirect' || action === 'unknown');
    } else if (last.action === 'drop') {
      if (mayBeAway) break;
      return { state: 'blocked', decider, exceptions };
    } else if (last.action === 'redirect') {
      return doubts[0] === undefined
        ? { state: 'redirected', decider, to: last.to }
        : { state: 'unknown', because: doubts[0] };
    } else if (last.action === 'unknown') {
      doubts.push(`${place(decider)} hands it over: ${last.to}`);
      mayBeAway = true;
    } else if (last.rule !== null) {
      accepted = decider;
    }
  }
  if (doubts[0] !== undefined) return { state: 'unknown', because: doubts[0] };
  return { state: 'open', decider: accepted, exceptions };
}

function chainsFor(
  tables: readonly FilterTable[],
  packet: Packet,
): { table: FilterTable; chain: FilterChain }[] {
  return tables
    .filter(({ families }) => families.includes(packet.family))
    .flatMap((table) => table.chains.map((chain) => ({ table, chain })))
    .filter(
      ({ chain: { base } }) =>
        base !== null &&
        hookOrder.includes(base.hook) &&
        // Only the first packet of a connection sees them.
        !(base.type === 'nat' && packet.state === 'established'),
    )
    .toSorted(
      (a, b) =>
        hookOrder.indexOf(a.chain.base?.hook ?? '') - hookOrder.indexOf(b.chain.base?.hook ?? '') ||
        (a.chain.base?.priority ?? 0) - (b.chain.base?.priority ?? 0),
    );
}

function endingsOf(chain: FilterChain, walk: Walk): Ending[] {
  const { endings, returns } = followed(chain, walk, 0);
  if (!returns) return endings;
  return [...endings, { action: chain.base?.policy ?? 'accept', rule: null, to: '' }];
}

// The kernel allows 16 jumps within each other; what goes deeper here is a circle of a broken ruleset.
const deepest = 64;

/** Every way in which a chain may end, and whether the packet may come back from it. */
function followed(chain: FilterChain, walk: Walk, depth: number): { endings: Ending[]; returns: boolean } {
  const endings: Ending[] = [];
  let mayReturn = false;
  if (depth > deepest) return { endings, returns: true };
  for (const rule of chain.rules) {
    const result = matchesAll(rule.matches, walk.packet, walk.tracking);
    if (result === 'no' || rule.action.kind === 'none') continue;
    if (result === 'some') {
      if (rule.action.kind !== 'untrack' && rule.action.kind !== 'return') walk.exceptions.push(rule.text);
      continue;
    }
    const certain = result === 'yes';
    if (!certain) walk.doubtful.push({ rule: rule.text, condition: result.unknown });
    const step = stepOf(rule, walk, depth, certain);
    endings.push(...step.endings);
    if (step.leaves) mayReturn = true;
    if (certain && !step.goesOn) return { endings, returns: mayReturn };
  }
  return { endings, returns: true };
}

interface Step {
  readonly endings: readonly Ending[];
  /** The packet may leave the chain without an ending. */
  readonly leaves: boolean;
  /** The packet may go on to the next rule. */
  readonly goesOn: boolean;
}

function stepOf(rule: FilterRule, walk: Walk, depth: number, certain: boolean): Step {
  const { action, text } = rule;
  switch (action.kind) {
    case 'none':
      return { endings: [], leaves: false, goesOn: true };
    case 'untrack':
      walk.tracking = certain ? 'untracked' : 'unknown';
      return { endings: [], leaves: false, goesOn: true };
    case 'return':
      return { endings: [], leaves: true, goesOn: false };
    case 'jump':
    case 'goto': {
      const target = walk.chains.get(action.chain);
      if (target === undefined) {
        const ending = { action: 'unknown', rule: text, to: action.chain } as const;
        return { endings: [ending], leaves: false, goesOn: false };
      }
      const { endings, returns } = followed(target, walk, depth + 1);
      const isJump = action.kind === 'jump';
      return { endings, leaves: returns && !isJump, goesOn: returns && isJump };
    }
    default: {
      const to = action.kind === 'redirect' ? action.to : action.kind === 'unknown' ? action.what : '';
      return { endings: [{ action: action.kind, rule: text, to }], leaves: false, goesOn: false };
    }
  }
}

function doubtOf(decider: Decider, { doubtful: [first, ...others] }: Walk): string {
  const rule = first?.rule ?? decider.rule;
  const more = others.length === 0 ? '' : `, as of ${others.length} more`;
  const condition = first === undefined ? '' : ` (${first.condition})`;
  return `whether ${place({ ...decider, rule })} applies cannot be decided here${condition}${more}`;
}

function place({ table, chain, rule }: Decider): string {
  return rule === null ? `the chain ${chain} of ${table}` : `the rule "${rule}" in ${chain} of ${table}`;
}
