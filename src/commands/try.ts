import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Config } from '../config/config.ts';
import { urisOfHost } from '../config/host-uri.ts';
import { findPortBlock } from '../coturn/port-block.ts';
import type { CoturnServer } from '../coturn/server.ts';
import { isInterrupted } from '../coturn/interrupt.ts';
import { createTemporaryDirectory } from '../coturn/temporary-directory.ts';
import { RtcOpsError } from '../model/error.ts';
import { Secret } from '../model/secret.ts';
import { formatTurnUri } from '../model/turn-uri.ts';
import type { CommandContext, GlobalOptions } from './context.ts';
import { criteriaOf } from './probe-criteria.ts';
import { progressLine, type ProgressLine } from './progress.ts';

interface Options extends GlobalOptions {
  readonly keep?: boolean;
  readonly yes?: boolean;
}

const help = `
Starts a coturn on 127.0.0.1 with a config and a secret of its own, issues a credential, probes it over UDP, TCP and
TLS with an audio call through the relay, prints the report, and removes everything again. Nothing outside a temporary
directory is written, and a coturn that runs as a service is not touched.`;

export function define(command: Command, context: CommandContext): void {
  command
    .option('--keep', 'leave coturn running until Ctrl-C, and say how to use it')
    .option('--yes', 'install coturn if it is missing (Debian and Ubuntu; root or sudo)')
    .addHelpText('after', help)
    .action(async () => run(command.optsWithGlobals<Options>(), context));
}

/** What stands in the temporary directory. */
interface Trial {
  readonly directory: string;
  readonly configFile: string;
  readonly secretFile: string;
  readonly certificateFile: string;
  readonly certificate: string;
  readonly secret: Secret;
  readonly config: Config;
}

async function run(options: Options, context: CommandContext): Promise<void> {
  const say = (text: string): void => {
    if (options.quiet !== true) context.stderr(`${text}\n`);
  };
  const version = await ensureCoturn(options, context, say);
  const directory = await createTemporaryDirectory('rtc-ops-try-');
  try {
    const trial = await prepare(directory, context.now());
    const server = await start(trial, version, context);
    try {
      const { udp, tls } = server.ports;
      say(`coturn ${version} runs on 127.0.0.1: UDP and TCP ${udp}, TLS ${tls}`);
      await probeTrial(trial, options, context, say);
      if (options.keep === true) await hold(trial, server, context);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  say('coturn is stopped, its files are removed');
}

/** The version of the installed coturn; installs it when that was allowed. */
async function ensureCoturn(
  options: Options,
  { signal, stderr }: CommandContext,
  say: (text: string) => void,
): Promise<string> {
  const { installedVersion } = await import('../coturn/executable.ts');
  const installed = await installedVersion(signal);
  if (installed !== null) return installed;
  if (options.yes !== true) {
    throw new RtcOpsError('tool-failed', 'coturn is not installed: there is no turnserver in PATH', {
      hint: 'rtc-ops try --yes installs it (Debian and Ubuntu; root or sudo), and leaves its service off.',
    });
  }
  say('coturn is missing: installing it, its service stays off …');
  const { installCoturn } = await import('../coturn/install.ts');
  await installCoturn({ signal, onOutput: options.debug === true ? stderr : () => {} });
  const version = await installedVersion(signal);
  if (version === null)
    throw new RtcOpsError('tool-failed', 'coturn was installed, but turnserver is not in PATH');
  return version;
}

async function prepare(directory: string, now: Date): Promise<Trial> {
  const secret = new Secret(randomBytes(32).toString('base64url'));
  const { certificate, key } = await selfSignedCertificate(now);
  const files = {
    configFile: join(directory, 'rtc-ops.yaml'),
    secretFile: join(directory, 'secret'),
    certificateFile: join(directory, 'cert.pem'),
    keyFile: join(directory, 'key.pem'),
  };
  await writeFile(files.secretFile, `${secret.reveal()}\n`, { mode: 0o600 });
  await writeFile(files.certificateFile, certificate);
  await writeFile(files.keyFile, key, { mode: 0o600 });
  await writeFile(files.configFile, await configText(files));
  const { requireConfig } = await import('../config/load.ts');
  const { config } = await requireConfig({ config: files.configFile, workingDirectory: directory });
  return { directory, certificate, secret, config, ...files };
}

async function configText({
  secretFile,
  certificateFile,
  keyFile,
}: Record<'secretFile' | 'certificateFile' | 'keyFile', string>): Promise<string> {
  const { first, last } = await findPortBlock(relayPorts + 2);
  const { fillTemplate, readTemplate } = await import('../model/template.ts');
  return fillTemplate(readTemplate('try/rtc-ops.yaml'), {
    plain: String(first),
    secure: String(first + 1),
    firstRelayPort: String(first + 2),
    lastRelayPort: String(last),
    secretFile: JSON.stringify(secretFile),
    certificateFile: JSON.stringify(certificateFile),
    keyFile: JSON.stringify(keyFile),
  });
}

// Three transports with a probe, an ICE agent and two callers each, and some to spare for what others hold.
const relayPorts = 100;

/** For 127.0.0.1 and localhost, good for a week from now on. */
async function selfSignedCertificate(now: Date): Promise<{ certificate: string; key: string }> {
  const { generate } = await import('selfsigned');
  const weekMs = 7 * 24 * 3600 * 1000;
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'rtc-ops try' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(now.getTime() + weekMs),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
  return { certificate: cert, key };
}

async function start(trial: Trial, version: string, { signal }: CommandContext): Promise<CoturnServer> {
  const [{ renderConfig }, { startCoturn }] = await Promise.all([
    import('../coturn/render.ts'),
    import('../coturn/server.ts'),
  ]);
  const text = renderConfig(trial.config, { version, secrets: [trial.secret] });
  return startCoturn({ config: { text }, signal });
}

async function probeTrial(
  trial: Trial,
  options: Options,
  context: CommandContext,
  say: (text: string) => void,
): Promise<void> {
  const [{ issueCredential }, { probe }, { createReport }, { printReport }] = await Promise.all([
    import('../credentials/issue.ts'),
    import('../probes/probe.ts'),
    import('../rules/report.ts'),
    import('./report.ts'),
  ]);
  const ttlSeconds = 3600;
  const credential = issueCredential({ secret: trial.secret, user: 'try', ttlSeconds, now: context.now() });
  say(`credential ${credential.username} is good for an hour; probing …`);
  const progress: ProgressLine = await progressLine(options, context);
  try {
    const observations = await probe({
      uris: urisOfHost('127.0.0.1', trial.config),
      controls: [],
      transports: null,
      families: null,
      credential: { source: 'secret', ...credential },
      callDurationMs: callMs,
      nat: null,
      timeoutMs: 5000,
      concurrency: 3,
      ca: trial.certificate,
      env: context.env,
      now: context.now,
      signal: context.signal,
      onProgress: progress.update,
    });
    progress.stop();
    // A coturn that Ctrl-C has ended refuses everything at once: that is no report to give.
    if (await isInterrupted(context.signal)) context.signal.throwIfAborted();
    const criteria = criteriaOf({}, context.now());
    context.stdout('\n');
    await printReport(createReport('try', observations, criteria), 'human', options, context);
  } finally {
    progress.stop();
  }
}

const callMs = 3000;

async function hold(trial: Trial, server: CoturnServer, context: CommandContext): Promise<void> {
  const [url] = urisOfHost('127.0.0.1', trial.config).map(formatTurnUri);
  context.stdout(
    [
      '',
      `coturn runs until Ctrl-C (pid ${server.pid}). In another terminal:`,
      `  rtc-ops probe --config ${trial.configFile} --ca ${trial.certificateFile}`,
      `  rtc-ops credentials issue --secret-file ${trial.secretFile} --url ${url} --format ice-servers`,
      '',
    ].join('\n'),
  );
  if (context.signal.aborted) return;
  const end = await Promise.race([once(context.signal, 'abort'), server.ended]);
  if (Array.isArray(end) || (await isInterrupted(context.signal))) return;
  const how = end.signal ?? `exit code ${end.exitCode}`;
  const tail = server.logText().trimEnd().split('\n').slice(-8);
  throw new RtcOpsError('tool-failed', `coturn ended by itself (${how})`, {
    hint: `The end of its log:\n    ${tail.join('\n    ')}`,
  });
}
