import type { BlockEvidence } from '../../model/catalog/firewall.ts';
import type { FirewallFacts } from '../../model/firewall-facts.ts';
import type { FirewallCheck } from '../../model/firewall-report.ts';
import { openingPurposes, spanText, type Opening } from '../../model/firewall.ts';
import { finding, type Finding } from '../../model/finding.ts';
import type { FilterTable } from '../../model/packet-filter.ts';
import type { Decider, PacketFate } from './packet-path.ts';
import { portFates, type PortFate } from './port-fates.ts';

/** What a check says of one opening. */
export interface Outcome {
  readonly check: FirewallCheck;
  readonly findings: readonly Finding[];
  readonly notes: readonly string[];
}

/** Whether the rules that are loaded let in what the config promises. */
export function rulesOutcome(opening: Opening, facts: FirewallFacts, host: string): Outcome {
  const { rules } = facts;
  const id = 'firewall-rules';
  if (rules.state === 'unknown') {
    return {
      check: { id, status: 'unknown', because: rules.because, detail: null, findings: [] },
      findings: [],
      notes: [],
    };
  }
  const fates = portFates(opening, rules.value, facts);
  const findings = blocked(opening, fates, rules.value, host);
  const doubts = fates.flatMap((each) => doubtOf(each, opening));
  const status = findings.length > 0 ? 'failed' : doubts.length > 0 ? 'unknown' : 'passed';
  return {
    check: {
      id,
      status,
      because: status === 'unknown' ? [...new Set(doubts)].join('; ') : null,
      detail: findings.length > 0 ? blockedPorts(fates, opening) : null,
      findings: findings.map(({ code }) => code),
    },
    findings,
    notes: fates.flatMap(exceptionNotes),
  };
}

type Blocked = PortFate & { readonly fate: Extract<PacketFate, { state: 'blocked' }> };

function isBlocked(each: PortFate): each is Blocked {
  return each.fate.state === 'blocked';
}

/** One finding for each rule, or policy, that blocks: each needs a change of its own. */
function blocked(
  opening: Opening,
  fates: readonly PortFate[],
  tables: readonly FilterTable[],
  host: string,
): Finding[] {
  const groups = new Map<string, Blocked[]>();
  for (const each of fates.filter(isBlocked)) {
    const key = JSON.stringify([each.fate.decider, each.repliesPass]);
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const evidence = evidenceOf(opening, group, first.fate.decider, tables, host);
    if (opening.purpose !== 'relay') return [finding('FIREWALL_BLOCKS_LISTENER', evidence)];
    const open = portsOf(fates.filter(({ fate }) => fate.state === 'open'));
    const code = first.repliesPass ? 'FIREWALL_RELAY_STATEFUL_ONLY' : 'FIREWALL_BLOCKS_RELAY';
    return [finding(code, { ...evidence, open })];
  });
}

function evidenceOf(
  { protocol, purpose, families: all }: Opening,
  group: readonly PortFate[],
  { table, tool, chain, rule }: Decider,
  tables: readonly FilterTable[],
  host: string,
): BlockEvidence {
  const families = ([4, 6] as const).filter((family) => group.some((each) => each.family === family));
  const onlyFamily = families.length < all.length ? (families[0] ?? null) : null;
  const manager = managerOf(
    tables.filter((each) => each.name === table),
    tool,
  );
  const title = openingPurposes[purpose];
  return { host, protocol, ports: portsOf(group), onlyFamily, title, rule, chain, table, tool, manager };
}

/** What manages a table, by the names that it gives its chains. */
export function managerOf(
  tables: readonly FilterTable[],
  tool: FilterTable['tool'],
): BlockEvidence['manager'] {
  if (tables.some(({ name }) => name === 'inet firewalld')) return 'firewalld';
  if (tables.some(({ chains }) => chains.some(({ name }) => /^ufw6?-user-input$/.test(name)))) return 'ufw';
  return tool === 'nft' ? 'nftables' : 'iptables';
}

/** The same ports in both families stand there once. */
function portsOf(fates: readonly PortFate[]): string[] {
  return [...new Set(fates.map(({ ports }) => spanText(ports)))];
}

function blockedPorts(fates: readonly PortFate[], { ports }: Opening): string | null {
  const names = portsOf(fates.filter(isBlocked));
  return names.length === 1 && names[0] === spanText(ports) ? null : `blocked: ${names.join(', ')}`;
}

function doubtOf({ fate, ports }: PortFate, opening: Opening): string[] {
  const which = spanText(ports) === spanText(opening.ports) ? '' : `${spanText(ports)}: `;
  if (fate.state === 'unknown') return [`${which}${fate.because}`];
  if (fate.state !== 'redirected') return [];
  const { rule, chain, table } = fate.decider;
  return [
    `${which}the rule "${rule ?? ''}" in ${chain} of ${table} sends it on to ${fate.to}; what is let in there is not looked at`,
  ];
}

const mostExceptions = 3;

function exceptionNotes({ fate }: PortFate): string[] {
  if (fate.state !== 'open' || fate.exceptions.length === 0) return [];
  const shown = [...new Set(fate.exceptions)].slice(0, mostExceptions);
  return shown.map((rule) => `Some senders are treated apart by the rule "${rule}".`);
}
