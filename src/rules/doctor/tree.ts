import type { Side, Symptom } from '../../model/doctor-report.ts';
import {
  causesOf,
  faultKey,
  finding,
  findingCodes,
  type Finding,
  type FindingCode,
  type Severity,
} from '../../model/finding.ts';
import { subjectKey } from '../../model/subject.ts';
import { isHardening } from './hardening.ts';
import { links } from './link.ts';
import { sameWhere } from './relation.ts';
import { leadsTo } from './symptom.ts';

/** A finding, and who saw it. */
export interface Sighting {
  readonly finding: Finding;
  readonly side: Side;
  /** What it is at: the same for all that concerns one server, whichever side saw it. */
  readonly place: string;
}

/** A fault with all that it leads to. */
export interface Branch {
  readonly finding: Finding;
  readonly seenFrom: readonly Side[];
  readonly effects: readonly Branch[];
}

interface Node extends Sighting {
  readonly seenFrom: readonly Side[];
}

/** The network that this runs in. It can be the cause of what is seen of any server, and is no effect of one. */
export const clientPlace = subjectKey({ kind: 'client' });

const weight: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

/**
 * All findings as trees: each below what leads to it, whichever side saw either. Root causes that users feel come first,
 * and those of just the symptom before others. A root is as grave as the gravest of what it leads to.
 */
export function treesOf(sightings: readonly Sighting[], symptom: Symptom | null): Branch[] {
  const nodes = merged(sightings);
  const causes = new Map<Node, Node>();
  for (const node of nodes) {
    const cause = causeOf(node, nodes, causes);
    if (cause !== null) causes.set(node, cause);
  }
  const branch = (node: Node): Branch => {
    const effects = inOrder(nodes.filter((each) => causes.get(each) === node).map(branch), symptom);
    // A line of a log only repeats what its cause says.
    const felt = effects.map((each) => each.finding).filter((each) => !each.code.startsWith('LOG_'));
    const severity = [node.finding, ...felt]
      .map((each) => each.severity)
      .reduce((a, b) => (weight[b] < weight[a] ? b : a));
    return {
      finding: withSeverity(node.finding, severity, causes.get(node)?.finding.code ?? null),
      seenFrom: node.seenFrom,
      effects,
    };
  };
  return inOrder(nodes.filter((node) => !causes.has(node)).map(branch), symptom);
}

/** What both sides say of one fault is one finding: in the words of the server, where it is to be mended. */
function merged(sightings: readonly Sighting[]): Node[] {
  const byFault = new Map<string, Sighting[]>();
  for (const each of sightings) {
    const [code, , ...told] = JSON.parse(faultKey(each.finding)) as unknown[];
    const key = JSON.stringify([code, each.place, ...told]);
    byFault.set(key, [...(byFault.get(key) ?? []), each]);
  }
  return [...byFault.values()].flatMap((alike) => {
    const [first] = alike.toSorted(
      (a, b) =>
        Number(a.side === 'client') - Number(b.side === 'client') ||
        weight[a.finding.severity] - weight[b.finding.severity],
    );
    if (first === undefined) return [];
    const targets = [...new Set(alike.flatMap((each) => each.finding.targets))];
    const { code, evidence, severity, causedBy } = first.finding;
    return {
      ...first,
      finding: finding(code, evidence, { severity, targets, ...(causedBy === null ? {} : { causedBy }) }),
      seenFrom: (['server', 'client'] as const).filter((side) => alike.some((each) => each.side === side)),
    };
  });
}

/** What leads to a finding: by what its own look says, then by what another one shows; null for a root. */
function causeOf(effect: Node, nodes: readonly Node[], known: ReadonlyMap<Node, Node>): Node | null {
  const { causedBy, code } = effect.finding;
  const isFree = (cause: Node): boolean => cause !== effect && !isBelow(cause, effect, known);
  if (causedBy !== null) {
    const told = nodes.filter(
      (node) => isFree(node) && node.finding.code === causedBy && node.place === effect.place,
    );
    const found = nearest(told, effect);
    if (found !== null) return found;
  }
  // What a probe shows of itself has been decided by the rules that judge it.
  for (const cause of causesOf(code)) {
    const found = nodes.find(
      (node) =>
        isFree(node) &&
        node.side === 'server' &&
        node.finding.code === cause &&
        node.place === effect.place &&
        sameWhere(node.finding, effect.finding),
    );
    if (found !== undefined) return found;
  }
  for (const link of links.filter(({ effects }) => effects.includes(code))) {
    for (const cause of link.causes) {
      const found = nodes.find(
        (node) =>
          isFree(node) &&
          node.finding.code === cause &&
          (node.place === effect.place || node.place === clientPlace) &&
          (link.when?.(node.finding, effect.finding) ?? true),
      );
      if (found !== undefined) return found;
    }
  }
  return null;
}

/** Of several, the one that concerns a listener of the effect. */
function nearest(candidates: readonly Node[], effect: Node): Node | null {
  const shared = candidates.find(({ finding: { targets } }) =>
    targets.some((target) => effect.finding.targets.includes(target)),
  );
  return shared ?? candidates[0] ?? null;
}

function isBelow(node: Node, ancestor: Node, causes: ReadonlyMap<Node, Node>): boolean {
  for (let at = causes.get(node); at !== undefined; at = causes.get(at)) if (at === ancestor) return true;
  return false;
}

function withSeverity(
  { code, evidence, targets }: Finding,
  severity: Severity,
  causedBy: FindingCode | null,
): Finding {
  return finding(code, evidence, { severity, targets, ...(causedBy === null ? {} : { causedBy }) });
}

export function everyone(branch: Branch): Finding[] {
  return [branch.finding, ...branch.effects.flatMap(everyone)];
}

/** Whether users feel it: a probe went through it, and something that a call needs failed. */
export function isFelt(branch: Branch): boolean {
  const own =
    branch.seenFrom.includes('client') &&
    branch.finding.severity === 'error' &&
    branch.finding.subject.kind !== 'client';
  return own || branch.effects.some(isFelt);
}

export function isOfSymptom(branch: Branch, symptom: Symptom): boolean {
  return everyone(branch).some(({ code }) => leadsTo(symptom, code));
}

function inOrder(branches: readonly Branch[], symptom: Symptom | null): Branch[] {
  const rank = (branch: Branch): readonly number[] => [
    weight[branch.finding.severity],
    Number(isHardening(branch.finding.code)),
    Number(!isFelt(branch)),
    symptom === null ? 0 : Number(!isOfSymptom(branch, symptom)),
    // What is at every listener is mended before what shuts one of several ways in.
    -new Set(everyone(branch).flatMap(({ targets }) => targets)).size,
    // A cause that explains much is likelier the root of all.
    -everyone(branch).length,
    findingCodes.indexOf(branch.finding.code),
  ];
  return branches
    .map((branch) => ({ branch, rank: rank(branch) }))
    .toSorted((a, b) => difference(a.rank, b.rank))
    .map(({ branch }) => branch);
}

function difference(a: readonly number[], b: readonly number[]): number {
  return a.map((value, index) => value - (b[index] ?? 0)).find((each) => each !== 0) ?? 0;
}
