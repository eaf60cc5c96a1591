import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { LoginLoop, LoginTally } from './login-loop.ts';
import { onHost } from './network.ts';
import type { ServerLab } from './server-lab.ts';

const program = fileURLToPath(new URL('login-loop.ts', import.meta.url));
const loader = new URL('../../support/typescript-loader.js', import.meta.url).href;

/** Has clients at the operator log in again and again, until what it gives is called. */
export function startLogins(lab: ServerLab, loop: LoginLoop): () => Promise<LoginTally> {
  const [file, args] = onHost(lab.id, 'operator', [process.execPath, '--import', loader, program]);
  const clients = execa(file, args, { stdin: 'pipe', reject: false });
  clients.stdin.write(`${JSON.stringify(loop)}\n`);
  return async () => {
    clients.stdin.end();
    return JSON.parse((await clients).stdout) as LoginTally;
  };
}
