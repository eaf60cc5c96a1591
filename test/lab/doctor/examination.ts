import type { DoctorFinding, DoctorReport } from '../../../src/model/doctor-report.ts';
import type { FindingCode } from '../../../src/model/finding.ts';
import type { Box } from './box.ts';
import type { Asking } from './breakage.ts';

export interface Examination {
  readonly report: DoctorReport;
  readonly durationMs: number;
}

/** Has doctor look at the server of a box from the operator's machine and from within. */
export async function examined(box: Box, asking: Asking = {}): Promise<Examination> {
  const { urls = [box.server.host], credential, options = [], call = false, host, user = 'root' } = asking;
  const login = credential === undefined ? ['--secret-file', 'secret.txt'] : credential(box);
  const args = [
    ...urls,
    ...(host === null ? [] : ['--host', `${user}@${box.server.ipv4}`]),
    ...login,
    ...['--ca', 'ca.pem', '--timeout', '2500ms', '--format', 'json'],
    ...(call ? [] : ['--no-call']),
    ...options,
  ];
  const startedAt = performance.now();
  const { stdout, stderr } = await box.rtcOps('doctor', ...args);
  if (stdout === '') throw new Error(`doctor ${args.join(' ')}: ${stderr}`);
  const durationMs = performance.now() - startedAt;
  return { report: JSON.parse(stdout) as DoctorReport, durationMs };
}

/** The root causes, without remarks, and without advice on what others could do: the first leads. */
export function rootCauses({ findings }: DoctorReport): DoctorFinding[] {
  return findings.filter(
    ({ causeId, severity, isHardening }) =>
      causeId === null && (severity === 'error' || (severity === 'warning' && !isHardening)),
  );
}

export function codesOf(findings: readonly DoctorFinding[]): FindingCode[] {
  return findings.map(({ code }) => code);
}

/** Types in what a finding says is to be done, where it can be typed in, and gives those lines. */
export async function applied(box: Box, { fix }: DoctorFinding): Promise<string[]> {
  const done: string[] = [];
  for (const line of fix.split('\n')) {
    const [, where = '', text = ''] = /^(\S.*?): {2}(.+)$/.exec(line) ?? [];
    const [, number] = /^\/etc\/turnserver\.conf(?::(\d+))?$/.exec(where) ?? [];
    if (where === 'on the server') {
      const { exitCode, stderr } = await box.server.console(text);
      // What only looks may say by its exit code what it saw.
      if (exitCode !== 0 && !isLook(text)) throw new Error(`${text}\nended with ${exitCode}: ${stderr}`);
    } else if (where.startsWith('/etc/turnserver.conf')) await configuredWith(box, text, number);
    else continue;
    done.push(line);
  }
  // A line of the configuration counts from the next start on.
  if (done.some((line) => line.startsWith('/etc/')) && !done.some((line) => line.includes('restart')))
    await box.onServer('systemctl restart coturn');
  return done;
}

function isLook(command: string): boolean {
  return /^(sudo )?(ss|grep|journalctl|systemctl (status|cat)|ls|turnserver --version|nft list)\b/.test(
    command,
  );
}

/** A line in the place of the one with that number, or of those of its option; an option that may stand often is added. */
async function configuredWith({ onServer }: Box, line: string, number: string | undefined): Promise<void> {
  const option = line.split('=')[0] ?? line;
  const isList = /^(denied-peer-ip|allowed-peer-ip|user|listening-ip|relay-ip)$/.test(option);
  const config = '/etc/turnserver.conf';
  if (number !== undefined) await onServer(`sed -i '${number}c ${line}' ${config}`);
  else if (isList) await onServer(`echo '${line}' >>${config}`);
  else await onServer(`sed -i '/^${option}\\(=\\|$\\)/d' ${config}; echo '${line}' >>${config}`);
}
