import type { DeploymentReport, HostDeployment, HostOutcome, PlanStep } from '../model/deployment.ts';
import { printable } from '../model/printable.ts';
import { marked, paragraph, styleFor, verdictMark, type Style } from './human-style.ts';
import { renderHuman } from './human.ts';

interface Drawing {
  readonly color: boolean;
  readonly columns: number;
}

/** What is about to be done to each host. */
export function renderPlans(hosts: readonly HostDeployment[], drawing: Drawing): string {
  const style = styleFor(drawing);
  return `${hosts.map((host) => planLines(host, style).join('\n')).join('\n\n')}\n`;
}

function planLines(host: HostDeployment, style: Style): string[] {
  const { name, by, system, coturn, plan, because, hint } = host;
  const facts = [by, system, coturn === null ? null : `coturn ${coturn}`].filter((each) => each !== null);
  const heading = `${style.bold(name)} ${style.dim(`(${facts.map(printable).join(', ')})`)}`;
  if (plan === null) return [heading, ...problem(because, hint, style)];
  const steps = plan.steps.flatMap((step) => stepLines(step, style));
  return [
    heading,
    ...plan.notes.flatMap((note) => marked(style.severity('warning', `! ${printable(note)}`), 2, style)),
    ...(steps.length === 0 ? [`  ${style.status('passed', '✔')} nothing to change`] : steps),
  ];
}

function stepLines({ title, diff }: PlanStep, style: Style): string[] {
  const lines = diff === null ? [] : diff.split('\n');
  return [
    ...marked(`• ${printable(title)}`, 2, style),
    ...lines.map((line) => `      ${coloured(printable(line), style)}`),
  ];
}

function coloured(line: string, style: Style): string {
  if (line.startsWith('+')) return style.status('passed', line);
  if (line.startsWith('-')) return style.status('failed', line);
  return style.dim(line);
}

function problem(because: string | null, hint: string | null, style: Style): string[] {
  if (because === null) return [];
  const lines = because.split('\n').flatMap((line) => paragraph(printable(line), 4, style));
  const [first = '', ...rest] = lines;
  return [
    style.severity('error', `  ✖ ${first.trimStart()}`),
    ...rest,
    ...(hint === null ? [] : paragraph(printable(hint), 4, style)),
  ];
}

const words: Readonly<Record<HostOutcome, string>> = {
  unchanged: 'unchanged',
  changed: 'changed',
  planned: 'not changed',
  'rolled-back': 'rolled back',
  failed: 'failed',
};

/** What became of each host, and of one whose service does not verify, what the probe says. */
export function renderDeployment(report: DeploymentReport, drawing: Drawing): string {
  const style = styleFor(drawing);
  const { verdict, headline, exitCode, hosts, durationMs, check, next } = report;
  const shown = verdict ?? (exitCode === 0 ? null : 'broken');
  const mark =
    shown === null
      ? style.bold(check ? 'checked' : 'done')
      : style.verdict(shown, `${verdictMark[shown]} ${shown}`);
  const sections = [
    ...(check ? [hosts.map((host) => planLines(host, style).join('\n')).join('\n\n')] : []),
    marked(`${mark}   ${printable(headline)}`, 0, style).join('\n'),
    ...(check ? [] : hosts.map((host) => outcomeLines(host, style).join('\n'))),
    ...hosts.flatMap(({ verification, because }) =>
      because !== null && verification !== null ? [renderHuman(verification.report, drawing).trimEnd()] : [],
    ),
    ...(next === null ? [] : [paragraph(printable(next), 2, style).join('\n')]),
    style.dim(`${(durationMs / 1000).toFixed(1)} s`),
  ];
  return `${sections.join('\n\n')}\n`;
}

function outcomeLines(host: HostDeployment, style: Style): string[] {
  const { name, by, outcome, because, hint, verification, generation } = host;
  const kept = generation === null || generation === 0 ? '' : `, kept as generation ${generation}`;
  const heading = `  ${style.bold(name)} ${style.dim(`(${printable(by)})`)}  ${words[outcome]}${outcome === 'changed' ? kept : ''}`;
  const seen =
    verification === null || because !== null
      ? []
      : marked(
          style.verdict(
            verification.verdict,
            `${verdictMark[verification.verdict]} ${printable(verification.headline)}`,
          ),
          4,
          style,
        );
  const warned = host.warnings.flatMap((line) =>
    marked(style.severity('warning', `! its log: ${printable(line)}`), 4, style),
  );
  const elsewhere = because === null ? (verification?.elsewhere ?? null) : null;
  // A command stays in one line, to be copied.
  const rest = elsewhere === null ? [] : ['    Run it elsewhere, and it can be told:', `      ${elsewhere}`];
  return [heading, ...problem(because, hint, style), ...seen, ...warned, ...rest];
}
