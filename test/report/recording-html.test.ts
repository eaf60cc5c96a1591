import { describe, expect, it } from 'vitest';
import type { RecordingFindingReport, RecordingReport } from '../../src/model/recording-report.ts';
import { renderRecordingHtml } from '../../src/report/recording-html.ts';

function page(known: Partial<RecordingReport>): string {
  const report: RecordingReport = {
    ...{ schemaVersion: 1, tool: { name: 'rtc-ops', version: '0' }, command: 'analyze' },
    ...{ verdict: null, headline: 'no fault is seen', exitCode: 0 },
    ...{ findings: [], notJudged: [], recordings: [], calls: null },
    ...known,
  };
  return renderRecordingHtml(report, { script: '', style: '' });
}

const found = (severity: string): RecordingFindingReport =>
  ({
    ...{ severity, code: 'X', title: 'it is', cause: 'why', proof: 'seen', causedBy: null },
    fix: 'do this\nhere:  do that',
  }) as unknown as RecordingFindingReport;

describe('the page of a report', () => {
  it('has each step of a fix in a line of its own', () => {
    expect(page({ findings: [found('error')], exitCode: 1 })).toContain(
      '<ul><li>do this</li><li>here: <code>do that</code></li></ul>',
    );
  });

  it.each([
    ['✖', [found('error')], 1],
    ['!', [found('warning')], 0],
    ['?', [], 1],
    ['✔', [], 0],
  ] as const)('of a log is headed by %s as its worst', (mark, findings, exitCode) => {
    const html = page({ findings, exitCode });
    expect(html).toMatch(new RegExp(`<h1 class="\\w+ headline">[${mark}] no fault is seen</h1>`));
    expect(html).not.toMatch(/<h1[^>]*>. (?:healthy|broken)/);
  });
});
