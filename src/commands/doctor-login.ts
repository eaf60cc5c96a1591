import { RtcOpsError } from '../model/error.ts';
import type { Login } from './deployment/options.ts';

/** How to get to a server by ssh. */
export interface SshLogin {
  /** As ssh takes it. */
  readonly host: string;
  readonly options: readonly string[];
}

interface Options {
  readonly privateKey?: string;
  readonly sshCommonArgs?: string;
}

/** @throws RtcOpsError `usage` for arguments with a quote that does not end */
export function sshLogin(
  { address, user, port }: Login,
  { privateKey, sshCommonArgs = '' }: Options,
): SshLogin {
  return {
    host: user === null ? address : `${user}@${address}`,
    options: [
      // A key that nobody has compared could be that of anybody. What stands first counts.
      ...['-o', 'StrictHostKeyChecking=yes'],
      ...(port === null ? [] : ['-p', String(port)]),
      ...(privateKey === undefined ? [] : ['-i', privateKey]),
      ...wordsOf(sshCommonArgs),
    ],
  };
}

/** The words of a text as a shell has them: blanks part them, and quotes and backslashes keep them together. */
export function wordsOf(text: string): string[] {
  const words: string[] = [];
  let word: string | null = null;
  let quote: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '\\' && quote !== "'") word = (word ?? '') + text.charAt(++at);
    else if (quote !== null) {
      if (character === quote) quote = null;
      else word = (word ?? '') + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= '';
    } else if (/\s/.test(character)) {
      if (word !== null) words.push(word);
      word = null;
    } else word = (word ?? '') + character;
  }
  if (quote !== null) {
    throw new RtcOpsError('usage', `--ssh-common-args has a ${quote} that does not end`, {
      hint: 'For example: --ssh-common-args "-o ProxyJump=bastion"',
    });
  }
  return word === null ? words : [...words, word];
}
