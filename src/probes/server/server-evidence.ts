import { randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { RtcOpsError } from '../../model/error.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import { fillTemplate, readTemplate } from '../../model/template.ts';
import { evidenceFrames } from './evidence-frames.ts';

export interface EvidenceQuestion {
  /** As ssh takes it, `user@host` or a name of its configuration; null for this machine. */
  readonly host: string | null;
  /** Further options of ssh, each a word: `-p`, `2222`. */
  readonly sshOptions?: readonly string[];
  /** Ask as root by `sudo -n` where that needs no password. */
  readonly elevate?: boolean;
  /** How much of the log is read. */
  readonly hours?: number;
  /** Rules, sockets and addresses alone. */
  readonly only?: 'network';
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

const timeoutMs = 25_000;
const mostBytes = 48 * 1024 * 1024;
// What ssh itself ends with when it comes to no session.
const sshFailed = 255;

/**
 * Reads what can be seen of a server, here or through ssh. Nothing is written there, and nothing judged.
 * @throws RtcOpsError `tool-failed` when ssh is missing or does not get there, or no POSIX shell answers
 */
export async function readEvidence(question: EvidenceQuestion): Promise<ServerEvidence> {
  const { host, hours = 6, only = 'all', now, signal } = question;
  const boundary = `rtc-ops-${randomBytes(16).toString('hex')}`;
  const values = { boundary, hours: String(hours), parts: only };
  const script = fillTemplate(readTemplate('server-evidence.sh'), values);
  const [program, ...args] = commandOf(question);
  const takenAt = now().toISOString();
  const sentAt = performance.now();
  const child = execa(program, args, {
    input: script,
    reject: false,
    buffer: false,
    encoding: 'buffer',
    timeout: timeoutMs,
    cancelSignal: signal,
  });
  const [arrivals, complaint] = await Promise.all([
    arrivalsOf(child.stdout, sentAt),
    textOf(child.stderr),
    child,
  ]);
  const { exitCode, code, timedOut } = await child;
  signal.throwIfAborted();
  const frames = evidenceFrames(Buffer.concat(arrivals.map(({ chunk }) => chunk)), boundary);
  if (!Object.hasOwn(frames.sections, 'clock-first')) {
    throw failure(host, { isMissing: code === 'ENOENT', exitCode, timedOut, complaint });
  }
  const clockMs = (name: string): number => arrivalOf(arrivals, frames.endOf(name));
  return {
    server: host ?? 'this machine',
    takenAt,
    firstClockMs: clockMs('clock-first'),
    lastClockMs: clockMs('clock-last'),
    sections: frames.sections,
  };
}

// A shell tells by this that sudo gave no root; root needs no sudo, and may have none.
const noRoot = 77;
const asRoot = `sh -c '[ "$(id -u)" -ne 0 ] || exec sh -s; sudo -n sh -s || exit ${noRoot}'`;

function commandOf({ host, sshOptions = [], elevate = false }: EvidenceQuestion): [string, ...string[]] {
  const shell = elevate ? asRoot : 'sh -s';
  if (host === null) return ['sh', '-c', shell];
  // A host that begins with a hyphen would be an option.
  const options = ['-T', '-C', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=8', ...sshOptions];
  return ['ssh', ...options, '--', host, shell];
}

interface Arrival {
  readonly chunk: Buffer;
  readonly atMs: number;
}

async function arrivalsOf(stream: AsyncIterable<unknown>, sentAt: number): Promise<Arrival[]> {
  const arrivals: Arrival[] = [];
  let bytes = 0;
  for await (const part of stream) {
    const chunk = Buffer.from(part as Uint8Array);
    bytes += chunk.length;
    // What is beyond is no evidence, and is not kept.
    if (bytes <= mostBytes) arrivals.push({ chunk, atMs: performance.now() - sentAt });
  }
  return arrivals;
}

/** When the byte before `end` arrived; the last of all where there is no such place. */
function arrivalOf(arrivals: readonly Arrival[], end: number | null): number {
  let seen = 0;
  for (const { chunk, atMs } of arrivals) {
    seen += chunk.length;
    if (end !== null && seen >= end) return Math.round(atMs);
  }
  return Math.round(arrivals.at(-1)?.atMs ?? 0);
}

async function textOf(stream: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const part of stream) {
    if (text.length < 4000) text += Buffer.from(part as Uint8Array).toString();
  }
  return text.slice(0, 4000).trim();
}

interface Ending {
  readonly isMissing: boolean;
  readonly exitCode: number | undefined;
  readonly timedOut: boolean;
  readonly complaint: string;
}

function failure(host: string | null, { isMissing, exitCode, timedOut, complaint }: Ending): RtcOpsError {
  const said = complaint === '' ? '' : `: ${complaint.split('\n').at(-1)?.trim() ?? ''}`;
  if (exitCode === noRoot) {
    return new RtcOpsError('tool-failed', `sudo gives no root on ${host ?? 'this machine'}${said}`, {
      hint: '--sudo asks for no password: log in as root, allow the account sudo without one, or leave out --sudo, and less is seen.',
    });
  }
  if (host === null) {
    return new RtcOpsError('tool-failed', `this machine cannot be looked at${said}`, {
      hint: 'It takes a POSIX shell, sh. On the server itself, doctor --local looks at it.',
    });
  }
  if (isMissing) {
    return new RtcOpsError('tool-failed', 'ssh is not installed on this machine', {
      hint: 'On Debian and Ubuntu: sudo apt-get install openssh-client.',
    });
  }
  if (timedOut) {
    return new RtcOpsError('tool-failed', `${host} did not answer over ssh in ${timeoutMs / 1000} s`, {
      hint: `See whether this ends: ssh ${host} true`,
    });
  }
  if (exitCode === sshFailed) {
    return new RtcOpsError('tool-failed', `ssh does not get to ${host}${said}`, {
      hint: `It asks for nothing, so a key has to be enough: ssh -o BatchMode=yes ${host} true`,
    });
  }
  return new RtcOpsError('tool-failed', `${host} runs no shell script over ssh${said}`, {
    hint: 'The account needs a login with a POSIX shell, sh.',
  });
}
