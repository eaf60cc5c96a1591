import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { execa } from 'execa';
import { streamSource } from '../../evidence/byte-source.ts';
import { readWitnessCapture } from '../../evidence/pcap/witness.ts';
import { witnessTrace } from '../../evidence/server/witness-trace.ts';
import { reasonOf } from '../../model/error.ts';
import { readTemplate } from '../../model/template.ts';
import type { WitnessCapture, WitnessFacts } from '../../model/witness-facts.ts';
import { evidenceFrames } from './evidence-frames.ts';

export interface WitnessOptions {
  /** `user@host`, as ssh takes it. */
  readonly host: string;
  /** Options of ssh, before the host. */
  readonly sshOptions: readonly string[];
  /** Addresses of this client beside the one that it has towards the server by ssh: those of its interfaces, of IPv6 say. */
  readonly clients: readonly string[];
  /** Capture as root by `sudo -n`, where this is not root. */
  readonly elevate?: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** A capture on the server. */
export interface Witness {
  /** Resolves when it runs, or cannot. */
  readonly begun: Promise<unknown>;
  /**
   * Ends it, and reads what it has. A second call gives the same.
   * @param users names under which the client logged in meanwhile
   */
  readonly finish: (users: readonly string[]) => Promise<WitnessFacts>;
  /** Ends it without a look at it. Idempotent. */
  readonly close: () => void;
}

// A probe is over in seconds; a minute and so many packets of 128 bytes hold whatever it does.
const mostSeconds = 120;
const mostPackets = 50_000;
const mostBytes = 16 * 2 ** 20;
// ssh connects in a second or two, and a capture begins at once.
const startTimeoutMs = 8000;
// What was sent last may still be on its way.
const settleMs = 200;
const endTimeoutMs = 3000;

// What sudo would take away, the address of the client, is read before it.
const launch = [
  'isElevated=$1 text=$2; shift 2; set -- "$text" server-witness "${SSH_CONNECTION:-}" "$@"',
  '[ "$isElevated" = no ] || [ "$(id -u)" -eq 0 ] || exec sudo -n sh -c "$@"',
  'exec sh -c "$@"',
].join('; ');

function commandOf({ clients, elevate = false }: WitnessOptions, boundary: string): string {
  const [script, program] = [readTemplate('server-witness.sh'), readTemplate('server-witness.py')];
  const limits = [String(mostSeconds), String(mostPackets)];
  const words = [launch, 'rtc-ops', elevate ? 'yes' : 'no', script, ...limits, boundary, program, ...clients];
  return `sh -c ${words.map((word) => `'${word}'`).join(' ')}`;
}

/** The program on the server, and what came of it. */
interface Remote {
  readonly begun: ReturnType<typeof hasBegun>;
  readonly output: () => Buffer;
  readonly said: () => string;
  /** It gave more bytes than are kept. */
  readonly isFull: () => boolean;
  /** Asks it to end and waits for that; false where it had ended before, or would not end. */
  readonly finish: () => Promise<boolean>;
  readonly close: () => void;
}

function startRemote(options: WitnessOptions, boundary: string): Remote {
  const { host, sshOptions, signal } = options;
  const stop = new AbortController();
  const command = commandOf(options, boundary);
  const child = execa('ssh', [...sshOptions, '-o', 'BatchMode=yes', '--', host, command], {
    stdin: 'pipe',
    encoding: 'buffer',
    buffer: false,
    reject: false,
    cancelSignal: AbortSignal.any([signal, stop.signal]),
  });
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= mostBytes) chunks.push(chunk);
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = `${said}${chunk.toString()}`.slice(0, 10_000);
  });
  // The pipe breaks where ssh ends first, which the end of the process tells.
  child.stdin.on('error', () => {});
  let hasEnded = false;
  const ended = child.finally(() => {
    hasEnded = true;
  });
  const finish = async (): Promise<boolean> => {
    const isEarly = hasEnded;
    child.stdin.end();
    const timer = setTimeout(() => stop.abort(), endTimeoutMs);
    await ended;
    clearTimeout(timer);
    return !isEarly && !stop.signal.aborted;
  };
  return {
    begun: hasBegun(child.stderr, () => said, ended),
    output: () => Buffer.concat(chunks),
    said: () => said,
    isFull: () => bytes > mostBytes,
    finish,
    close: () => stop.abort(),
  };
}

/**
 * Has the server capture, for as long as the probe takes, what comes from this client and goes to it. Nothing is written there.
 */
export function startWitness(options: WitnessOptions): Witness {
  const { host: server, clients, now, signal } = options;
  const boundary = `rtc-ops-${randomBytes(16).toString('hex')}`;
  const remote = startRemote(options, boundary);
  const { begun, close } = remote;
  const read = async (users: readonly string[]): Promise<WitnessFacts> => {
    const kind = await begun;
    const none = (): WitnessFacts['capture'] => ({
      state: 'unknown',
      because: whyNot(remote.said(), server),
    });
    if (kind === null) {
      close();
      return { server, capture: none(), trace: null };
    }
    await settled(settleMs);
    const isWhole = await remote.finish();
    signal.throwIfAborted();
    const said = remote.said();
    if (kind === 'trace') {
      const trace = witnessTrace(evidenceFrames(remote.output(), boundary).sections, {
        lacks: said.includes('witness: no root') ? 'root' : 'program',
        clients: clientsOf(said, clients),
        users,
        readAtMs: now().getTime(),
      });
      return { server, capture: none(), trace };
    }
    const ending = { isFull: remote.isFull(), isBroken: !isWhole };
    const capture = await captureOf(remote.output(), said, { others: clients, ...ending });
    return { server, capture, trace: null };
  };
  let facts: Promise<WitnessFacts> | null = null;
  return { begun, finish: async (users) => (facts ??= read(users)), close };
}

/** What has begun: a capture, or the waiting of what prints a trace at the end. Null: neither. */
async function hasBegun(
  stderr: Readable,
  said: () => string,
  ended: Promise<unknown>,
): Promise<'capture' | 'trace' | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), startTimeoutMs);
  });
  const begun = new Promise<'capture' | 'trace'>((resolve) => {
    stderr.on('data', () => {
      if (said().includes('listening on')) resolve('capture');
      if (said().includes('witness: ready')) resolve('trace');
    });
  });
  const kind = await Promise.race([begun, late, ended.then(() => null)]);
  clearTimeout(timer);
  return kind;
}

async function settled(ms: number): Promise<void> {
  await new Promise((resolve) => void setTimeout(resolve, ms));
}

async function captureOf(
  bytes: Buffer,
  said: string,
  { others, ...ending }: Ending & { readonly others: readonly string[] },
): Promise<WitnessFacts['capture']> {
  const [, host = ''] = connectionOf(said);
  const clients = clientsOf(said, others);
  try {
    const source = streamSource(Readable.from([bytes]), 'the capture on the server');
    const capture = await readWitnessCapture(source, clients);
    const value: WitnessCapture = {
      ...capture,
      host: host === '' ? null : host,
      cutShort: capture.cutShort ?? whyCutShort(capture.packets, said, ending),
    };
    return { state: 'seen', value };
  } catch (error) {
    return { state: 'unknown', because: `the capture on the server cannot be read: ${reasonOf(error)}` };
  }
}

interface Ending {
  /** It gave more bytes than are kept. */
  readonly isFull: boolean;
  /** The connection to it ended before the probe did, or it would not end after it. */
  readonly isBroken: boolean;
}

function whyCutShort(packets: number, said: string, { isFull, isBroken }: Ending): string | null {
  if (isFull || packets >= mostPackets) return `it has room for ${mostPackets} packets`;
  if (isBroken) return 'the connection by ssh that it came through broke off';
  if (said.includes('witness: ended early')) return 'it ended before the probe did';
  const dropped = Number(/(\d+) packets? dropped by kernel/.exec(said)?.[1] ?? 0);
  return dropped > 0 ? `the kernel of the server dropped ${dropped} packets of it` : null;
}

/** The client and the server of the ssh connection, as the server sees them. */
function connectionOf(said: string): string[] {
  const [client, , server] = /^witness: connection (.*)$/m.exec(said)?.[1]?.split(' ') ?? [];
  return [client ?? '', server ?? ''];
}

/** The client by all its addresses: first the one that ssh has. */
function clientsOf(said: string, others: readonly string[]): string[] {
  return [connectionOf(said)[0] ?? '', ...others].filter((each) => each !== '');
}

/** Why there is no capture. */
function whyNot(said: string, host: string): string {
  if (said.includes('witness: no program')) return `neither tcpdump nor python3 is installed on ${host}`;
  if (said.includes('witness: no root')) return `only root may capture on ${host}`;
  const last = said.trim().split('\n').at(-1) ?? '';
  return `no capture began on ${host}${last === '' ? '' : `: ${last}`}`;
}
