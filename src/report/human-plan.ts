import type { HostedCost, PlanReport } from '../model/plan-report.ts';
import { marked, padded, paragraph, styleFor, type Style } from './human-style.ts';

/** A plan for a person: the figures, how they come about, and what others charge for the same. */
export function renderPlanHuman(report: PlanReport, options: { color: boolean; columns: number }): string {
  const style = styleFor(options);
  const sections = [
    figures(report, style),
    [
      style.bold('How it is reckoned'),
      ...report.formulas.flatMap(({ name, text }) => row(name, text, style).map(style.dim)),
    ],
    hosted(report, style),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

const labelWidth = 15;

function row(label: string, text: string, style: Style): string[] {
  const [first = '', ...rest] = paragraph(text, 2 + labelWidth, style);
  return [`  ${padded(label, labelWidth)}${first.slice(2 + labelWidth)}`, ...rest];
}

function figures({ usage, capacity }: PlanReport, style: Style): string[] {
  const { relay, peak, month, machine } = capacity;
  const range =
    relay.range === null
      ? `more than one address has: share the users among ${relay.addresses} servers`
      : `relay.ports: ${relay.range.min}-${relay.range.max}`;
  return [
    ...paragraph(
      style.bold(
        `For ${count(usage.users)} in calls at once and ${count(usage.minutes)} minutes a month, ${count(Math.round(usage.relayedRatio * 1000) / 10)} % of it relayed`,
      ),
      0,
      style,
    ),
    ...row('relay ports', `${count(relay.ports)}, ${range}`, style),
    ...row(
      'bandwidth',
      `${bits(peak.bps)} in and ${bits(peak.bps)} out, when ${count(peak.relayedUsers)} are relayed at once`,
      style,
    ),
    ...row('traffic', `${bytes(month.bytes)} in and ${bytes(month.bytes)} out a month`, style),
    ...row(
      'machine',
      `${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, ${memory(machine.memoryBytes)} of memory`,
      style,
    ),
  ];
}

function hosted({ hosted: costs }: PlanReport, style: Style): string[] {
  const wide = Math.max(...costs.map(({ provider }) => provider.length)) + 2;
  return [
    style.bold('What hosted relays would charge for it'),
    ...costs.flatMap((cost) => [
      `  ${padded(cost.provider, wide)}${price(cost)}`,
      ...paragraph(style.dim(cost.note === null ? cost.because : `${cost.because}; ${cost.note}`), 4, style),
      ...paragraph(style.dim(`${cost.seen}  ${cost.source}`), 4, style),
    ]),
    ...marked('i Prices change: each is as it was seen on its day. List prices without tax.', 2, style),
  ];
}

function price({ usdPerMonth }: HostedCost): string {
  if (usdPerMonth === null) return '? not known';
  if (usdPerMonth === 0) return 'free';
  return usdPerMonth < 0.01 ? 'under $0.01 a month' : `$${dollars(usdPerMonth)} a month`;
}

function dollars(value: number): string {
  return value.toLocaleString('en-US', {
    minimumFractionDigits: Number.isInteger(value) || value >= 1000 ? 0 : 2,
    maximumFractionDigits: value >= 1000 ? 0 : 2,
  });
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function bits(bps: number): string {
  return bps < 1e6 ? `${significant(bps / 1e3)} kbit/s` : `${significant(bps / 1e6)} Mbit/s`;
}

function bytes(value: number): string {
  return value < 1e9 ? `${significant(value / 1e6)} MB` : `${significant(value / 1e9)} GB`;
}

function memory(value: number): string {
  return `${Math.ceil(value / 2 ** 29) / 2} GiB`;
}

function significant(value: number): string {
  return count(value >= 100 ? Math.round(value) : Number(value.toPrecision(2)));
}
