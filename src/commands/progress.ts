import { checkTitles, type CheckId } from '../model/check.ts';
import type { ProbeProgress } from '../probes/probe.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

/** One live line on the terminal: what is being waited for, and for how long. */
export interface ProgressLine {
  readonly update: (progress: ProbeProgress) => void;
  readonly say: (text: string) => void;
  readonly stop: () => void;
}

const silent: ProgressLine = { update: () => {}, say: () => {}, stop: () => {} };

/** A line that nobody would see (a pipe, CI, --quiet) is not drawn. */
export async function progressLine(options: GlobalOptions, context: CommandContext): Promise<ProgressLine> {
  if (!context.stderrIsTerminal || options.quiet === true) return silent;
  const { default: ora } = await import('ora');
  const startedAt = Date.now();
  const spinner = ora({ text: 'starting', discardStdin: false }).start();
  let text = '';
  const draw = (): void => {
    spinner.text = `${text} (${((Date.now() - startedAt) / 1000).toFixed(0)} s)`;
  };
  const timer = setInterval(draw, 500);
  return {
    update({ target, step }) {
      const what = step in checkTitles ? checkTitles[step as CheckId] : step;
      text = target === null ? what : `${target.url} ${target.address}: ${what}`;
      draw();
    },
    say(message) {
      text = message;
      draw();
    },
    stop() {
      clearInterval(timer);
      spinner.stop();
    },
  };
}
