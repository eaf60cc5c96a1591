/**
 * `npm run bench [-- NAME…]`: measures every row, or those whose name contains one of the words, and prints the table.
 * Ends with 1 when a limit is missed.
 */
import { allocateBench } from './allocate-bench.ts';
import { codecBench } from './codec-bench.ts';
import { bulkIssueBench, serveBench } from './credentials-bench.ts';
import { deployBench } from './deploy-bench.ts';
import { analyzeBench, analyzeMemoryBench, dumpBench } from './dump-bench.ts';
import { lintBench } from './lint-bench.ts';
import {
  callProbeBench,
  doctorBench,
  manyTargetsBench,
  protocolProbeBench,
  uclientBench,
} from './probe-bench.ts';
import { renderBench } from './render-bench.ts';
import { captureBench, serverLogBench } from './recording-bench.ts';
import { holds, type Bench, type BenchRow } from './row.ts';
import { startUpBench } from './start-up-bench.ts';
import { tableOf } from './table.ts';

const benches: Record<string, Bench> = {
  version: startUpBench('--version'),
  help: startUpBench('--help'),
  lint: lintBench,
  render: renderBench,
  'credentials-bulk': bulkIssueBench,
  'credentials-serve': serveBench('rate'),
  'credentials-serve-p99': serveBench('p99'),
  codec: async () => {
    const { name, ours, theirs } = await codecBench();
    return {
      what: name,
      ours,
      unit: 'per s',
      against: { name: 'stun', figure: theirs },
      limit: { atLeast: 3 },
    };
  },
  'server-log': serverLogBench,
  capture: captureBench,
  dump: dumpBench,
  'analyze-process': analyzeBench,
  'analyze-memory': analyzeMemoryBench,
  'allocate-udp': allocateBench('udp'),
  'allocate-tcp': allocateBench('tcp'),
  'allocate-tls': allocateBench('tls'),
  probe: protocolProbeBench,
  'probe-uclient': uclientBench,
  call: callProbeBench,
  doctor: doctorBench,
  'deploy-first': deployBench('first'),
  'deploy-again': deployBench('again'),
  'deploy-fleet': deployBench('fleet'),
  'many-targets-time': manyTargetsBench('time'),
  'many-targets-memory': manyTargetsBench('memory'),
};

const words = process.argv.slice(2);
const chosen = Object.entries(benches).filter(
  ([name]) => words.length === 0 || words.some((word) => name.includes(word)),
);
const rows: BenchRow[] = [];
for (const [name, bench] of chosen) {
  if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${name} …`);
  rows.push(await bench());
}
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
process.stdout.write(`${tableOf(rows)}\n`);
if (rows.length === 0)
  process.stderr.write(`no row is named ${words.join(', ')}; there are ${Object.keys(benches).join(', ')}\n`);
process.exitCode = rows.length > 0 && rows.every((row) => holds(row) !== false) ? 0 : 1;
