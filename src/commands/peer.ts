import { once } from 'node:events';
import { isIP } from 'node:net';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { formatEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { AttemptError } from '../model/failure.ts';
import { EchoService } from '../net/echo-service.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { loadPeerSecret } from './secret-source.ts';

interface Options extends GlobalOptions {
  readonly listen: Endpoint;
  readonly secretFile?: string;
  readonly format: 'human' | 'json';
}

const examples = `
A probe elsewhere then uses this machine as the other end of a relay:
  rtc-ops probe turn.example.com --peer udp://THIS-MACHINE:3479 --peer-secret-file peer.secret

It answers only what is signed with the secret (--secret-file, or RTC_OPS_PEER_SECRET), with less than it got, to where
that came from, and at a limited rate. Listen on the address that the probe is given: an answer must come from there.

Examples:
  openssl rand -hex 32 > peer.secret && chmod 600 peer.secret
  rtc-ops peer --listen 198.51.100.7:3479 --secret-file peer.secret
  rtc-ops peer --listen '[2001:db8::7]:3479' --secret-file peer.secret --format json

Exit code: 0 when ended by Ctrl-C, SIGTERM or SIGHUP, as it is for a service; 2 usage.`;

export function define(command: Command, context: CommandContext): void {
  command
    .requiredOption(
      '--listen <address:port>',
      'UDP address and port; port 0 takes a free one',
      endpointOption,
    )
    .option('--secret-file <file>', 'the secret that the probes know too (default: RTC_OPS_PEER_SECRET)')
    .addOption(new Option('--format <format>', 'form of the log').choices(['human', 'json']).default('human'))
    .addHelpText('after', examples)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

async function run({ listen, secretFile, format }: Options, context: CommandContext): Promise<void> {
  const secret = await loadPeerSecret('--secret-file', secretFile, context);
  const service = await open(listen, secret);
  try {
    const { address, port } = service.local;
    const url = `udp://${formatEndpoint(service.local)}`;
    print(context, format, `listening on ${url}`, { event: 'ready', address, port, url });
    if (!context.signal.aborted) await once(context.signal, 'abort');
  } finally {
    service.close();
  }
  const { answered, dropped, limited } = service.counts;
  const words = `stopped: ${answered} answered, ${dropped} not signed and dropped, ${limited} beyond the rate`;
  print(context, format, words, { event: 'stopped', answered, dropped, limited });
}

async function open(
  listen: Endpoint,
  secret: Parameters<typeof EchoService.open>[0]['secret'],
): Promise<EchoService> {
  try {
    return await EchoService.open({ listen, secret });
  } catch (error) {
    if (!(error instanceof AttemptError)) throw error;
    throw new RtcOpsError('usage', `--listen ${formatEndpoint(listen)}: ${error.message}`, { cause: error });
  }
}

function print(
  { stdout, now }: CommandContext,
  format: Options['format'],
  words: string,
  event: Readonly<Record<string, string | number>>,
): void {
  const time = now().toISOString();
  stdout(format === 'json' ? `${JSON.stringify({ time, ...event })}\n` : `${time} ${words}\n`);
}

/** `198.51.100.7:3479`, `[2001:db8::7]:3479`. A name could stand for several addresses; one must be bound. */
export function endpointOption(text: string): Endpoint {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (isIP(address) === 0 || (bracketed !== undefined) !== (isIP(address) === 6) || !(port <= 65_535)) {
    throw new InvalidArgumentError(
      'Write ADDRESS:PORT, for example 198.51.100.7:3479 or [2001:db8::7]:3479.',
    );
  }
  if (scopeOf(address) === 'unspecified') {
    // What is sent from such a socket leaves from whichever address the route has, and the probe would not take it.
    throw new InvalidArgumentError(
      `${address} is every address of this machine; write the one that the probe is given by --peer.`,
    );
  }
  return { address, port };
}
