/** Another user of the server, who holds an allocation until it is killed: `holder.ts ADDRESS USER SECRET-FILE`. */
import { readFileSync } from 'node:fs';
import { issueCredential } from '../../src/credentials/issue.ts';
import { Secret } from '../../src/model/secret.ts';
import { allocate } from '../../src/turn/allocation.ts';

const [address = '', user = '', secretFile = ''] = process.argv.slice(2);
const secret = new Secret(readFileSync(secretFile, 'utf8').trimEnd());

await allocate({
  server: { transport: 'udp', endpoint: { address, port: 3478 }, verifyTls: false },
  credential: issueCredential({ secret, user, ttlSeconds: 3600, now: new Date() }),
  timeoutMs: 5000,
  signal: new AbortController().signal,
});
process.stdout.write('ready\n');
// Its keep-alive timer does not keep the process.
setInterval(() => {}, 60_000);
