import type { Finding } from '../model/finding.ts';
import type { ServerEvidence } from '../model/server-evidence.ts';
import type { ServerFacts } from '../model/server-facts.ts';
import type { ServerJudgement } from '../rules/doctor/server.ts';
import type { CommandContext } from './context.ts';

export interface ServerOptions {
  /** As ssh takes it; null for this machine. */
  readonly host: string | null;
  readonly sshOptions?: readonly string[];
  /** Ask as root by sudo. */
  readonly sudo?: boolean;
}

/** What was seen of a server, and what it shows. */
export interface ServerExamination {
  /** As it came, without its secrets. */
  readonly evidence: ServerEvidence;
  readonly facts: ServerFacts;
  /** `this machine`, `root@203.0.113.10`. */
  readonly name: string;
  /** Its own addresses, and those under which its configuration says that clients know it. */
  readonly addresses: readonly string[];
  readonly findings: readonly Finding[];
  /** Those of them that the lint has found in its configurations. */
  readonly lint: readonly Finding[];
  readonly notExamined: ServerJudgement['notExamined'];
}

/**
 * Looks at a server from within, here or over ssh. Reads only.
 * @throws RtcOpsError `tool-failed` when it cannot be looked at
 */
export async function examineServer(
  { host, sshOptions, sudo }: ServerOptions,
  { now, signal }: CommandContext,
): Promise<ServerExamination> {
  const { readEvidence } = await import('../probes/server/server-evidence.ts');
  const evidence = await readEvidence({
    host,
    now,
    signal,
    ...(sshOptions !== undefined && { sshOptions }),
    ...(sudo !== undefined && { elevate: sudo }),
  });
  return examineEvidence(evidence);
}

/**
 * The same of evidence that is there.
 * @param saved what the lint had found, of evidence whose secrets are gone
 */
export async function examineEvidence(
  evidence: ServerEvidence,
  saved?: readonly Finding[],
): Promise<ServerExamination> {
  const [{ serverFacts }, { redactedEvidence }, { lintServer }, { judgeServer }] = await Promise.all([
    import('../evidence/server/server-facts.ts'),
    import('../evidence/server/redaction.ts'),
    import('../coturn/lint/server.ts'),
    import('../rules/doctor/server.ts'),
  ]);
  const facts = serverFacts(evidence);
  const outside = facts.configurations.flatMap(({ settings }) =>
    (settings?.externalAddresses ?? []).map((each) => each.outside),
  );
  const lint = saved ?? lintServer(facts);
  return {
    evidence: redactedEvidence(evidence),
    facts,
    lint,
    name: facts.server,
    addresses: [...new Set([...facts.firewall.addresses, ...outside])],
    ...judgeServer(facts, lint),
  };
}
