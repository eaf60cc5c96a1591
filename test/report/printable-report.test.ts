import { expect, it } from 'vitest';
import type { Report } from '../../src/model/report.ts';
import { renderGithub } from '../../src/report/github.ts';
import { renderChange } from '../../src/report/human-change.ts';
import { renderHuman } from '../../src/report/human.ts';
import { renderJson, renderJsonLine } from '../../src/report/json.ts';
import { renderJunit } from '../../src/report/junit.ts';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { renderPrometheus } from '../../src/report/prometheus.ts';
import { renderTap } from '../../src/report/tap.ts';
import { hostile } from '../support/golden.ts';
import { reportOfScene } from '../support/report.ts';

const plain = { color: false, columns: 80 };

const formats: Readonly<Record<string, (report: Report) => string>> = {
  human: (report) => renderHuman(report, plain),
  'what changed': (report) => renderChange(reportOfScene('healthy'), report, { time: '14:03:21', ...plain }),
  json: renderJson,
  'json, in one line': renderJsonLine,
  junit: renderJunit,
  prometheus: renderPrometheus,
  github: renderGithub,
  tap: renderTap,
  markdown: renderMarkdown,
};

/** With a text that commands a terminal in every text that a server or a user can have given. */
function spoilt(report: Report): Report {
  const evil = `${hostile}\u001b[2J\u009b31m\u202e\u2028`;
  return {
    ...report,
    headline: report.headline + evil,
    open: [...report.open, evil],
    vantage: { ...report.vantage, because: evil },
    checks: report.checks.map((check) => ({ ...check, subject: check.subject + evil, because: evil })),
    targets: report.targets.map((target) => ({
      ...target,
      url: target.url + evil,
      host: target.host + evil,
      checks: target.checks.map((check) => ({
        ...check,
        title: check.title + evil,
        because: evil,
        detail: evil,
      })),
    })),
    findings: report.findings.map((finding) => ({
      ...finding,
      title: finding.title + evil,
      cause: evil,
      proof: evil,
      fix: `${finding.fix}\u001b[2J\n\u009b31m\u202e`,
    })),
  };
}

it.each(Object.entries(formats))('%s: no text of a report commands a terminal', (_name, render) => {
  for (const scene of ['degraded', 'unknown', 'nat', 'many'] as const) {
    const text = render(spoilt(reportOfScene(scene)));
    expect(text.length).toBeGreaterThan(100);
    expect(text).not.toMatch(/(?!\n)\p{Cc}|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/u);
  }
});
