import { configurationLines } from '../../coturn/command-line.ts';
import { redacted } from '../../coturn/redaction.ts';
import { accountName } from '../../coturn/lint/service.ts';
import type { ServerEvidence } from '../../model/server-evidence.ts';
import { lineOf, textOf } from './section.ts';

/** The words of a command line. */
export function argvOf(evidence: ServerEvidence, pid: number): string[] {
  const text = textOf(evidence, `process ${pid} arguments`);
  return text === '' ? [] : text.replace(/\n$/, '').split('\n');
}

/** A command line without what is secret in it. */
export function redactedArgv(argv: readonly string[]): string[] {
  const isSecret = (...words: readonly string[]): boolean =>
    configurationLines(['', ...words]).some((line) => redacted(line) !== line);
  return argv.map((word, index) => {
    const before = argv[index - 1] ?? '';
    // `-u NAME:PASSWORD` is two words, and `-uNAME:PASSWORD` one.
    const isValue = before.startsWith('-') && isSecret(before, word) && !isSecret(word);
    if (isValue && !isSecret(before, '')) return '[redacted]';
    return isSecret(word) && !word.startsWith('--') ? '[redacted]' : redacted(word);
  });
}

/** Whether a process has a network of its own. */
export function isElsewhere(evidence: ServerEvidence, pid: number): boolean {
  const links = textOf(evidence, `process ${pid} links`);
  const [network, own] = [lineOf(links, 'ns/net') ?? '', lineOf(links, 'own-net') ?? ''];
  return network !== '' && own !== '' && network !== own;
}

/** Whom a process runs as, and what that may do. */
export interface ProcessAccount {
  readonly user: string;
  readonly uid: number;
  readonly gids: readonly number[];
  /** Null when that may not be seen. */
  readonly mayBindLowPorts: boolean | null;
  /** Whether it changes its user itself (proc-user), after it has read its files and opened its ports. */
  readonly hasDropped: boolean;
}

export function accountOf(evidence: ServerEvidence, pid: number): ProcessAccount {
  const status = textOf(evidence, `process ${pid} status`);
  const field = (name: string): string => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? '';
  // Real, effective, saved and file system ID: files are opened by the last.
  const uid = Number(field('Uid').split(/\s+/).at(-1));
  const gids = [field('Gid').split(/\s+/).at(-1), ...field('Groups').trim().split(/\s+/)]
    .filter((each) => each !== undefined && each !== '')
    .map(Number);
  const capabilities = /^[\da-f]{1,16}$/i.exec(field('CapEff'))?.[0];
  const lines = [
    ...configurationLines(argvOf(evidence, pid)),
    ...textOf(evidence, `configuration ${pid} text`).split('\n'),
  ];
  return {
    user: accountName(textOf(evidence, 'passwd'), uid),
    uid,
    gids: [...new Set(gids)],
    // CAP_NET_BIND_SERVICE (capability.h).
    mayBindLowPorts: capabilities === undefined ? null : ((BigInt(`0x${capabilities}`) >> 10n) & 1n) === 1n,
    hasDropped: lines.some((line) => /^\s*proc-(?:user|group)\b/.test(line)),
  };
}
