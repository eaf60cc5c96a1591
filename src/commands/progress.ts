import { checks } from '../model/check.ts';
import { formatEndpoint } from '../model/endpoint.ts';
import type { ProbeProgress } from '../probes/probe.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { wantsColor } from './report.ts';

/** One live line on the terminal: what is being waited for, and for how long. */
export interface ProgressLine {
  readonly update: (progress: ProbeProgress) => void;
  /** The same for what is no probe. */
  readonly show: (text: string) => void;
  /** Takes the line away until there is something to show again. */
  readonly pause: () => void;
  readonly stop: () => void;
}

const silent: ProgressLine = { update: () => {}, show: () => {}, pause: () => {}, stop: () => {} };

/** A line that nobody would see (a pipe, CI, --quiet) is not drawn. */
export async function progressLine(options: GlobalOptions, context: CommandContext): Promise<ProgressLine> {
  // A terminal that says it has no columns (serial consoles, CI) makes ora clear lines without end.
  if (!context.stderrIsTerminal || options.quiet === true || context.stderrColumns < 1) return silent;
  const { default: ora } = await import('ora');
  const startedAtMs = performance.now();
  const spinner = ora({
    text: 'starting',
    discardStdin: false,
    ...(wantsColor(options, context, 'stderr') ? {} : { color: false }),
  }).start();
  let text = '';
  const draw = (): void => {
    if (text === '') return;
    if (!spinner.isSpinning) spinner.start();
    spinner.text = `${text} (${((performance.now() - startedAtMs) / 1000).toFixed(0)} s)`;
  };
  const timer = setInterval(draw, 500);
  return {
    update({ target, step }) {
      const where = target === null ? '' : `${target.transport} ${formatEndpoint(target)}: `;
      text = `${where}${checks[step].waiting}`;
      draw();
    },
    show(what) {
      text = what;
      draw();
    },
    pause() {
      text = '';
      spinner.stop();
    },
    stop() {
      clearInterval(timer);
      spinner.stop();
    },
  };
}
