import type { Report } from '../model/report.ts';
import { checkGroups, findingLines, type CheckGroup, type ListedCheck } from './check-list.ts';
import { printableReport } from './printable-report.ts';

interface TestCase {
  readonly classname: string;
  readonly name: string;
  readonly durationMs: number | null;
  readonly result: Result;
}

interface Result {
  readonly kind: 'passed' | 'failure' | 'error' | 'skipped';
  readonly type?: string;
  readonly message?: string;
  readonly text?: string;
}

/**
 * JUnit XML as Jenkins and GitLab read it: a suite for the verdict, one for each name and one for each target.
 *
 * `failure` is a check that failed, with a warning too. `error` is a required check that is unknown, so that the verdict
 * lacks it; any other that is unknown is `skipped` with its reason. The suite of the verdict fails exactly when the exit
 * code is not 0.
 */
export function renderJunit(given: Report): string {
  const report = printableReport(given);
  const suites = [
    { name: 'verdict', cases: [verdictCase(report)] },
    ...checkGroups(report).map((group) => ({ name: group.subject, cases: group.checks.map(caseOf(group)) })),
  ];
  const all = suites.flatMap(({ cases }) => cases);
  const totals = { tests: all.length, failures: count(all, 'failure'), errors: count(all, 'error') };
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites${attributes({ name: `rtc-ops ${report.command}`, ...totals, time: seconds(report.durationMs) })}>`,
    ...suites.flatMap((suite) => suiteLines(suite, report)),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function verdictCase({ command, verdict, headline, exitCode, open, durationMs }: Report): TestCase {
  const text = [headline, ...open.filter((reason) => reason !== headline)].join('\n');
  const kind = exitCode === 0 ? 'passed' : verdict === 'unknown' ? 'error' : 'failure';
  const message = `${verdict}: ${headline}`;
  return {
    classname: `rtc-ops.${command}`,
    name: 'verdict',
    durationMs,
    result: kind === 'passed' ? { kind, text: message } : { kind, type: verdict, message, text },
  };
}

function caseOf({ subject }: CheckGroup): (check: ListedCheck) => TestCase {
  return (check) => ({
    classname: subject,
    name: `${check.id}: ${check.title}`,
    durationMs: check.durationMs,
    result: resultOf(check),
  });
}

function resultOf({ status, because, detail, findings, isOpen }: ListedCheck): Result {
  switch (status) {
    case 'passed':
      return detail === null ? { kind: 'passed' } : { kind: 'passed', text: detail };
    case 'failed':
      return {
        kind: 'failure',
        type: findings[0]?.code ?? 'failed',
        message: findings
          .map(({ title, severity }) => (severity === 'error' ? title : `${title} (${severity})`))
          .join('; '),
        text: findings.flatMap((each) => [`${each.code}:`, ...findingLines(each)]).join('\n'),
      };
    case 'skipped':
      return { kind: 'skipped', message: because ?? '' };
    case 'unknown':
      return isOpen
        ? { kind: 'error', type: 'unknown', message: because ?? '' }
        : { kind: 'skipped', message: `unknown: ${because ?? ''}` };
    default:
      return status satisfies never;
  }
}

function suiteLines(
  { name, cases }: { name: string; cases: readonly TestCase[] },
  { startedAt }: Report,
): string[] {
  const own = attributes({
    name,
    tests: cases.length,
    failures: count(cases, 'failure'),
    errors: count(cases, 'error'),
    skipped: count(cases, 'skipped'),
    time: seconds(cases.reduce((sum, { durationMs }) => sum + (durationMs ?? 0), 0)),
    // As ISO 8601 without a zone, which the schema of the Ant task demands; it is UTC.
    timestamp: startedAt.slice(0, 19),
  });
  return [`  <testsuite${own}>`, ...cases.flatMap(caseLines), '  </testsuite>'];
}

function caseLines({ classname, name, durationMs, result }: TestCase): string[] {
  const { kind, type, message, text } = result;
  const own = attributes({ classname, name, time: seconds(durationMs ?? 0) });
  const element = kind === 'passed' ? 'system-out' : kind;
  if (kind === 'passed' && text === undefined) return [`    <testcase${own}/>`];
  const opening = `      <${element}${attributes({ type, message })}`;
  const body =
    text === undefined || text === '' ? `${opening}/>` : `${opening}>${escapeText(text)}</${element}>`;
  return [`    <testcase${own}>`, body, '    </testcase>'];
}

function count(cases: readonly TestCase[], kind: Result['kind']): number {
  return cases.filter(({ result }) => result.kind === kind).length;
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function attributes(values: Readonly<Record<string, string | number | undefined>>): string {
  return Object.entries(values)
    .map(([name, value]) => (value === undefined ? '' : ` ${name}="${escapeAttribute(String(value))}"`))
    .join('');
}

// What is no Char (XML 1.0 §2.2) may not stand in a document in any form, not even as a reference.
// eslint-disable-next-line no-control-regex
const notXml = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff\p{Surrogate}]/gu;

function escapeText(text: string): string {
  return text
    .replaceAll(notXml, '\ufffd')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('\r', '&#13;');
}

/** A parser turns white space in an attribute into blanks (XML 1.0 §3.3.3) unless it is a reference. */
function escapeAttribute(text: string): string {
  return escapeText(text).replaceAll('"', '&quot;').replaceAll('\n', '&#10;').replaceAll('\t', '&#9;');
}
