import { describe, expect, it } from 'vitest';
import { renderMarkdown } from '../../src/report/markdown.ts';
import { golden, hostile, verdictScenes } from '../support/golden.ts';
import { reportOfScene } from '../support/report.ts';

describe('the report in Markdown', () => {
  it.each(verdictScenes)('%s', async (name) => {
    await expect(renderMarkdown(reportOfScene(name))).toMatchFileSnapshot(golden(`markdown-${name}.md`));
  });

  it('has rows of equal length', () => {
    for (const name of verdictScenes) {
      const rows = renderMarkdown(reportOfScene(name))
        .split('\n')
        .filter((line) => line.startsWith('|'));
      expect(rows.length).toBeGreaterThan(10);
      expect(new Set(rows.map((row) => row.replaceAll('\\|', '').split('|').length)).size).toBe(1);
    }
  });

  it('keeps the words of a server apart from its own', () => {
    const text = renderMarkdown({ ...reportOfScene('healthy'), headline: hostile, open: [hostile] });
    expect(text).toContain('a\\<b\\>\\&');
    expect(text).not.toMatch(/^::error/m);
    for (const control of ['\u0000', '\u001b']) expect(text).not.toContain(control);
  });
});
