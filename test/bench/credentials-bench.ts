import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { median, type Bench, type BenchRow } from './row.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));
const secret = 'a-secret-of-the-bench-that-is-as-long-as-they-are';
const key = '0123456789abcdef0123456789abcdef';

const bulkCount = 900_000;
const bulkRounds = 3;

/** The least that makes as many credentials: the HMAC of a username each, and nothing printed. */
const bareHmac = `
  const { createHmac } = require('node:crypto');
  for (let n = 1; n <= ${bulkCount}; n++) {
    createHmac('sha1', ${JSON.stringify(secret)}).update('4000000000:load-' + n).digest('base64');
  }`;

/** `credentials issue --count`, as a whole process that prints to nobody, against bare createHmac, as a whole process. */
export const bulkIssueBench: Bench = async () => {
  const args = ['credentials', 'issue', 'load', '--count', String(bulkCount), '--format', 'json'];
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < bulkRounds; round++) {
    ours.push(perSecond([commandLine, ...args]));
    bare.push(perSecond(['-e', bareHmac]));
  }
  return {
    what: `credentials issue --count ${bulkCount}`,
    ours: median(ours),
    unit: 'per s',
    against: { name: 'bare createHmac', figure: median(bare) },
    limit: { atLeast: 0.5 },
  };
};

function perSecond(args: readonly string[]): number {
  const startedAt = performance.now();
  const { status } = spawnSync(process.execPath, args, {
    stdio: 'ignore',
    env: { ...process.env, RTC_OPS_SECRET: secret },
  });
  if (status !== 0) throw new Error(`${args.slice(0, 3).join(' ')} ended with ${status}`);
  return (bulkCount / (performance.now() - startedAt)) * 1000;
}

const bareService = `
  import fastify from 'fastify';
  const server = fastify();
  server.get('/', (request, reply) => reply.send({ hello: 'world' }));
  console.log('listening on ' + (await server.listen({ port: 0, host: '127.0.0.1' })));`;

// Short and many: what else the machine does for a second must not decide.
const loadSeconds = 1;
const loadRounds = 11;
const connections = 20;

interface Load {
  readonly requestsPerSecond: number;
  readonly p99Ms: number;
}

/** `credentials serve` under load (an API key, the TURN REST API, the figures) against the "hello" of a bare fastify. */
export function serveBench(figure: 'rate' | 'p99'): Bench {
  return async () => {
    const { ours, bare } = await (measured ??= measure());
    const of = (loads: readonly Load[], what: keyof Load): number => median(loads.map((load) => load[what]));
    const row: BenchRow =
      figure === 'rate'
        ? {
            what: 'credentials serve, requests',
            ours: of(ours, 'requestsPerSecond'),
            unit: 'per s',
            against: { name: 'fastify "hello"', figure: of(bare, 'requestsPerSecond') },
            limit: { atLeast: 0.6 },
          }
        : {
            what: `credentials serve, p99 of ${connections} connections`,
            ours: of(ours, 'p99Ms'),
            unit: 'ms',
            against: { name: 'fastify "hello"', figure: of(bare, 'p99Ms') },
            limit: null,
          };
    return row;
  };
}

// Both rows tell of the same load.
let measured: Promise<{ ours: Load[]; bare: Load[] }> | undefined;

async function measure(): Promise<{ ours: Load[]; bare: Load[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  writeFileSync(join(directory, 'keys'), `bench ${key} rate=off\n`, { mode: 0o600 });
  const args = ['credentials', 'serve', '--listen', '127.0.0.1:0', '--api-keys', join(directory, 'keys')];
  const servers: Server[] = [];
  try {
    servers.push(await started([commandLine, ...args, '--url', 'turn.example.com']));
    servers.push(await started(['--input-type=module', '-e', bareService]));
    const [ours, bare] = [[], []] as [Load[], Load[]];
    // In turns, so that a busy machine slows both; the first of each warms up the compiler and is not counted.
    for (let round = 0; round <= loadRounds; round++) {
      for (const [index, loads] of [ours, bare].entries()) {
        const load = await loadOf(servers[index]?.url ?? '');
        if (round > 0) loads.push(load);
      }
    }
    return { ours, bare };
  } finally {
    for (const { child } of servers) {
      child.kill('SIGTERM');
      await once(child, 'close');
    }
    rmSync(directory, { recursive: true });
  }
}

interface Server {
  readonly child: ChildProcess;
  readonly url: string;
}

async function started(args: readonly string[]): Promise<Server> {
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, RTC_OPS_SECRET: secret },
  });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(line))?.[0];
  if (url === undefined) throw new Error(`no server: ${String(line)}`);
  return { child, url };
}

async function loadOf(url: string): Promise<Load> {
  const result = await autocannon({
    url: `${url}/?service=turn&username=alice`,
    connections,
    duration: loadSeconds,
    headers: { authorization: `Bearer ${key}` },
  });
  if (result.non2xx > 0 || result.errors > 0) throw new Error(`${result.non2xx} requests were refused`);
  return { requestsPerSecond: result.requests.average, p99Ms: result.latency.p99 };
}
