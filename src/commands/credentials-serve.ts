import { once } from 'node:events';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseApiKeys, parseRate, type ApiKey, type Rate } from '../credentials/api-keys.ts';
import type { Answer, CredentialService, ServiceSettings } from '../credentials/service.ts';
import { formatEndpoint, scopeOf, type Endpoint } from '../model/endpoint.ts';
import { RtcOpsError, exitCode, reasonOf } from '../model/error.ts';
import type { TurnUri } from '../model/turn-uri.ts';
import type { CommandContext } from './context.ts';
import { addUri, ttlSeconds, urisOfConfig } from './credentials-issue.ts';
import { fileOption } from './option.ts';
import { loadSecret, noSecret, readSecretText, secretHelp, type SecretOptions } from './secret-source.ts';

interface ServeOptions extends SecretOptions {
  readonly listen: Endpoint;
  readonly apiKeys?: string;
  readonly url?: TurnUri[];
  readonly ttl: number;
  readonly rate: Rate | 'off';
  readonly cors?: string[];
  readonly format: 'human' | 'json';
}

const serveHelp = `
  GET or POST /?service=turn[&username=USER][&ttl=SECONDS]
      {"username", "password", "ttl", "uris"}: draft-uberti-behave-turn-rest-00
  GET or POST /ice-servers[?username=USER][&ttl=SECONDS]
      {"iceServers", "ttl", "expiresAt"}: what new RTCPeerConnection() takes
  GET /healthz, GET /metrics
      for what looks after it; /metrics asks for an API key too

API keys stand in a file, a line each: NAME KEY [ttl=1h] [rate=10/s]
  web     4d7f…  ttl=10m rate=50/s
  mobile  91c0…
A request carries its key as "Authorization: Bearer KEY", as "X-API-Key: KEY" or as the parameter key. Without
--api-keys everybody who reaches it gets credentials, so that it listens on this machine alone. It speaks HTTP: put a
proxy with TLS before it.

SIGHUP reads the secret, the API keys and the servers again; when that fails, what it has stays in use. A new secret is
to be accepted by all TURN servers before that: rtc-ops rotate-secret sees to it, then send SIGHUP.

Examples:
  rtc-ops credentials serve --secret-file secret.txt --url turn.example.com
  rtc-ops credentials serve --listen 10.0.0.5:8080 --api-keys api-keys.txt --cors https://app.example.com

Exit code: 0 when ended by Ctrl-C or SIGTERM, as it is for a service; 2 usage; 3 configuration.`;

export function defineServe(parent: Command, context: CommandContext): void {
  parent
    .command('serve')
    .description('give out credentials over HTTP: the TURN REST API, and iceServers')
    .addOption(
      new Option('--listen <address:port>', 'where; port 0 takes a free one')
        .argParser(listenOption)
        .default({ address: '127.0.0.1', port: 8080 }, '127.0.0.1:8080'),
    )
    .option('--api-keys <file>', 'who may ask', fileOption)
    .option('--secret-file <file>', 'file with the secret', fileOption)
    .option(
      '--url <uri>',
      'a server that the credentials are for; can be repeated (default: the hosts of rtc-ops.yaml)',
      addUri,
    )
    .addOption(
      new Option('--ttl <time>', 'how long credentials are good for, at most')
        .argParser(ttlSeconds)
        .default(43_200, '12h'),
    )
    .addOption(
      new Option('--rate <rate>', 'how often each key may ask, such as 10/s or 600/m; off for no limit')
        .argParser(rateOption)
        .default({ burst: 100, perSecond: 100 }, '100/s'),
    )
    .option('--cors <origin>', 'an origin whose pages may ask; can be repeated', corsOption)
    .addOption(new Option('--format <format>', 'form of the log').choices(['human', 'json']).default('human'))
    .addHelpText('after', `${serveHelp}\n${secretHelp}`)
    .action(async (_: unknown, serve: Command) => runServe(serve.optsWithGlobals<ServeOptions>(), context));
}

/** `127.0.0.1:8080`, `[::1]:8080` */
function listenOption(text: string): Endpoint {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (isIP(address) === 0 || (bracketed !== undefined) !== (isIP(address) === 6) || !(port <= 65_535)) {
    throw new InvalidArgumentError('Write ADDRESS:PORT, for example 127.0.0.1:8080 or [::1]:8080.');
  }
  return { address, port };
}

function rateOption(text: string): Rate | 'off' {
  if (text === 'off') return text;
  const rate = parseRate(text);
  if (rate === null) throw new InvalidArgumentError('Write a rate such as 10/s, 600/m or 1000/h, or off.');
  return rate;
}

function corsOption(text: string, previous: string[] | undefined): string[] {
  // What browsers send as Origin: no path, no slash at the end, no port that goes without saying.
  if (text !== '*' && !(URL.canParse(text) && new URL(text).origin === text)) {
    throw new InvalidArgumentError('Write an origin such as https://app.example.com, or *.');
  }
  return [...(previous ?? []), text];
}

async function runServe(options: ServeOptions, context: CommandContext): Promise<void> {
  const { listen, apiKeys, cors = [] } = options;
  if (apiKeys === undefined && scopeOf(listen.address) !== 'loopback') {
    throw new RtcOpsError(
      'usage',
      `without API keys, whoever reaches ${formatEndpoint(listen)} gets credentials`,
      {
        hint: 'Add --api-keys FILE, or listen on 127.0.0.1.',
      },
    );
  }
  const settings = await settingsOf(options, context);
  const log = (words: string, event: Event): void => print(context, options.format, words, event);
  const service = await open(
    {
      listen,
      settings,
      corsOrigins: cors,
      now: context.now,
      ...(options.debug === true && { onAnswer: (answer: Answer) => logAnswer(answer, log) }),
      onFault: (error) =>
        log(`a fault of ours: ${reasonOf(error)}`, { event: 'fault', reason: reasonOf(error) }),
    },
    context,
  );
  const { address, port } = service.local;
  const url = `http://${formatEndpoint(service.local)}/`;
  context.onHangUp(() => void reload(service, options, { log, context }));
  const keys = settings.keys === null ? 'no API keys' : `${settings.keys.length} API keys`;
  log(`listening on ${url} with ${keys}`, {
    event: 'ready',
    address,
    port,
    url,
    keys: settings.keys?.length ?? 0,
  });
  if (!context.signal.aborted) await once(context.signal, 'abort');
  await service.close();
  log('stopped', { event: 'stopped' });
  context.exitWith(exitCode.healthy);
}

type Event = Readonly<Record<string, string | number | null>>;
type Log = (words: string, event: Event) => void;

async function open(
  options: Parameters<typeof CredentialService.open>[0],
  context: CommandContext,
): Promise<CredentialService> {
  const module = await import('../credentials/service.ts');
  context.signal.throwIfAborted();
  try {
    return await module.CredentialService.open(options);
  } catch (cause) {
    const { listen } = options;
    throw new RtcOpsError('usage', `--listen ${formatEndpoint(listen)}: ${reasonOf(cause)}`, { cause });
  }
}

async function reload(
  service: CredentialService,
  options: ServeOptions,
  { log, context }: { readonly log: Log; readonly context: CommandContext },
): Promise<void> {
  try {
    service.reload(await settingsOf(options, context));
    log('read the secret and the API keys again', { event: 'reloaded' });
  } catch (error) {
    service.reloadFailed();
    const reason = reasonOf(error);
    log(`not reloaded, what was read before stays in use: ${reason}`, { event: 'not-reloaded', reason });
  }
}

async function settingsOf(options: ServeOptions, context: CommandContext): Promise<ServiceSettings> {
  const found = await loadSecret(options, context);
  if (found === null) throw noSecret();
  const uris = options.url ?? (await urisOfConfig(options, context));
  if (uris.length === 0) {
    throw new RtcOpsError('usage', 'no server is known that the credentials would be for', {
      hint: 'Add --url turn:HOST, or hosts to rtc-ops.yaml.',
    });
  }
  return {
    secret: found.secret,
    uris,
    keys: options.apiKeys === undefined ? null : await loadApiKeys(options.apiKeys, context),
    ttlSeconds: options.ttl,
    rate: options.rate === 'off' ? null : options.rate,
  };
}

async function loadApiKeys(file: string, context: CommandContext): Promise<ApiKey[]> {
  const path = resolve(context.workingDirectory, file);
  return parseApiKeys(await readSecretText(path, 'the file of API keys', 'usage', context), file);
}

function logAnswer({ method, route, status, durationMs, key }: Answer, log: Log): void {
  const took = Math.round(durationMs * 1000) / 1000;
  log(`${method} ${route} ${status} ${took} ms${key === null ? '' : ` for ${key}`}`, {
    event: 'answered',
    method,
    route,
    status,
    durationMs: took,
    key,
  });
}

function print(
  { stdout, now }: CommandContext,
  format: ServeOptions['format'],
  words: string,
  event: Event,
): void {
  const time = now().toISOString();
  stdout(format === 'json' ? `${JSON.stringify({ time, ...event })}\n` : `${time} ${words}\n`);
}
