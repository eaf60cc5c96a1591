import { fileURLToPath } from 'node:url';
import type { FindingCode } from '../../../src/model/finding.ts';
import type { Box } from './box.ts';

/** One way to break a healthy service, and what doctor has to say of it. Written from what is true, never from what it said. */
export interface Breakage {
  /** The root cause, by its name in the list of those that recur. */
  readonly cause: string;
  /** What was done, for the table. */
  readonly broken: string;
  readonly breakIt: (box: Box) => Promise<unknown>;
  readonly ask?: Asking;
  /** How it is asked when it is mended, where that is another way. */
  readonly askAfter?: Asking;
  /** The root cause that leads the report, and beside which there is no other. */
  readonly headline: FindingCode;
  /**
   * `printed`: what doctor prints is typed in, line by line, and the service is healthy. A script: what it says in words is
   * done by that. Null: nothing on the server is to be mended.
   */
  readonly fix: 'printed' | { readonly words: string; readonly apply: (box: Box) => Promise<unknown> };
}

/** How doctor is asked. */
export interface Asking {
  /** Null: not looked at from within. */
  readonly host?: null;
  /** Whose account on the server it has; root's otherwise. */
  readonly user?: 'deploy' | 'guest';
  readonly urls?: readonly string[];
  /** Options in the place of `--secret-file`. */
  readonly credential?: (box: Box) => readonly string[];
  readonly options?: readonly string[];
  /** With a call through the relay; without it most is told faster. */
  readonly call?: true;
}

// A coturn that does not come up keeps systemctl waiting for a minute.
const restart = 'systemctl reset-failed coturn; timeout 3 systemctl restart coturn';

/** Lines put into turnserver.conf, and coturn restarted. */
export function configured(...lines: readonly string[]) {
  return async ({ onServer }: Box): Promise<unknown> =>
    onServer(`cat >>/etc/turnserver.conf <<'LINES'\n${lines.join('\n')}\nLINES\n${restart} || true`);
}

/** Edits of turnserver.conf by sed, and coturn restarted. */
export function edited(...expressions: readonly string[]) {
  return async ({ onServer }: Box): Promise<unknown> =>
    onServer(
      `sed -i ${expressions.map((each) => `-e '${each}'`).join(' ')} /etc/turnserver.conf; ${restart} || true`,
    );
}

export function onServer(script: string) {
  return async (box: Box): Promise<unknown> => box.onServer(script);
}

/** A firewall before the server, that of a provider say. What the server sends passes: a port of the client may be in its range too. */
export function beforeServer(rule: string) {
  return async ({ onRouter, server }: Box): Promise<unknown> =>
    onRouter(`nft 'add table ip provider; add chain ip provider forward { type filter hook forward priority 0; }
      add rule ip provider forward ip daddr ${server.ipv4} ${rule}'`);
}

/** Nothing is left before the server. */
export const openBeforeServer = async ({ onRouter }: Box): Promise<unknown> => onRouter('nft flush ruleset');

/** A client of its own, beside doctor: see roaming-client.ts. */
export async function roamed(
  { onOperator, server }: Box,
  how: 'waits' | 'same-port' | 'leaves',
): Promise<void> {
  const project = fileURLToPath(new URL('../../..', import.meta.url));
  await onOperator(`${process.execPath} --import ${project}test/support/typescript-loader.js \
    ${project}test/lab/roaming-client.ts ${server.ipv4} alice secret.txt ${how}`);
}
