import { describe, expect, it } from 'vitest';
import { fileSource } from '../../../src/evidence/byte-source.ts';
import { readRecordings } from '../../../src/evidence/recording.ts';
import { recordedCallCatalog, wordsOf } from '../../../src/model/finding.ts';
import type { Recording } from '../../../src/model/recording-report.ts';
import { judgeRecordings, type JudgedRecordings } from '../../../src/rules/analysis/recordings.ts';
import { callRules, healthyRecordings, type RuleProof } from '../../lab/call-rules.ts';
import { callScenarios } from '../../lab/call-scenarios.ts';
import { keyOf, ruleTable, scenarioOf } from '../../lab/rule-table.ts';
import { anyCall, recordingPath } from '../../support/recorded-calls.ts';

const now = Date.UTC(2026, 10, 21);
const read = new Map<string, Promise<Recording[]>>();
const said = new Map<string, string>();

async function part(name: string): Promise<Recording[]> {
  const known = read.get(name) ?? readRecordings(fileSource(recordingPath(name), name), name, now);
  read.set(name, known);
  return known;
}

async function judged(files: readonly string[]): Promise<JudgedRecordings> {
  const all = judgeRecordings((await Promise.all(files.map(part))).flat(), anyCall);
  const [first] = all.findings;
  const words = all.calls?.headline ?? (first === undefined ? 'no fault is seen' : wordsOf(first).title);
  said.set(keyOf(files), all.calls === null ? words : `${all.calls.verdict}: ${words}`);
  return all;
}

/** What is not as the proof wants it; a list, so that a test shows all of it. */
function lackingIn(
  { findings, calls }: JudgedRecordings,
  { finding, isRoot, said: words }: RuleProof,
): string[] {
  const codes = findings.map(({ code }) => code);
  const [first] = findings;
  const text = JSON.stringify([findings.map(wordsOf), calls]);
  const roots = findings.filter(({ severity, causedBy }) => severity === 'error' && causedBy === null);
  // What follows is folded under its cause; how good the sound was can be told beside it.
  const isCrowded = isRoot && new Set(roots.map(({ code }) => code)).size > 2;
  return [
    ...(finding === null || codes.includes(finding) ? [] : [`${finding} is not among ${codes.join(', ')}`]),
    ...(isRoot && (first?.code !== finding || first?.causedBy !== null)
      ? [`the root is ${first?.code ?? 'none'}`]
      : []),
    ...(words === null || text.includes(words) ? [] : [`“${words}” is not said`]),
    ...(isCrowded ? [`there are several roots: ${codes.join(', ')}`] : []),
  ];
}

describe('a call that was broken in one way', () => {
  const proofs = callRules.flatMap(({ rule, proofs: each }) =>
    each.map((proof) => ({ rule, proof, files: keyOf(proof.files) })),
  );

  it.each(proofs)('$rule: $files', async ({ proof }) => {
    expect(lackingIn(await judged(proof.files), proof)).toEqual([]);
  });
});

describe('a call with nothing wrong in it', () => {
  it.each(healthyRecordings)('$source: nothing above info, $verdict', async ({ files, verdict }) => {
    const { findings, calls } = await judged(files);
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(calls?.verdict ?? null).toBe(verdict);
  });
});

describe('the rules', () => {
  it('of tier 1 are each proved by a call that was recorded', () => {
    const missing = callRules.filter(({ tier, proofs }) => tier === 1 && proofs.length === 0);
    expect(missing).toEqual([]);
    expect(callRules.filter(({ proofs, unproved }) => (proofs.length === 0) !== (unproved !== null))).toEqual(
      [],
    );
  });

  it('are each a finding of a call, or said in words', () => {
    const told = new Set(
      callRules.flatMap(({ rule, proofs }) => [rule, ...proofs.map(({ finding }) => finding)]),
    );
    expect(Object.keys(recordedCallCatalog).filter((code) => !told.has(code))).toEqual([]);
  });

  it('stand on scenarios that can be recorded again', () => {
    const files = [...callRules.flatMap(({ proofs }) => proofs), ...healthyRecordings].flatMap(
      (each) => each.files,
    );
    const known = new Set(callScenarios.map(({ name }) => name));
    expect(files.filter((name) => !known.has(scenarioOf(name)))).toEqual([]);
  });

  it('stand in test/lab/call-rules.md', async () => {
    // A part of them was asked for, or failed, which is told above.
    const all = [...callRules.flatMap(({ proofs }) => proofs), ...healthyRecordings];
    if (all.some(({ files }) => !said.has(keyOf(files)))) return;
    const { is, shouldBe } = await ruleTable(said);
    expect(is).toBe(shouldBe);
  });
});
