import { Option, type Command } from 'commander';
import { requireConfig, type LoadedConfig } from '../config/load.ts';
import type { EffectiveValue } from '../config/provenance.ts';
import { exitCode } from '../model/error.ts';
import { defineImport } from './config-import.ts';
import type { CommandContext, GlobalOptions } from './context.ts';

interface ShowOptions extends GlobalOptions {
  readonly host?: string;
  readonly format: 'human' | 'json';
}

const schemaHelp = `
Editors that know JSON Schema complete and check rtc-ops.yaml by it. Write it
beside the file, and name it in its first line:

  rtc-ops config schema > rtc-ops.schema.json
  # yaml-language-server: $schema=rtc-ops.schema.json`;

const showHelp = `
Secrets are never shown: in their place stands where they come from. With --host
what that host says counts before what stands beside the hosts.

Examples:
  rtc-ops config show
  rtc-ops config show --host turn.example.com --format json`;

export function define(command: Command, context: CommandContext): void {
  command
    .command('schema')
    .description('print the JSON Schema of rtc-ops.yaml, for editors')
    .addHelpText('after', schemaHelp)
    .action(async () => {
      const { configJsonSchema } = await import('../config/json-schema.ts');
      context.stdout(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
      context.exitWith(exitCode.healthy);
    });
  command
    .command('show')
    .description('print the values that count, and where each of them comes from')
    .option('--host <name>', 'those that count for one of the hosts')
    .addOption(
      new Option('--format <format>', 'form of the result').choices(['human', 'json']).default('human'),
    )
    .addHelpText('after', showHelp)
    .action(async (_: unknown, show: Command) => runShow(show.optsWithGlobals<ShowOptions>(), context));
  defineImport(command, context);
}

async function runShow(options: ShowOptions, context: CommandContext): Promise<void> {
  const { workingDirectory } = context;
  const loaded = await requireConfig({ config: options.config, workingDirectory }, { allowsProvider: true });
  const [{ effectiveValues }, { hostNamed }] = await Promise.all([
    import('../config/provenance.ts'),
    import('../coturn/host-addresses.ts'),
  ]);
  const { text, config } = loaded;
  const host = options.host === undefined ? null : hostNamed(config.hosts, options.host);
  const values = effectiveValues(text, config, host);
  context.stdout(
    options.format === 'json' ? jsonOf(values, loaded, context) : humanOf(values, loaded, context),
  );
  context.exitWith(exitCode.healthy);
}

function jsonOf(values: readonly EffectiveValue[], { file }: LoadedConfig, { env }: CommandContext): string {
  const told = values.map(({ key, value, secret, origin }) => ({
    key,
    value: secret === null ? value : '[redacted]',
    origin,
    ...(secret === null
      ? {}
      : { secret: 'env' in secret ? { ...secret, isSet: env[secret.env] !== undefined } : secret }),
  }));
  return `${JSON.stringify({ schemaVersion: 1, file, values: told }, null, 2)}\n`;
}

function humanOf(values: readonly EffectiveValue[], loaded: LoadedConfig, context: CommandContext): string {
  const rows = values.map((each) => [each.key, valueText(each), originText(each, loaded, context)] as const);
  const widthOf = (column: 0 | 1, most: number): number =>
    Math.min(most, Math.max(...rows.map((row) => row[column].length)));
  // A long list of addresses makes its own row wide, not all of them.
  const [keyWidth, valueWidth] = [widthOf(0, 40), widthOf(1, 32)];
  return rows
    .map(([key, value, origin]) => `${key.padEnd(keyWidth)}  ${value.padEnd(valueWidth)}  ${origin}\n`)
    .join('');
}

function valueText({ value, secret }: EffectiveValue): string {
  if (secret !== null) return '[redacted]';
  return Array.isArray(value) ? `[${value.map(plainText).join(', ')}]` : plainText(value);
}

function plainText(value: EffectiveValue['value']): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function originText(
  { origin, secret }: EffectiveValue,
  { displayName }: LoadedConfig,
  { env }: CommandContext,
): string {
  const place =
    origin.kind === 'file'
      ? `${displayName}:${origin.line}:${origin.column}`
      : origin.kind === 'derived'
        ? `from ${origin.from}`
        : 'default';
  if (secret === null) return place;
  if ('file' in secret) return `file ${secret.file} (${place})`;
  const state = env[secret.env] === undefined ? ', which is not set' : '';
  return `environment ${secret.env}${state} (${place})`;
}
