import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { parseSavedReport } from '../evidence/saved-report.ts';
import { RtcOpsError, whyUnread } from '../model/error.ts';
import { printable } from '../model/printable.ts';
import type { Report, ReportCriteria } from '../model/report.ts';
import { requirements, type Criteria, type Requirement } from '../rules/criteria.ts';
import { createReport } from '../rules/report.ts';
import type { CommandContext } from './context.ts';
import { refuseWhatIsNeverMeasured } from './probe-limits.ts';

/** What --from may stand with: how to judge, and where the result goes. All else is about packets. */
const usable: ReadonlySet<string> = new Set([
  ...['from', 'require', 'maxRtt', 'maxLoss', 'maxJitter', 'minMos', 'failOn'],
  ...['format', 'output', 'config', 'color', 'quiet', 'debug'],
]);

// A report of 1000 targets has some 10 MB.
const largestBytes = 256 * 1024 * 1024;

/**
 * A saved JSON report, judged again without a packet: by the rules of this version, at the time of the measurement, with
 * what was asked then unless `asked` has another.
 * @throws RtcOpsError `usage` for a file that cannot be read, `configuration` for one that is no such report
 */
export async function judgeAgain(
  file: string,
  asked: Partial<Criteria>,
  context: CommandContext,
): Promise<Report> {
  const name = file === '-' ? 'standard input' : file;
  const text =
    file === '-' ? (await context.stdin()).replace(/^\ufeff/, '') : await readReport(file, context);
  const saved = parseSavedReport(text, name);
  const { targets, asked: tried } = saved.observations;
  refuseWhatIsNeverMeasured(asked, {
    uris: targets.map(({ target }) => target),
    withoutCall:
      tried.callDurationMs === null
        ? { because: `a call, and ${name} was measured with --no-call`, hint: 'Measure again without it.' }
        : null,
  });
  return createReport('probe', saved.observations, { ...criteriaOf(saved.criteria, name), ...asked });
}

function criteriaOf({ require, now, ...limits }: ReportCriteria, name: string): Criteria {
  return {
    ...limits,
    require: require?.map((each) => knownRequirement(each, name)) ?? null,
    now: new Date(now),
  };
}

/** One that is passed over would not be required. */
function knownRequirement(text: string, name: string): Requirement {
  const known = requirements.find((each) => each === text);
  if (known !== undefined) return known;
  throw new RtcOpsError(
    'configuration',
    `${name} is no whole report:\n  criteria.require: ${printable(JSON.stringify(text))} is none of ${requirements.join(', ')}`,
  );
}

async function readReport(file: string, { workingDirectory, signal }: CommandContext): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of createReadStream(resolve(workingDirectory, file), { signal })) {
      chunks.push(chunk as Buffer);
      size += (chunk as Buffer).length;
      // A device never ends.
      if (size > largestBytes) throw new Error('it is larger than any report (256 MB)');
    }
  } catch (cause) {
    if (signal.aborted) throw signal.reason;
    throw new RtcOpsError('usage', `--from ${file} cannot be read: ${whyUnread(cause)}`, { cause });
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** @throws RtcOpsError `usage` when there are URLs, or options that are about packets, beside --from */
export function refuseMeasuring(urls: readonly string[], command: Command): void {
  const given = command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === 'cli')
    .filter((option) => !usable.has(option.attributeName()))
    // --call and --no-call are two options for one value.
    .filter((option) => option.negate === (command.getOptionValue(option.attributeName()) === false))
    .map((option) => option.long ?? option.attributeName());
  const refused = [...urls.slice(0, 1), ...given];
  if (refused.length === 0) return;
  throw new RtcOpsError('usage', `--from sends no packet, so it cannot stand with ${refused.join(' and ')}`, {
    hint: 'It judges what was measured: leave that out, or leave out --from.',
  });
}
