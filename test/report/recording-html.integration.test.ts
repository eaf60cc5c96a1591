import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from 'vitest';
import type { RecordingReport } from '../../src/model/recording-report.ts';
import { renderRecordingHtml, type ChartLibrary } from '../../src/report/recording-html.ts';
import { judgeRecordings } from '../../src/rules/analysis/recordings.ts';
import { wordsOf } from '../../src/model/finding.ts';
import { Browser } from '../lab/browser.ts';
import { anyCall, recorded } from '../support/recorded-calls.ts';
import { needs } from '../support/requirements.ts';
import { directoryWith } from '../support/temporary.ts';

const { describe, it } = needs('chromium');

const part = (name: string): string =>
  readFileSync(new URL(`../../node_modules/uplot/dist/${name}`, import.meta.url), 'utf8');
const library: ChartLibrary = { script: part('uPlot.iife.min.js'), style: part('uPlot.min.css') };

async function report(name: string): Promise<RecordingReport> {
  const facts = await recorded(name);
  const { calls, findings, notJudged } = judgeRecordings([{ kind: 'calls', facts }], anyCall);
  return {
    schemaVersion: 1,
    tool: { name: 'rtc-ops', version: '0.0.0' },
    command: 'analyze',
    verdict: calls?.verdict ?? null,
    headline: calls?.headline ?? '',
    exitCode: 1,
    findings: findings.map((each) => {
      const words = wordsOf(each);
      return { ...each, ...words, fix: words.fix.join('\n') };
    }),
    notJudged,
    recordings: [],
    calls,
  };
}

interface Seen {
  readonly title: string;
  readonly charts: number;
  readonly attacked: boolean;
  readonly text: string;
}

async function seen(html: string): Promise<Seen> {
  const file = join(await directoryWith({}), 'report.html');
  await writeFile(file, html);
  const browser = new Browser([], []);
  try {
    const page = await browser.open(pathToFileURL(file).href);
    return (await page.evaluate(
      `({ title: document.title, charts: document.querySelectorAll('canvas').length, attacked: window.attacked === true, text: document.body.innerText })`,
    )) as Seen;
  } finally {
    await browser.close();
  }
}

describe('the page of a recording, in Chromium', () => {
  it('has the verdict, the findings and a chart for each figure', async () => {
    const given = await report('one-way.internals.gz');
    const { title, charts, text } = await seen(renderRecordingHtml(given, library));
    expect(title).toBe('one-way audio: connected, but no audio arrives');
    expect(text).toContain('INBOUND_ZERO');
    expect(charts).toBe(given.calls?.calls[0]?.charts.length);
    expect(charts).toBeGreaterThan(3);
  }, 60_000);

  it('runs nothing of the recording, wherever it stands', async () => {
    const attack = `</script><script>attacked = true</script><img src=x onerror="attacked = true">' onload='attacked = true`;
    const poisoned = JSON.parse(
      JSON.stringify(await report('one-way.internals.gz')),
      (key, value: unknown) =>
        typeof value === 'string' &&
        !['severity', 'status', 'verdict', 'level', 'connection', 'file', 'code'].includes(key)
          ? `${value}${attack}`
          : value,
    ) as RecordingReport;
    const { charts, attacked, text } = await seen(renderRecordingHtml(poisoned, library));
    expect(attacked).toBe(false);
    expect(text).toContain('<script>attacked = true</script>');
    expect(charts).toBeGreaterThan(3);
  }, 60_000);

  it('lets no script run but its own, even if one gets in', async () => {
    const html = renderRecordingHtml(await report('one-way.internals.gz'), library);
    const { attacked } = await seen(
      html.replace(
        '<footer>',
        '<script>attacked = true</script><img src=x onerror="attacked = true"><footer>',
      ),
    );
    expect(attacked).toBe(false);
  }, 60_000);
});
