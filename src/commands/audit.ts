import { Option, type Command } from 'commander';
import { urisOfHosts } from '../config/host-uri.ts';
import { loadConfig } from '../config/load.ts';
import { issueCredential } from '../credentials/issue.ts';
import type { AuditReport } from '../model/audit.ts';
import { scopeOf } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { ownUsers } from '../model/own-user.ts';
import { isTurn, type TurnUri } from '../model/turn-uri.ts';
import { audit } from '../probes/audit-probe.ts';
import { urisOf } from '../probes/plan.ts';
import type { TurnCredential } from '../turn/session.ts';
import { judgeAudit } from '../rules/audit.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { durationOption, fileOption, servernameOption } from './option.ts';
import { credentialSource, probeTtlSeconds } from './probe-credential.ts';
import { configuredUris } from './probe-hosts.ts';
import { progressLine } from './progress.ts';
import { loadSecret } from './secret-source.ts';
import { trustAnchors } from './trust-anchors.ts';

const formats = ['human', 'json', 'sarif'] as const;

interface Options extends GlobalOptions {
  readonly secretFile?: string;
  readonly username?: string;
  readonly password?: string;
  readonly iOwnThis?: boolean;
  readonly timeout: number;
  readonly failOn: 'error' | 'warning';
  readonly ca?: string;
  readonly servername?: string;
  readonly format: (typeof formats)[number];
}

const help = `
Tries at each server what an attacker would: a relay without credentials, peers that
a relay should refuse (asked by CreatePermission, which sends nothing to them), TCP
relays, bad certificates, old TLS and weak ciphers, DTLS, ports of the operator, large
answers, up to 20 allocations at once. Sends little, one request after the other, frees what it is
given, and follows no redirection.

Credentials come from where probe takes them. A server that is not in rtc-ops.yaml
needs --i-own-this.

Exit code: 0 nothing at or above --fail-on, 1 findings, or something that could not be
examined, 2 usage, 3 configuration.

Examples:
  rtc-ops audit
  rtc-ops audit turn.example.com --i-own-this --secret-file secret.txt
  rtc-ops audit --format sarif > audit.sarif`;

export function define(command: Command, context: CommandContext): void {
  command
    .argument('[url...]', 'turn: or turns: URIs, or hosts (default: the hosts of rtc-ops.yaml)')
    .option('--secret-file <file>', 'the static-auth-secret of the server', fileOption)
    .option('--username <name>', 'TURN username')
    .option('--password <password>', 'TURN password; "-" reads it from standard input')
    .option('--i-own-this', 'the servers are yours, or you may examine them')
    .option('--timeout <time>', 'how long one answer is waited for', durationOption(100), 5000)
    .addOption(
      new Option('--fail-on <severity>', 'what counts as a failure')
        .choices(['error', 'warning'])
        .default('error'),
    )
    .option('--ca <file>', 'PEM file of certificates to trust as well', fileOption)
    .option('--servername <name>', 'name to ask for by TLS, and to find in the certificate', servernameOption)
    .addOption(new Option('--format <format>', 'how to print it').choices(formats).default('human'))
    .addHelpText('after', help)
    .action(async (urls: string[]) => run(urls, command.optsWithGlobals<Options>(), context));
}

async function run(urls: readonly string[], options: Options, context: CommandContext): Promise<void> {
  const uris = await urisToAudit(urls, options, context);
  const stun = uris.find((uri) => !isTurn(uri));
  if (stun !== undefined) {
    throw new RtcOpsError('usage', `${stun.host} is named as a STUN server, which relays nothing`, {
      hint: 'Name it by turn: or turns:, or by its host name alone.',
    });
  }
  const ca = options.ca === undefined ? null : await trustAnchors(options.ca, context);
  const credential = await credentialSource(
    { ...options, duration: 0, ofConfig: urls.length === 0 },
    context,
  );
  const own = credential();
  const progress = await progressLine(options, context);
  const facts = await audit({
    uris,
    credential: own,
    otherCredential: own?.source === 'secret' ? await otherUser(options, context) : null,
    ...(ca === null ? {} : { ca }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    env: context.env,
    now: context.now,
    timeoutMs: options.timeout,
    signal: context.signal,
    onProgress: (what) => progress.show(what),
  }).finally(() => progress.stop());
  const report = judgeAudit(facts, { failOn: options.failOn, now: context.now() });
  // First the code: a reader that closes the pipe must not turn it into success.
  context.exitWith(report.exitCode);
  context.stdout(await rendered(report, options, context));
}

async function urisToAudit(
  urls: readonly string[],
  options: Options,
  context: CommandContext,
): Promise<readonly TurnUri[]> {
  if (urls.length === 0) return configuredUris(options, context);
  const uris = urls.flatMap(urisOf);
  if (options.iOwnThis === true) return uris;
  const loaded = await loadConfig({ config: options.config, workingDirectory: context.workingDirectory });
  const known = new Set(loaded ? urisOfHosts(loaded.config).map(({ host }) => host) : []);
  const stranger = uris.find(({ host }) => !known.has(host) && !isLoopback(host));
  if (stranger === undefined) return uris;
  throw new RtcOpsError('usage', `${stranger.host} is none of the hosts of rtc-ops.yaml`, {
    hint: 'An audit is for servers of your own. If it is yours, add it to hosts, or add --i-own-this.',
  });
}

/** A second user of the same secret, who tells the quota of one from that of all. */
async function otherUser(options: Options, context: CommandContext): Promise<TurnCredential | null> {
  // What is to be said of the file was said when the first credential was made.
  const found = await loadSecret(options, { ...context, stderr: () => {} });
  if (found === null) return null;
  const { secret } = found;
  return issueCredential({ secret, user: ownUsers.audit, ttlSeconds: probeTtlSeconds, now: context.now() });
}

/** This machine, whose own it is. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || (/^[\d.]+$|:/.test(host) && scopeOf(host) === 'loopback');
}

async function rendered(report: AuditReport, options: Options, context: CommandContext): Promise<string> {
  switch (options.format) {
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
    case 'sarif':
      return (await import('../report/audit-sarif.ts')).renderAuditSarif(report);
    case 'human': {
      const [{ renderAuditHuman }, { wantsColor }] = await Promise.all([
        import('../report/human-audit.ts'),
        import('./report.ts'),
      ]);
      return renderAuditHuman(report, { color: wantsColor(options, context), columns: context.columns });
    }
    default:
      return options.format satisfies never;
  }
}
