import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { renderLintHuman } from '../../src/report/human-lint.ts';
import { textWith } from '../support/lint-facts.ts';
import { lintReport } from '../support/lint-report.ts';

const plain = { color: false, columns: 80 };

function shown(lines: readonly string[], columns = 80): string {
  return renderLintHuman(lintReport(textWith(lines)), { color: false, columns });
}

describe('the lint for a person', () => {
  it('quotes the line, with a caret under what is meant', () => {
    expect(shown(['min-port=70000']))
      .toBe(`✖ coturn reads min-port as 4464                             CONFIG_VALUE_MISREAD
  turnserver.conf:19:10
  19 | min-port=70000
     |          ^^^^^
  Without a warning: a port has 16 bits, and coturn drops the others.
  Fix    write a plain number in the range of the option

✖ turnserver.conf: 1 error (coturn 4.6.1, assumed)
`);
  });

  it('says what is to be added, and what --fix would mend', () => {
    const text = renderLintHuman(
      lintReport(textWith(['verbose', 'verbose', 'syslog'], /^no-tcp-relay/)),
      plain,
    );
    expect(text).toContain('  Fix    add  no-tcp-relay\n');
    expect(text).toContain('! turnserver.conf: 1 warning, 1 note; --fix mends 1');
  });

  it('keeps its width, and the caret in the line that it shows', () => {
    const long = `cipher-list=${'A'.repeat(1100)}`;
    const lines = [
      long,
      `server-name=${'b'.repeat(200)} # c`,
      '\tmax-bps =\t1k',
      "server-name='ü漢'",
      'ﾊﾟ=1',
    ];
    for (const columns of [60, 80, 100]) {
      const all = shown(lines, columns).split('\n');
      for (const line of all.filter((each) => /^ *\d* \| |^[✖!i] /.test(each)))
        expect(stringWidth(line)).toBeLessThanOrEqual(columns);
      const carets = all.filter((each) => /^ +\| +\^+$/.test(each));
      expect(carets.length).toBeGreaterThan(0);
    }
  });

  it('shows what was changed', () => {
    const changes = [{ line: 3, before: 'a # b', after: 'a' }];
    const report = lintReport(textWith([]), {}, { fixed: { backup: 'turnserver.conf.bak.1', changes } });
    expect(renderLintHuman(report, plain)).toBe(`turnserver.conf: 1 changed, as it was: turnserver.conf.bak.1
@@ line 3 @@
-a # b
+a

✔ turnserver.conf: nothing to say (coturn 4.6.1, assumed)
`);
  });

  it('prints nothing of a file that a terminal would obey', () => {
    expect(shown(['finger\u001b[31mprint', 'server-name=\u009b1m # x'])).not.toMatch(/(?!\n)\p{Cc}/u);
  });
});
