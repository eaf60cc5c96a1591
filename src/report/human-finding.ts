import { listenerName, type ListenerEvidence } from '../model/catalog/entry.ts';
import { sameSubject } from '../model/finding.ts';
import type { FindingReport, Report } from '../model/report.ts';
import { marked, padded, paragraph, severityMark, unbroken, widthOf, type Style } from './human-style.ts';

// Of one fault at many servers the first is told in full, and of the others where they are.
const mostAlike = 2;
const mostNamed = 10;

/** What is wrong: each root cause with its proof, its fix and what follows from it. Notes are not part of it. */
export function findingSections(report: Report, style: Style): string[][] {
  const serious = report.findings.filter(({ severity }) => severity !== 'info');
  const roots = serious.filter(({ causedBy }) => causedBy === null);
  const shown = roots.filter((root) => alikeWith(root, roots).indexOf(root) < limitFor(root, roots));
  return shown.map((root) => {
    const alike = alikeWith(root, roots);
    const isFolded = alike.length > mostAlike && alike[0] === root;
    return [
      ...findingLines(root, style),
      ...effects(root, serious, style),
      ...labelled('At', listenersOf(root, report, style), style),
      ...(isFolded ? labelled('Also', others(alike, style), style) : []),
    ];
  });
}

/** A finding by itself: title, cause, proof, fix. */
export function findingLines(
  found: Pick<FindingReport, 'severity' | 'title' | 'code' | 'cause' | 'proof' | 'fix'>,
  style: Style,
): string[] {
  return [
    ...heading(found, style),
    ...paragraph(found.cause, 4, style),
    ...labelled('Proof', paragraph(found.proof, textColumn, style), style),
    ...labelled('Fix', fixLines(found.fix, style), style),
  ];
}

function alikeWith({ code }: FindingReport, roots: readonly FindingReport[]): FindingReport[] {
  return roots.filter((each) => each.code === code);
}

function limitFor(root: FindingReport, roots: readonly FindingReport[]): number {
  return alikeWith(root, roots).length > mostAlike ? 1 : mostAlike;
}

function heading(
  { severity, title, code }: Pick<FindingReport, 'severity' | 'title' | 'code'>,
  style: Style,
): string[] {
  const text = `${severityMark[severity]} ${title}`;
  const gap = style.columns - 2 - widthOf(text) - widthOf(code);
  const bold = style.severity(severity, style.bold(text));
  return gap >= 2
    ? [`  ${bold}${' '.repeat(gap)}${style.dim(code)}`]
    : [...marked(bold, 2, style), `${' '.repeat(style.columns - widthOf(code))}${style.dim(code)}`];
}

const labelWidth = 8;
export const textColumn = 4 + labelWidth;

/** `Proof   …`: the label in the first line, which begins at the text column as all of them do. */
export function labelled(label: string, lines: readonly string[], style: Style): string[] {
  const [first, ...rest] = lines;
  if (first === undefined) return [];
  return [`    ${style.bold(padded(label, labelWidth))}${first.slice(textColumn)}`, ...rest];
}

interface Step {
  /** Null for a sentence. */
  readonly where: string | null;
  readonly text: string;
}

/** The steps of a fix. What is to be pasted is never wrapped; where it belongs is said once. */
function fixLines(fix: string, style: Style): string[] {
  const steps = fix.split('\n').map((line): Step => {
    const [, where, text] = /^(\S.*?:) {2}(.+)$/.exec(line) ?? [];
    return where !== undefined && text !== undefined ? { where, text } : { where: null, text: line };
  });
  const pastes = steps.filter(({ where }) => where !== null);
  const width = Math.max(0, ...pastes.map(({ where }) => widthOf(where ?? '') + 2));
  const fits = pastes.every(({ text }) => textColumn + width + widthOf(text) <= style.columns);
  const margin = ' '.repeat(textColumn);
  return steps.flatMap(({ where, text }, index) => {
    if (where === null) return paragraph(text, textColumn, style);
    const isNew = where !== steps[index - 1]?.where;
    if (fits) return [`${margin}${padded(isNew ? where : '', width)}${text}`];
    return [...(isNew ? [`${margin}${where}`] : []), `${margin}  ${text}`];
  });
}

function effects(root: FindingReport, serious: readonly FindingReport[], style: Style): string[] {
  const own = serious.filter((each) => each.causedBy === root.code && sameSubject(each, root));
  const lines = own.flatMap(({ title, code }) => paragraph(`${title} ${style.dim(code)}`, textColumn, style));
  return labelled('Effect', lines, style);
}

/** The listeners that a fault concerns, when there are several and not all of that server. */
function listenersOf({ targets, subject }: FindingReport, report: Report, style: Style): string[] {
  const host = 'host' in subject ? subject.host : null;
  const all = report.targets.filter((target) => host === null || target.host === host);
  const isAll = all.every(({ url }) => targets.includes(url));
  return targets.length < 2 || isAll ? [] : paragraph(enumerated(targets), textColumn, style);
}

/** Where else the same is wrong: at other servers, or at other listeners of this one. */
function others([first, ...alike]: readonly FindingReport[], style: Style): string[] {
  const places = alike.map((each) => {
    const { host = '', address = host, transport, port } = { ...each.evidence } as Partial<ListenerEvidence>;
    const server = host === address ? host : `${host} ${address}`;
    const isHere = first !== undefined && sameSubject(first, each);
    return isHere && transport !== undefined && port !== undefined
      ? listenerName({ transport, port })
      : server;
  });
  return paragraph(enumerated([...new Set(places)].map(unbroken)), textColumn, style);
}

function enumerated(items: readonly string[]): string {
  const more = items.length - mostNamed;
  return `${items.slice(0, mostNamed).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
