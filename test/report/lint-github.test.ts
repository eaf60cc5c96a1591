import { describe, expect, it } from 'vitest';
import { renderLintGithub } from '../../src/report/lint-github.ts';
import { textWith } from '../support/lint-facts.ts';
import { lintReport } from '../support/lint-report.ts';

describe('the lint as annotations of GitHub Actions', () => {
  it('has one for each finding, at its place', () => {
    expect(renderLintGithub(lintReport(textWith(['min-port=70000'])))).toBe(
      '::error file=turnserver.conf,line=19,endLine=19,col=10,endColumn=15,title=CONFIG_VALUE_MISREAD%3A coturn reads min-port as 4464' +
        '::Without a warning: a port has 16 bits, and coturn drops the others.%0AFix: write a plain number in the range of the option\n',
    );
  });

  it('has no line for what stands in no line, and escapes what would end a property', () => {
    const text = renderLintGithub(lintReport(textWith([], /^no-tcp-relay/), { file: 'a,b:100%.conf' }));
    expect(text).toMatch(/^::warning file=a%2Cb%3A100%25\.conf,title=TCP_RELAY_ENABLED%3A Users may open/);
  });

  it('never lets a file write a command of its own', () => {
    const lines = [
      'x::error::y',
      'fingerprint\r::error::z',
      'server-name=%0A::warning::z # %',
      'user\u0085=1',
    ];
    const text = renderLintGithub(lintReport(textWith(lines)));
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^::(?:error|warning|notice) \P{Cc}+$/u);
    expect(text).not.toMatch(/^::error::/m);
    expect(text).toContain('%250A');
  });
});
