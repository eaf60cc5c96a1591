import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import type { Seen } from '../../model/firewall-facts.ts';
import type { FilterTable } from '../../model/packet-filter.ts';
import { parseIptablesSave } from './iptables-ruleset.ts';
import { parseNftRuleset } from './nft-ruleset.ts';

const timeoutMs = 20_000;
// The tools lie where only root looks.
const withSystemPath = ['-c', 'PATH="$PATH:/usr/sbin:/sbin"; exec "$0" "$@"'];
// POSIX, of a shell: there is no such program.
const notFound = 127;

interface Run {
  readonly output: string;
  /** Why there is no output; null when the program succeeded. */
  readonly failure: 'missing' | 'refused' | null;
}

async function run(signal: AbortSignal, program: string, ...args: string[]): Promise<Run> {
  const { stdout, exitCode } = await execa('sh', [...withSystemPath, program, ...args], {
    reject: false,
    timeout: timeoutMs,
    cancelSignal: signal,
    // What is read here does not depend on the language of the user.
    env: { LC_ALL: 'C' },
    stdin: 'ignore',
    maxBuffer: 256 * 1024 * 1024,
  });
  signal.throwIfAborted();
  if (exitCode === 0) return { output: stdout, failure: null };
  return { output: '', failure: exitCode === notFound ? 'missing' : 'refused' };
}

/** Every rule that packets to this machine meet: those of nftables, and those of iptables in both its kinds. */
export async function loadedRules(signal: AbortSignal): Promise<Seen<FilterTable[]>> {
  if (process.platform !== 'linux') return unknown('the rules are read on Linux alone');
  const [ruleset, listing] = await Promise.all([
    run(signal, 'nft', '-j', 'list', 'ruleset'),
    run(signal, 'nft', '-a', 'list', 'ruleset'),
  ]);
  if (ruleset.failure !== null) return unknown(nftFailure(ruleset.failure));
  const saved = ruleset.output.includes('"xt"') ? await savedTables(signal) : [];
  const tables = parseNftRuleset(ruleset.output, listing.output, saved);
  const legacy = await legacyTables(signal);
  if (legacy.state === 'unknown') return legacy;
  return { state: 'seen', value: [...tables, ...legacy.value] };
}

function unknown(because: string): { readonly state: 'unknown'; readonly because: string } {
  return { state: 'unknown', because };
}

function nftFailure(failure: 'missing' | 'refused'): string {
  if (failure === 'missing') {
    return 'nft is not installed, and without it no rule can be read: sudo apt-get install nftables';
  }
  return process.getuid?.() === 0
    ? 'nft list ruleset failed: this system lets nobody read its rules'
    : 'reading the rules needs root: run it with sudo';
}

/** Where the tool is not there, what nft shows of its rules stands, and what it shows by name alone is not understood. */
async function savedTables(signal: AbortSignal): Promise<FilterTable[]> {
  const [ipv4, ipv6] = await Promise.all([
    run(signal, 'iptables-nft-save'),
    run(signal, 'ip6tables-nft-save'),
  ]);
  return [...parseIptablesSave(ipv4.output, 'iptables'), ...parseIptablesSave(ipv6.output, 'ip6tables')];
}

/** The tables of the older kernel interface, which nft does not see. */
async function legacyTables(signal: AbortSignal): Promise<Seen<FilterTable[]>> {
  const tables: FilterTable[] = [];
  for (const [tool, file] of [
    ['iptables', '/proc/self/net/ip_tables_names'],
    ['ip6tables', '/proc/self/net/ip6_tables_names'],
  ] as const) {
    if (!(await hasText(file))) continue;
    const saved = await run(signal, `${tool}-legacy-save`);
    if (saved.failure !== null)
      return unknown(`${tool}-legacy has rules, and ${tool}-legacy-save cannot be run`);
    tables.push(...parseIptablesSave(saved.output, tool));
  }
  return { state: 'seen', value: tables };
}

async function hasText(file: string): Promise<boolean> {
  try {
    return (await readFile(file, 'utf8')).trim() !== '';
  } catch (error) {
    // Without the module there is no such file, and nothing that it filters.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false;
    throw error;
  }
}
