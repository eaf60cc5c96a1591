import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { startCoturn } from '../../src/coturn/server.ts';
import type { Report } from '../../src/model/report.ts';
import { median, type Bench, type BenchRow } from './row.ts';

const commandLine = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));
const secret = 'bench-secret';
const port = 23_478;
const tlsPort = 25_349;

interface Server {
  readonly directory: string;
  /** Arguments that probe the server over UDP, TCP and TLS. */
  readonly urls: readonly string[];
}

/** A coturn for the time of `work`, on so many addresses of loopback, from 127.0.0.1 on. */
async function withCoturn<T>(work: (server: Server) => Promise<T> | T, addresses = 1): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'rtc-ops-bench-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  execFileSync(
    'openssl',
    `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=bench
     -addext subjectAltName=IP:127.0.0.1 -keyout ${key} -out ${cert}`.split(/\s+/),
    { stdio: 'ignore' },
  );
  writeFileSync(join(directory, 'secret'), secret, { mode: 0o600 });
  const text = [
    ...Array.from({ length: addresses }, (_, index) => `listening-ip=127.0.0.${index + 1}`),
    'relay-ip=127.0.0.1',
    `listening-port=${port}`,
    `tls-listening-port=${tlsPort}`,
    `cert=${cert}`,
    `pkey=${key}`,
    'use-auth-secret',
    `static-auth-secret=${secret}`,
    'realm=bench',
    'min-port=26000',
    'max-port=29999',
    'allow-loopback-peers',
    'no-cli',
  ].join('\n');
  const server = await startCoturn({ config: { text } });
  try {
    return await work({
      directory,
      urls: [`turn:127.0.0.1:${port}`, `turn:127.0.0.1:${port}?transport=tcp`, `turns:127.0.0.1:${tlsPort}`],
    });
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true });
  }
}

interface Measured {
  readonly wallMs: number;
  readonly peakMb: number;
  readonly report: Report;
}

function probeArguments({ directory }: Server, args: readonly string[]): string[] {
  const files = ['--secret-file', join(directory, 'secret'), '--ca', join(directory, 'cert.pem')];
  return [commandLine, 'probe', ...args, ...files, '--format', 'json'];
}

/** One probe as a process of its own, with its peak memory; its time is from the start of the process to its end. */
function probeOnce(server: Server, args: readonly string[]): Measured {
  const peakFile = join(server.directory, 'peak');
  const recorder = ['--import', peakRecorder(server.directory, peakFile)];
  const started = performance.now();
  const report = reportOf([...recorder, ...probeArguments(server, args)]);
  const wallMs = performance.now() - started;
  return { wallMs, report, peakMb: Number(readFileSync(peakFile, 'utf8')) / 1024 };
}

/** How long one probe takes as users run it: the recorder of the memory costs 20 ms of its own. */
function plainProbeMs(server: Server, args: readonly string[]): number {
  const started = performance.now();
  const report = reportOf(probeArguments(server, args));
  const wallMs = performance.now() - started;
  requireHealthy(report);
  return wallMs;
}

function reportOf(args: readonly string[]): Report {
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (stdout === '') throw new Error(`the probe printed nothing: ${stderr}`);
  return JSON.parse(stdout) as Report;
}

/** A module that has a process write its peak memory (KiB) when it exits. */
export function peakRecorder(directory: string, peakFile: string): string {
  const file = join(directory, 'peak.mjs');
  writeFileSync(
    file,
    `import { writeFileSync } from 'node:fs';
     if (!process.send) process.on('exit', () => writeFileSync(${JSON.stringify(peakFile)}, String(process.resourceUsage().maxRSS)));`,
  );
  return file;
}

function healthy(measured: Measured): Measured {
  requireHealthy(measured.report);
  return measured;
}

function requireHealthy({ verdict, headline }: Report): void {
  if (verdict !== 'healthy') throw new Error(`the benchmark's own server is ${verdict}: ${headline}`);
}

/** UDP, TCP and TLS of one server without a call, start of the process included. */
export const protocolProbeBench: Bench = () =>
  withCoturn((server): BenchRow => {
    const ours = Array.from({ length: 11 }, () => plainProbeMs(server, [...server.urls, '--no-call']));
    return {
      what: 'probe --no-call, udp + tcp + tls',
      ours: median(ours),
      unit: 'ms',
      against: null,
      limit: { atMost: 400 },
    };
  });

/** The same against uclient, which is asked for UDP alone. */
export const uclientBench: Bench = () =>
  withCoturn((server): BenchRow => {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < 3; round++) {
      ours.push(plainProbeMs(server, [...server.urls, '--no-call']));
      const started = performance.now();
      spawnSync('turnutils_uclient', `-n 1 -y -c -W ${secret} -u bench -p ${port} 127.0.0.1`.split(' '), {
        timeout: 20_000,
      });
      theirs.push(performance.now() - started);
    }
    return {
      what: 'probe --no-call, udp + tcp + tls',
      ours: median(ours),
      unit: 'ms',
      against: { name: 'turnutils_uclient -n 1 -y, udp', figure: median(theirs) },
      limit: { atMost: 0.2 },
    };
  });

/** What a probe costs beyond the length of its call. */
export const callProbeBench: Bench = () =>
  withCoturn((server): BenchRow => {
    const callMs = 3000;
    const beyond = [1, 2, 3].map(() => healthy(probeOnce(server, server.urls)).wallMs - callMs);
    return {
      what: 'probe with a 3 s call, beyond the call',
      ours: median(beyond),
      unit: 'ms',
      against: null,
      limit: { atMost: 1200 },
    };
  });

/** Ten times the targets: wall time and memory may grow tenfold at most. */
export function manyTargetsBench(figure: 'time' | 'memory'): Bench {
  return () =>
    withCoturn((server): BenchRow => {
      const probeTargets = (count: number): Measured => {
        const urls = Array.from({ length: count }, (_, index) => `turn:127.0.0.${index + 1}:${port}`);
        const measured = probeOnce(server, [...urls, '--no-call', '--concurrency', String(count)]);
        const answered = measured.report.targets.filter(({ checks }) =>
          checks.some(({ id, status }) => id === 'turn-release' && status === 'passed'),
        );
        if (answered.length !== count)
          throw new Error(`only ${answered.length} of ${count} targets were examined`);
        return measured;
      };
      const few = [1, 2, 3].map(() => probeTargets(20));
      const many = [1, 2, 3].map(() => probeTargets(200));
      const valueOf = ({ wallMs, peakMb }: Measured): number => (figure === 'time' ? wallMs : peakMb);
      return {
        what: `200 targets at once, ${figure}`,
        ours: median(many.map(valueOf)),
        unit: figure === 'time' ? 'ms' : 'MB',
        against: { name: '20 targets', figure: median(few.map(valueOf)) },
        limit: { atMost: 10 },
      };
    }, 200);
}

/** What users wait for: a look from within and from here, with a call over each transport. */
export const doctorBench: Bench = async () => {
  const ours = await withCoturn(({ directory, urls }) => {
    const files = ['--secret-file', join(directory, 'secret'), '--ca', join(directory, 'cert.pem')];
    const started = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [
      commandLine,
      'doctor',
      '--local',
      ...urls,
      ...files,
    ]);
    if (status !== 0 && status !== 1) throw new Error(`doctor ended with ${status}: ${String(stderr)}`);
    return (performance.now() - started) / 1000;
  });
  return { what: 'doctor --local, with calls', ours, unit: 's', against: null, limit: { atMost: 15 } };
};
