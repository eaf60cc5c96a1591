import { describe, expect, it } from 'vitest';
import { judge } from '../../src/rules/judgement.ts';
import { criteriaWith } from '../support/facts.ts';
import { faultCodes, faults } from '../support/faults.ts';

describe('one fault gives one finding, and nothing false beside it', () => {
  it.each(faultCodes)('%s', (code) => {
    const { facts, criteria = criteriaWith(), beside = [], verdict, headline } = faults[code];
    const judged = judge(facts, criteria);
    expect(judged.findings.map((each) => each.code)).toEqual([code, ...beside]);
    expect({ verdict: judged.verdict, headline: judged.headline }).toEqual({ verdict, headline });
    const errors = judged.findings.some(({ severity }) => severity === 'error');
    expect(judged.exitCode).toBe(errors || verdict === 'unknown' ? 1 : 0);
  });
});

describe('the words of a fault', () => {
  it.each(faultCodes)('%s: are whole sentences with the values of this server', (code) => {
    const { facts, criteria = criteriaWith() } = faults[code];
    const finding = judge(facts, criteria).findings.find((each) => each.code === code);
    const { title = '', cause = '', proof = '', fix = '' } = finding ?? {};
    for (const text of [title, cause, proof, ...fix.split('\n')]) {
      expect(text).not.toBe('');
      expect(text).toBe(text.trim());
      expect(text).not.toMatch(/undefined|\bnull\.|NaN|Infinity|\[object|\(\)|""|: \.|\s{3}/);
    }
    expect(title).not.toMatch(/\.$/);
    expect(cause).toMatch(/\.$/);
    expect(proof).toMatch(/\.$/);
  });
});
