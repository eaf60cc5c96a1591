import { readFile, realpath } from 'node:fs/promises';
import { arch } from 'node:os';
import { resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { edited } from '../coturn/lint/edits.ts';
import type { CoturnFacts, LintFacts } from '../coturn/lint/facts.ts';
import { lint, notJudged } from '../coturn/lint/lint.ts';
import type { Edit, LintFinding } from '../coturn/lint/source.ts';
import { redacted } from '../coturn/redaction.ts';
import { parseDirectives } from '../coturn/parse.ts';
import { defaultVersion, nearestVersion, parseVersion } from '../coturn/versions.ts';
import { RtcOpsError, exitCode, reasonOf } from '../model/error.ts';
import { configWordsOf } from '../model/config-finding.ts';
import type { HostFacts } from '../model/host-facts.ts';
import type { LintChange, LintFindingReport, LintReport } from '../model/lint-report.ts';
import { schemaVersion } from '../model/report.ts';
import { version } from '../model/version.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { countOption } from './option.ts';

const formats = ['human', 'json', 'github', 'sarif'] as const;

interface Options extends GlobalOptions {
  readonly coturnVersion?: string;
  readonly format: (typeof formats)[number];
  readonly fix?: boolean;
  readonly failOn: 'error' | 'warning';
  readonly users?: number;
  readonly here?: boolean;
}

const defaultFile = '/etc/turnserver.conf';

const help = `
Reads the file as coturn reads it, and says of each line what coturn would make
of it. - reads standard input. With --here (the default for files in /etc and
/usr/local/etc) it also looks at this machine: who may read the file, the
certificate and its key, the addresses, the rights of the service.

--fix changes only what can mean nothing else, and keeps the old file beside the
new one, as FILE.bak.TIME.

Exit code: 0 nothing at or above --fail-on, 1 findings, 3 the file cannot be read.

Examples:
  rtc-ops lint
  rtc-ops lint turnserver.conf --coturn-version 4.17 --format github
  rtc-ops render | rtc-ops lint -`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[file]', 'the turnserver.conf, - for standard input', defaultFile)
    .option(
      '--coturn-version <version>',
      `the coturn that is to read it (default: the one here, or ${defaultVersion})`,
    )
    .addOption(new Option('--format <format>', 'how to print it').choices(formats).default('human'))
    .option('--fix', 'make the safe changes')
    .addOption(
      new Option('--fail-on <severity>', 'what counts as a failure')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .option('--users <count>', 'how many people use the relay at once', countOption)
    .option('--here', 'judge files, modes and addresses of this machine too')
    .option('--no-here', 'judge the text alone')
    .addHelpText('after', help)
    .action(async (file: string) => run(file, command.optsWithGlobals<Options>(), context));
}

/** A file as it was read. One that is not UTF-8 is read and written byte by byte. */
interface Input {
  readonly name: string;
  readonly path: string | null;
  readonly text: string;
  readonly encoding: 'utf8' | 'latin1';
}

async function run(name: string, options: Options, context: CommandContext): Promise<void> {
  const input = await readInput(name, context);
  if (options.fix === true && input.path === null)
    throw new RtcOpsError('usage', '--fix changes a file, and standard input is none');
  const facts = await factsOf(input, options, context);
  let findings = lint(facts);
  let fixed: LintReport['fixed'] = null;
  if (options.fix === true) {
    const after = edited(input.text, editsOf(findings));
    fixed = await fix(input, after, context);
    if (fixed !== null) findings = lint({ ...facts, text: after });
  }
  const report = reportOf(facts, findings, fixed, options);
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function readInput(name: string, context: CommandContext): Promise<Input> {
  if (name === '-') return { name: 'stdin', path: null, text: await context.stdin(), encoding: 'utf8' };
  const path = resolve(context.workingDirectory, name);
  try {
    const bytes = await readFile(path);
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1';
    return { name, path, text: bytes.toString(encoding), encoding };
  } catch (cause) {
    const isDenied = cause instanceof Error && 'code' in cause && cause.code === 'EACCES';
    throw new RtcOpsError('configuration', `cannot read ${name}: ${reasonOf(cause)}`, {
      hint: isDenied ? 'As root more can be read.' : 'Name the file to judge, or - for standard input.',
      cause,
    });
  }
}

function isUtf8(bytes: Buffer): boolean {
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}

async function factsOf(input: Input, options: Options, context: CommandContext): Promise<LintFacts> {
  const { name: file, text, path } = input;
  const isHere = path !== null && (options.here ?? /^\/(?:usr\/local\/)?etc\//.test(await realpath(path)));
  return {
    file,
    text,
    coturn: await coturnFacts(options, isHere, context),
    users: options.users ?? null,
    host: isHere ? await hostOf(path, text) : null,
    now: context.now().toISOString(),
  };
}

async function hostOf(path: string, text: string): Promise<HostFacts> {
  // Most files are judged without a look at the machine, and need not load what looks.
  const [{ hostFacts }, { interfaceAddresses }] = await Promise.all([
    import('../coturn/lint/host.ts'),
    import('../probes/interfaces.ts'),
  ]);
  const directives = parseDirectives(text);
  return hostFacts({ path, directives, addresses: interfaceAddresses(), architecture: arch() });
}

async function coturnFacts(
  options: Options,
  isHere: boolean,
  { signal }: CommandContext,
): Promise<CoturnFacts> {
  if (options.coturnVersion !== undefined) {
    const given = parseVersion(options.coturnVersion);
    return { version: given, release: given, from: 'given', packaged: null };
  }
  const assumed: CoturnFacts = {
    version: defaultVersion,
    release: defaultVersion,
    from: 'assumed',
    packaged: null,
  };
  if (!isHere) return assumed;
  // What starts processes takes longer to load than all the rest.
  const { installedPackage, installedVersion } = await import('../coturn/executable.ts');
  const release = await installedVersion(signal);
  if (release === null) return assumed;
  return {
    version: nearestVersion(release),
    release,
    from: 'installed',
    packaged: await installedPackage(signal),
  };
}

function editsOf(findings: readonly LintFinding[]): Edit[] {
  return findings.flatMap(({ edit }) => (edit === null ? [] : [edit]));
}

async function fix(input: Input, after: string, context: CommandContext): Promise<LintReport['fixed']> {
  const { path, text, encoding } = input;
  if (after === text || path === null) return null;
  const { rewriteFile } = await import('../coturn/lint/rewrite.ts');
  const backup = await rewriteFile({
    file: path,
    before: Buffer.from(text, encoding),
    after: Buffer.from(after, encoding),
    now: context.now(),
  });
  return { backup, changes: changesBetween(text, after) };
}

/** An edit changes lines and never their number. */
function changesBetween(before: string, after: string): LintChange[] {
  const lines = after.split('\n');
  return before.split('\n').flatMap((line, index) => {
    const changed = lines[index] ?? '';
    return line === changed ? [] : [{ line: index + 1, before: redacted(line), after: redacted(changed) }];
  });
}

function reportOf(
  facts: LintFacts,
  findings: readonly LintFinding[],
  fixed: LintReport['fixed'],
  { failOn }: Options,
): LintReport {
  const fails = findings.some(
    ({ finding: { severity } }) => severity === 'error' || (failOn === 'warning' && severity === 'warning'),
  );
  return {
    schemaVersion,
    tool: { name: 'rtc-ops', version },
    command: 'lint',
    file: facts.file,
    coturn: { version: facts.coturn.release, from: facts.coturn.from },
    notJudged: notJudged(facts),
    exitCode: fails ? exitCode.findings : exitCode.healthy,
    fixed,
    findings: findings.map(findingReport),
  };
}

function findingReport({ finding, edit }: LintFinding): LintFindingReport {
  const words = configWordsOf(finding);
  return { ...finding, ...words, fix: words.fix.join('\n'), fixable: edit !== null };
}

async function rendered(report: LintReport, options: Options, context: CommandContext): Promise<string> {
  switch (options.format) {
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    case 'github':
      return (await import('../report/lint-github.ts')).renderLintGithub(report);
    case 'sarif':
      return (await import('../report/lint-sarif.ts')).renderLintSarif(report);
    case 'human': {
      const [{ renderLintHuman }, { wantsColor }] = await Promise.all([
        import('../report/human-lint.ts'),
        import('./report.ts'),
      ]);
      return renderLintHuman(report, { color: wantsColor(options, context), columns: context.columns });
    }
    default:
      return options.format satisfies never;
  }
}
