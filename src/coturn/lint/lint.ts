import { addressFindings } from './addresses.ts';
import { advisoryFindings } from './advisories.ts';
import { authenticationFindings } from './authentication.ts';
import { exposureFindings } from './exposure.ts';
import type { LintFacts } from './facts.ts';
import { optionNameFindings } from './option-names.ts';
import { optionValueFindings } from './option-values.ts';
import { peerFindings } from './peers.ts';
import { secretFindings } from './secrets.ts';
import { lastOf, sourceOf, textOf, type LintFinding, type LintRule } from './source.ts';
import { duplicateFindings, syntaxFindings } from './syntax.ts';
import { tlsFileOptions, tlsFindings } from './tls.ts';

const rules: readonly LintRule[] = [
  syntaxFindings,
  optionNameFindings,
  optionValueFindings,
  duplicateFindings,
  authenticationFindings,
  secretFindings,
  peerFindings,
  addressFindings,
  tlsFindings,
  exposureFindings,
  advisoryFindings,
];

const weight = { error: 0, warning: 1, info: 2 } as const;

/**
 * All that is wrong with a `turnserver.conf`, in the order of its lines. Of what concerns the whole file errors come
 * first, and what is merely missing comes last. Pure: what it says follows from the facts alone.
 */
export function lint(facts: LintFacts): LintFinding[] {
  const source = sourceOf(facts);
  const cut = new Set(source.directives.flatMap(({ line, isRest }) => (isRest ? [line] : [])));
  return rules
    .flatMap((rule) => rule(source))
    .map((each) => (cut.has(rankOf(each)) ? withoutEdit(each) : each))
    .map((each) => ({ each, rank: rankOf(each) }))
    .toSorted((a, b) => a.rank - b.rank || weight[a.each.finding.severity] - weight[b.each.finding.severity])
    .map(({ each }) => each);
}

/** A line that coturn takes for two is not to be changed as one. */
function withoutEdit({ finding }: LintFinding): LintFinding {
  if (!('replacement' in finding.evidence)) return { finding, edit: null };
  const evidence = { ...finding.evidence, replacement: null };
  return { finding: { ...finding, evidence } as typeof finding, edit: null };
}

function rankOf({ finding: { evidence, severity } }: LintFinding): number {
  const line = 'endColumn' in evidence ? evidence.line : null;
  return line ?? (severity === 'error' ? 0 : Number.MAX_SAFE_INTEGER);
}

/** What could not be judged, and why, a sentence each: nothing of it counts as found in order. */
export function notJudged(facts: LintFacts): string[] {
  const { coturn, host } = facts;
  const version =
    coturn.from === 'assumed'
      ? ['Not judged: known holes of the version in use. --coturn-version names it.']
      : [];
  if (host === null) {
    const what = 'Not judged: files, modes and addresses of the machine that is to run it.';
    return [...version, `${what} On that machine add --here.`];
  }
  const service =
    host.service === null
      ? ['Not judged: what coturn may read and open. No service coturn is on this machine.']
      : [];
  const ports =
    host.service?.lowestPort === null ? ['Not judged: which ports coturn may open. getcap would tell.'] : [];
  const closed = Object.entries(host.files).flatMap(([path, { error, pem }]) => {
    const isUnknown = error !== null && !['ENOENT', 'ENOTDIR'].includes(error);
    if (isUnknown) return [`Not judged: ${path} (${error}). As root more is seen.`];
    return error === null && pem === null ? [`Not judged: what is in ${path}. As root more is seen.`] : [];
  });
  const source = sourceOf(facts);
  // coturn looks for them in its working directory and in several others.
  const relative = tlsFileOptions.flatMap((name) => {
    const path = textOf(lastOf(source, name) ?? { value: '/' });
    return path.startsWith('/') ? [] : [`Not judged: the file of ${name}, whose path is relative.`];
  });
  return [...version, ...service, ...ports, ...closed, ...relative];
}
