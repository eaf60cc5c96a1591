import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const namespace = `rtcops-calls-${process.pid}`;

/** What runs a command in the network of the calls. */
export const within = ['ip', 'netns', 'exec', namespace] as const;

function run(...command: string[]): void {
  const [program = '', ...args] = command;
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

function inside(...command: string[]): void {
  run(...within, ...command);
}

/** A namespace with the address of a server and that of a client, which nothing leaves. */
export function buildNetwork(): void {
  run('ip', 'netns', 'add', namespace);
  inside('ip', 'link', 'set', 'lo', 'up');
  for (const [name, address] of [
    ['wan0', '203.0.113.10/24'],
    ['lan0', '198.51.100.2/24'],
  ] as const) {
    // A device whose other end is in the same namespace: nothing leaves it.
    inside('ip', 'link', 'add', name, 'type', 'veth', 'peer', 'name', `${name}-end`);
    inside('ip', 'link', 'set', `${name}-end`, 'up');
    inside('ip', 'address', 'add', address, 'dev', name);
    inside('ip', 'link', 'set', name, 'up');
  }
  inside('ip', 'route', 'add', 'default', 'dev', 'lan0');
}

export function removeNetwork(): void {
  run('ip', 'netns', 'delete', namespace);
}

/** One rule for all that arrives; none lets everything through. */
export function setFirewall(rule: string | undefined): void {
  inside('nft', 'flush', 'ruleset');
  if (rule === undefined) return;
  inside('nft', 'add', 'table', 'inet', 'lab');
  inside('nft', 'add', 'chain', 'inet', 'lab', 'in', '{ type filter hook input priority 0 ; }');
  inside('nft', 'add', 'rule', 'inet', 'lab', 'in', rule);
}

const coturn = [
  ...['turnserver', '-n', '-a', '-u', 'alice:right', '-r', 'example', '-L', '203.0.113.10'],
  ...['-E', '203.0.113.10', '--no-cli', '--no-tls', '--no-dtls', '--log-file=stdout', '--simple-log'],
  ...['--new-log-timestamp', '-v', '--pidfile=/dev/null'],
];

/** Starts coturn; what it says goes to `logFile`. */
export function startServer(options: readonly string[], logFile: string): ChildProcess {
  const log = openSync(logFile, 'w');
  const [program, ...args] = [...within, ...coturn, ...options];
  const server = spawn(program, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  return server;
}

/** Another port of the server, to which and from which packets take their time. */
export function startSlowLine(line: {
  readonly port: number;
  readonly delayMs: number;
  readonly jitterMs: number;
}): ChildProcess {
  const script = fileURLToPath(new URL('slow-line.js', import.meta.url));
  const figures = [line.port, line.delayMs, line.jitterMs].map(String);
  const [program, ...args] = [...within, process.execPath, script, ...figures];
  return spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
}

/** Captures what goes to the server and comes from it, as tcpdump of its operator would. */
export async function startCapture(file: string): Promise<ChildProcess> {
  const filter = ['-i', 'lo', '-U', '-s', '220', '-w', file, 'port', '3478'];
  const [program, ...args] = [...within, 'tcpdump', ...filter];
  const capture = spawn(program, args, { stdio: 'ignore' });
  await sleep(500);
  return capture;
}

/** Ends a process, and waits for what it has still to write. */
export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGINT');
  await exit;
}
