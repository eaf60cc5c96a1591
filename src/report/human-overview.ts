import type { CheckReport, TargetReport } from '../model/report.ts';
import { colored, markOf } from './human-cell.ts';
import { padded, paragraph, widthOf, type Style } from './human-style.ts';

// A screen of lines, beside the findings.
const mostLines = 20;

/** Of more addresses than tables are read of: one line for each that is not good, and how many are. */
export function overview(addresses: readonly (readonly TargetReport[])[], style: Style): string[] {
  const bad = addresses.filter((targets) => targets.some((target) => worstOf(target) !== null));
  const good = addresses.length - bad.length;
  const shown = bad.slice(0, mostLines);
  const width = 2 + Math.max(0, ...shown.map(([first]) => widthOf(nameOf(first))));
  return [
    `  ${style.bold(`${addresses.length} addresses`)}`,
    ...shown.flatMap((targets) => line(targets, width, style)),
    ...(bad.length > shown.length ? [`    and ${bad.length - shown.length} more that are not good`] : []),
    ...(good === 0
      ? []
      : [
          `    ${style.status('passed', '✔')} ${good === addresses.length ? 'all' : good} passed all that was tested`,
        ]),
  ];
}

function line(targets: readonly TargetReport[], width: number, style: Style): string[] {
  const name = nameOf(targets[0]);
  const cells = targets.map((target) => {
    const { transport, port } = target;
    const worst = worstOf(target);
    const mark = worst === null ? style.status('passed', '✔') : colored(worst, markOf(worst), style);
    return `${mark} ${transport} ${port}`;
  });
  const text = cells.join('   ');
  return 4 + width + widthOf(text) <= style.columns
    ? [`    ${padded(name, width)}${text}`]
    : [...paragraph(name, 4, style), ...paragraph(text, 6, style)];
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
