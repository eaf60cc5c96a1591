import { describe, expect, it } from 'vitest';
import { renderAuditSarif } from '../../src/report/audit-sarif.ts';
import { renderLintSarif } from '../../src/report/lint-sarif.ts';
import { renderSarif } from '../../src/report/sarif.ts';
import { findingCodes } from '../../src/model/finding.ts';
import { judgeAudit } from '../../src/rules/audit.ts';
import { auditFacts, refused, soundServer } from '../support/audit-facts.ts';
import { done, failed } from '../support/facts.ts';
import { textWith } from '../support/lint-facts.ts';
import { lintReport } from '../support/lint-report.ts';
import { sarifErrors } from '../support/sarif-schema.ts';

const tool = { name: 'rtc-ops', version: '1.2.3' };

describe('the JSON schema of SARIF 2.1.0 (OASIS)', () => {
  it('holds for a log with every finding there is', () => {
    const results = findingCodes.map((code) => ({
      code,
      severity: 'info' as const,
      title: 'a title',
      cause: 'A cause.',
      fix: 'a step',
      location: { physicalLocation: { artifactLocation: { uri: 'turn:example.org' } } },
    }));
    const log: unknown = JSON.parse(renderSarif({ tool, exitCode: 1, results, notes: ['a note'] }));
    expect(sarifErrors(log)).toEqual([]);
  });

  it.each([
    ['with findings at lines and of the whole file', ['min-port=70000', 'fingerprin', '  no-cli   # x'], 'f'],
    ['of a path with blanks and letters beyond ASCII', ['verbose'], '/etc/türn server/a#b%.conf'],
    ['without a finding', [], 'turnserver.conf'],
  ])('holds for a lint %s', (_, lines, file) => {
    const log: unknown = JSON.parse(renderLintSarif(lintReport(textWith(lines), { file })));
    expect(sarifErrors(log)).toEqual([]);
  });

  it('holds for an audit', () => {
    const open = done(refused(['127.0.0.1'], ['127.0.0.1']));
    const silence = failed({ kind: 'timeout', afterMs: 5000, sent: 4 });
    const facts = auditFacts([soundServer({ peers: { 4: open, 6: silence }, tcpRelay: silence })]);
    const report = judgeAudit(facts, { failOn: 'error', now: new Date('2026-11-21T12:00:00Z') });
    expect(sarifErrors(JSON.parse(renderAuditSarif(report)))).toEqual([]);
  });

  it('would find what is none', () => {
    const log = { version: '2.1.0', runs: [{ tool: { driver: {} }, results: [{ level: 'info' }] }] };
    expect(sarifErrors(log)).toEqual(
      expect.arrayContaining([
        "/runs/0/tool/driver must have required property 'name'",
        '/runs/0/results/0/level must be equal to one of the allowed values',
      ]),
    );
  });
});
