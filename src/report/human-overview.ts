import type { CheckReport, TargetReport } from '../model/report.ts';
import { colored, markOf } from './human-cell.ts';
import { padded, paragraph, widthOf, type Style } from './human-style.ts';

// Two screens of lines.
const mostLines = 40;

/** One line per address, for more of them than tables are read of: first what is not good. */
export function overview(addresses: readonly (readonly TargetReport[])[], style: Style): string[] {
  const bad = addresses.filter((targets) => targets.some((target) => worstOf(target) !== null));
  const good = addresses.filter((targets) => !bad.includes(targets));
  const shown = [...bad, ...good].slice(0, Math.max(mostLines, 1));
  const names = shown.map(([first]) => nameOf(first));
  const width = Math.min(44, 2 + Math.max(...names.map((name) => widthOf(name))));
  return [
    `  ${style.bold(`${addresses.length} addresses, ${good.length} of them good`)}`,
    ...shown.flatMap((targets, index) => line(targets, names[index] ?? '', width, style)),
    ...(addresses.length > shown.length ? [`    and ${addresses.length - shown.length} more`] : []),
  ];
}

function line(targets: readonly TargetReport[], name: string, width: number, style: Style): string[] {
  const cells = targets.map((target) => {
    const { transport, port } = target;
    const worst = worstOf(target);
    const mark = worst === null ? style.status('passed', '✔') : colored(worst, markOf(worst), style);
    return `${mark} ${transport} ${port}`;
  });
  return widthOf(name) < width
    ? [`    ${padded(name, width)}${cells.join('   ')}`]
    : [...paragraph(name, 4, style), `${' '.repeat(4 + width)}${cells.join('   ')}`];
}

function nameOf(target: TargetReport | undefined): string {
  if (target === undefined) return '';
  const { host, address } = target;
  return host === address ? host : `${host} ${address}`;
}

/** The check of a listener that is furthest from good; null when all is. */
function worstOf({ checks }: TargetReport): CheckReport | null {
  const rank = ({ status, severity }: CheckReport): number => {
    if (status === 'failed') return severity === 'error' ? 0 : 2;
    return status === 'unknown' ? 1 : 3;
  };
  const [worst] = checks.toSorted((a, b) => rank(a) - rank(b));
  return worst === undefined || rank(worst) === 3 ? null : worst;
}
