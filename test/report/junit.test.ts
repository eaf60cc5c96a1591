import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { XmlDocument, XsdValidator, type XmlElement } from 'libxml2-wasm';
import { describe, expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { arbitraryCriteria, arbitraryObservations } from '../support/arbitrary-facts.ts';
import { golden, hostile, verdictScenes } from '../support/golden.ts';
import { reportOf, reportOfScene } from '../support/report.ts';

const schema = XsdValidator.fromDoc(
  XmlDocument.fromString(readFileSync(new URL('junit.xsd', import.meta.url), 'utf8')),
);

interface Case {
  readonly classname: string;
  readonly name: string;
  readonly result: string;
  readonly message: string | undefined;
  readonly text: string;
}

/** The test cases that a parser reads, after the schema has accepted the document and the totals were counted. */
function casesOf(report: Report): Case[] {
  const document = XmlDocument.fromString(renderJunit(report));
  try {
    schema.validate(document);
    const cases = document.find('//testcase').map((node): Case => {
      const element = node as XmlElement;
      const result = element.firstChild === null ? null : (element.find('*')[0] as XmlElement);
      return {
        classname: element.attr('classname')?.value ?? '',
        name: element.attr('name')?.value ?? '',
        result: result?.name ?? 'passed',
        message: result?.attr('message')?.value,
        text: result?.content ?? '',
      };
    });
    for (const [total, result] of [
      ['failures', 'failure'],
      ['errors', 'error'],
    ] as const) {
      expect(document.root.attr(total)?.value).toBe(
        String(cases.filter((each) => each.result === result).length),
      );
    }
    expect(document.root.attr('tests')?.value).toBe(String(cases.length));
    return cases;
  } finally {
    document.dispose();
  }
}

describe('the JUnit report', () => {
  it.each(verdictScenes)('%s', async (name) => {
    const report = reportOfScene(name);
    await expect(renderJunit(report)).toMatchFileSnapshot(golden(`junit-${name}.xml`));
    casesOf(report);
  });

  it('is valid of any facts, has every check, and is red exactly as the exit code is', () => {
    fc.assert(
      fc.property(arbitraryObservations, arbitraryCriteria, (facts, criteria) => {
        const report = reportOf(facts, criteria);
        const [verdict, ...cases] = casesOf(report);
        expect(['failure', 'error'].includes(verdict?.result ?? '')).toBe(report.exitCode !== 0);
        const checks = [...report.checks, ...report.targets.flatMap((target) => target.checks)];
        expect(cases).toHaveLength(checks.length);
        const green = cases.filter(({ result }) => result === 'passed' || result === 'system-out');
        expect(green).toHaveLength(checks.filter(({ status }) => status === 'passed').length);
        if (report.verdict === 'healthy') expect(cases.every(({ result }) => result !== 'error')).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  it('tells what the verdict lacks as an error with its reason', () => {
    const lacking = casesOf(reportOfScene('unknown')).filter(({ result }) => result === 'error');
    expect(lacking.length).toBeGreaterThan(1);
    expect(lacking.map(({ message }) => message).join('\n')).toContain('no credentials were given');
  });

  it('keeps the words of a server apart from its own', () => {
    const healthy = reportOfScene('healthy');
    const report: Report = {
      ...healthy,
      exitCode: 1,
      verdict: 'unknown',
      headline: hostile,
      open: [hostile],
    };
    const [verdict] = casesOf(report);
    expect(verdict?.message).toContain('a<b>&"\'`|*#\\ ]]>\ufffd::error::x\ufffd');
    for (const notXml of ['\u0000', '\u001b', '\ufffe', '\ud800']) {
      expect(renderJunit(report)).not.toContain(notXml);
    }
  });
});
