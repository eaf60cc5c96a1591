import { setMaxListeners } from 'node:events';
import { inspect } from 'node:util';
import { Command, CommanderError, InvalidArgumentError } from 'commander';
import type { CommandContext, GlobalOptions } from './commands/context.ts';
import { isOwnVariable } from './model/environment.ts';
import { RtcOpsError, exitCode, interruptedBy, reasonOf, type ExitCode } from './model/error.ts';
import { isFileOrDevice, writeWhole } from './commands/standard-output.ts';
import { version } from './model/version.ts';

interface CommandModule {
  /** Adds arguments, options and the action to a command that has its name and summary already. */
  readonly define: (command: Command, context: CommandContext) => void;
}

// Summaries stand here so that `--help` loads no command; everything else of a command is in its module.
const commands: readonly { name: string; summary: string; load: () => Promise<CommandModule> }[] = [
  {
    name: 'try',
    summary: 'the whole job on this machine: a coturn on loopback, credentials, a probe with an audio call',
    load: () => import('./commands/try.ts'),
  },
  {
    name: 'init',
    summary: 'write a commented rtc-ops.yaml and a secret to start with',
    load: () => import('./commands/init.ts'),
  },
  {
    name: 'probe',
    summary: 'test TURN and STUN servers from here, down to an audio call through the relay',
    load: () => import('./commands/probe.ts'),
  },
  {
    name: 'peer',
    summary: 'be the other end of a relay for probes elsewhere: a small authenticated UDP echo',
    load: () => import('./commands/peer.ts'),
  },
  {
    name: 'credentials',
    summary: 'issue, check and serve time-limited TURN credentials',
    load: () => import('./commands/credentials.ts'),
  },
  {
    name: 'render',
    summary: 'print the turnserver.conf that rtc-ops.yaml stands for',
    load: () => import('./commands/render.ts'),
  },
  {
    name: 'config',
    summary:
      'rtc-ops.yaml: the values that count and where they come from, its schema, importing a turnserver.conf',
    load: () => import('./commands/config.ts'),
  },
  {
    name: 'lint',
    summary: 'judge a turnserver.conf line by line, and mend what is safe to mend',
    load: () => import('./commands/lint.ts'),
  },
  {
    name: 'firewall',
    summary: 'the ports to open, as rules for the firewall in use; whether they are open here',
    load: () => import('./commands/firewall.ts'),
  },
  {
    name: 'plan',
    summary: 'ports, bandwidth, traffic and machine for expected use, and what hosted relays charge for it',
    load: () => import('./commands/plan.ts'),
  },
  {
    name: 'doctor',
    summary: 'from what users complain of to what is wrong, and what to type',
    load: () => import('./commands/doctor.ts'),
  },
  {
    name: 'analyze',
    summary: 'why audio did not flow, from dumps of browsers, SDP, logs of coturn and captures',
    load: () => import('./commands/analyze.ts'),
  },
  {
    name: 'deploy',
    summary: 'put the service on its hosts, prove that it works, and take back what does not',
    load: () => import('./commands/deploy.ts'),
  },
  {
    name: 'audit',
    summary: 'what an attacker could do with a TURN server of yours',
    load: () => import('./commands/audit.ts'),
  },
  {
    name: 'rollback',
    summary: 'bring an earlier state of the hosts back',
    load: () => import('./commands/rollback.ts'),
  },
  {
    name: 'rotate-secret',
    summary: 'a new shared secret beside the old one, and later the old one gone, without a call ending',
    load: () => import('./commands/rotate-secret.ts'),
  },
  {
    name: 'remove',
    summary: 'take everything off the hosts that deployments have put there',
    load: () => import('./commands/remove.ts'),
  },
  {
    name: 'explain',
    summary: 'what a finding means, how it is proven and fixed',
    load: () => import('./commands/explain.ts'),
  },
];

/** Runs the command line `argv` (as `process.argv`) and sets the exit code of the process. */
export async function main(argv: readonly string[]): Promise<void> {
  const interrupt = new AbortController();
  // Every target, call and child process listens to it; a warning about many listeners would be noise.
  setMaxListeners(0, interrupt.signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Not once: without a listener of ours, those of libraries (execa, ora) would end the process before we have cleaned up.
    process.on(signal, () => interrupt.abort(interruptedBy(signal)));
  }
  const isClosed = watchStandardOutput();
  const env = takeEnvironment();
  const context: CommandContext = {
    stdout: (text) => {
      const { fd, isTTY } = process.stdout;
      if (isFileOrDevice(fd, isTTY)) writeWhole(fd, text);
      else process.stdout.write(text);
    },
    stderr: (text) => void process.stderr.write(text),
    stdin: async () => (await (await import('node:stream/consumers')).buffer(process.stdin)).toString('utf8'),
    ask: async (question) => (await import('./commands/question.ts')).ask(question, interrupt.signal),
    env,
    get workingDirectory() {
      return workingDirectory();
    },
    signal: interrupt.signal,
    onHangUp: (listener) => void process.removeAllListeners('SIGHUP').on('SIGHUP', listener),
    // Looked at when a command asks: making the streams takes a millisecond that --version need not spend.
    get stdoutIsTerminal() {
      return process.stdout.isTTY === true;
    },
    get stdoutIsClosed() {
      return isClosed();
    },
    get stderrIsTerminal() {
      return process.stderr.isTTY === true;
    },
    get stdinIsTerminal() {
      return process.stdin.isTTY === true;
    },
    get columns() {
      // A terminal that does not say how wide it is says 0.
      return process.stdout.columns || 80;
    },
    get stderrColumns() {
      return process.stderr.columns ?? 80;
    },
    now: () => new Date(),
    exitWith: (code) => {
      process.exitCode = code;
    },
  };
  const program = createProgram(context);
  try {
    refuseSecrets(argv.slice(2));
    await addCommands(program, argv.slice(2), context);
    await program.parseAsync(argv);
  } catch (error) {
    process.exitCode = report(error, program.opts<GlobalOptions>().debug === true);
  }
  // What a library has left open must not hold the process once the result is out.
  process.stdout.write('', () => process.exit());
}

/** Answers errors of the standard streams, and gives what says whether the reader of stdout has gone. */
function watchStandardOutput(): () => boolean {
  // `rtc-ops … | head` closes our stdout early: the reader's right. The exit code still tells the verdict.
  let stdoutIsClosed = false;
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') {
        // The stream itself does not say so afterwards: Node.js never destroys those of the process.
        if (stream === process.stdout) stdoutIsClosed = true;
        return;
      }
      if (stream === process.stdout)
        process.stderr.write(`rtc-ops: the result cannot be written: ${error.message}\n`);
      process.exitCode = exitCode.toolFailed;
    });
  }
  return () => stdoutIsClosed || process.stdout.destroyed;
}

/** The environment for commands. Our own variables, some of them secrets, leave that of the process: children inherit it. */
function takeEnvironment(): CommandContext['env'] {
  const env = { ...process.env };
  for (const name of Object.keys(env).filter(isOwnVariable)) delete process.env[name];
  return env;
}

/** Looked up when a command asks: many do without, and it can be gone. */
function workingDirectory(): string {
  try {
    return process.cwd();
  } catch (cause) {
    throw new RtcOpsError('usage', 'the working directory does not exist any more', {
      hint: 'Change into one that does (cd), and run again.',
      cause,
    });
  }
}

function createProgram({ stdout }: CommandContext): Command {
  return new Command('rtc-ops')
    .description('Deploy, probe and explain TURN/STUN servers.')
    .version(version, '-V, --version')
    .option('--config <file>', 'rtc-ops.yaml to use (default: in this directory or above it)', (file) => {
      if (file.trim() === '') throw new InvalidArgumentError('Write the path of a file.');
      return file;
    })
    .option('--no-color', 'plain text')
    .option('--quiet', 'no progress')
    .option('--debug', 'stack traces and details')
    .showHelpAfterError('Run with --help for the usage.')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({ writeOut: stdout })
    .exitOverride();
}

/**
 * Says what to do instead where a secret is given as an argument, which every user of the machine and the history of the
 * shell can see. commander would print it once more, as an unknown option.
 */
function refuseSecrets(args: readonly string[]): void {
  const end = args.indexOf('--');
  const options = end < 0 ? args : args.slice(0, end);
  for (const argument of options) {
    const [, option = '', peer] =
      /^(--(?:(?:static-)?auth-|shared-|(peer-))?secret)(?:=|$)/.exec(argument) ?? [];
    if (option === '') continue;
    throw new RtcOpsError('usage', `${option} is no option: what stands on the command line is no secret`, {
      hint:
        peer === undefined
          ? 'Put it into a file of yours alone and add --secret-file FILE, or set RTC_OPS_SECRET; in rtc-ops.yaml auth.secret names either.'
          : 'Put it into a file of yours alone and add --peer-secret-file FILE, or set RTC_OPS_PEER_SECRET.',
    });
  }
}

/** Loads the one command that `args` names; the others stay names with a summary. */
async function addCommands(
  program: Command,
  args: readonly string[],
  context: CommandContext,
): Promise<void> {
  const wanted = commandName(args);
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(summary);
    if (name === wanted) (await load()).define(command, context);
  }
}

/** The first argument that is neither a global option nor an option's value; for `help NAME`, that NAME. */
function commandName(args: readonly string[]): string | undefined {
  const positional: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const argument = args[index] as string;
    if (argument === '--config') index++;
    else if (!argument.startsWith('-')) positional.push(argument);
  }
  return positional[0] === 'help' ? positional[1] : positional[0];
}

/** Prints an error for a person and gives the exit code that stands for it. */
function report(error: unknown, debug: boolean): ExitCode {
  if (error instanceof CommanderError) {
    // commander has printed its own message; --help and --version arrive here with exit code 0.
    return error.exitCode === 0 ? exitCode.healthy : exitCode.usage;
  }
  if (error instanceof RtcOpsError) {
    process.stderr.write(`rtc-ops: ${error.message}\n${error.hint === undefined ? '' : `  ${error.hint}\n`}`);
    if (debug) process.stderr.write(`${inspect(error)}\n`);
    return error.exitCode;
  }
  process.stderr.write(`rtc-ops: this is a bug: ${reasonOf(error)}\n`);
  process.stderr.write(
    debug ? `${inspect(error)}\n` : '  Run again with --debug and report what it prints, please.\n',
  );
  return exitCode.bug;
}
