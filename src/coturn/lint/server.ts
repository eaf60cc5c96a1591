import type { Finding } from '../../model/finding.ts';
import type { ServerFacts } from '../../model/server-facts.ts';
import { defaultVersion, nearestVersion } from '../versions.ts';
import type { CoturnFacts } from './facts.ts';
import { lint } from './lint.ts';

/**
 * What the lint finds in every configuration that a server reads, with what stands on the command line behind it. Pure.
 * What is found in an option of the command line has that for its file.
 */
export function lintServer(facts: ServerFacts): Finding[] {
  const coturn = coturnFacts(facts);
  const known = new Set<string>();
  return facts.configurations.flatMap(({ path, text, argumentLines, host, pids }) => {
    if (text.state === 'unknown') return [];
    const own = text.value.reveal().replace(/\n?$/, '\n');
    const lines = own.split('\n').length - 1;
    const whole = `${own}${argumentLines.reveal()}`;
    // Two processes with the same are judged once.
    const key = JSON.stringify([path, whole]);
    if (known.has(key)) return [];
    known.add(key);
    const findings = lint({ file: path, text: whole, coturn, users: null, host, now: facts.takenAt });
    return findings.map(({ finding }) => placed(finding, lines, pids[0] ?? 0));
  });
}

function placed(finding: Finding, lines: number, pid: number): Finding {
  const { evidence } = finding;
  if (!('endColumn' in evidence) || evidence.line === null || evidence.line <= lines) return finding;
  const file = `the command line of process ${pid}`;
  return { ...finding, evidence: { ...evidence, file, line: null } } as Finding;
}

function coturnFacts({ coturn }: ServerFacts): CoturnFacts {
  if (coturn.state === 'unknown' || coturn.value === null)
    return { version: defaultVersion, release: defaultVersion, from: 'assumed', packaged: null };
  const { release, packaged } = coturn.value;
  return { version: nearestVersion(release), release, from: 'installed', packaged };
}
