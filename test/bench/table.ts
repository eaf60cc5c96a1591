import { holds, ratioOf, type BenchRow } from './row.ts';

const header = ['what', 'ours', 'against', 'ratio', 'limit', ''];
/** Numbers stand right, words left. */
const alignRight = new Set([1, 3, 4]);

/** The rows as an aligned table, one line each. */
export function tableOf(rows: readonly BenchRow[]): string {
  const lines = [header, ...rows.map(cellsOf)];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, column) =>
          alignRight.has(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function cellsOf(row: BenchRow): string[] {
  const ratio = ratioOf(row);
  const held = holds(row);
  return [
    row.what,
    `${digits(row.ours)} ${row.unit}`,
    row.against === null ? '' : `${row.against.name}: ${digits(row.against.figure)} ${row.unit}`,
    ratio === null ? '' : ratio.toFixed(2),
    limitOf(row),
    held === null ? '' : held ? 'holds' : 'MISSED',
  ];
}

function limitOf({ limit, against, unit }: BenchRow): string {
  if (limit === null) return '';
  const [sign, bound] = 'atMost' in limit ? ['≤', limit.atMost] : ['≥', limit.atLeast];
  return `${sign} ${bound}${against === null ? ` ${unit}` : ''}`;
}

/** Three digits that count. */
function digits(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}
