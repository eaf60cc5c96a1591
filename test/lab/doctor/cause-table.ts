import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import type { Breakage } from './breakage.ts';
import { breakages } from './breakages.ts';

const file = fileURLToPath(new URL('root-causes.md', import.meta.url));

/** What a test did to mend each of the breakages: the lines of doctor that it typed in, or its own words. */
export type Mended = ReadonlyMap<Breakage, readonly string[]>;

const head = `# Root causes

What keeps users from each other, again and again, and what \`rtc-ops doctor\` says of it. Each of these is broken into a real service by \`test/commands/doctor.breakages.vps.test.ts\`: doctor has to name that cause first, and no other beside it; the fix is applied, and doctor has to find nothing any more. This file is written by that test, with \`RTC_OPS_WRITE_TABLE=1\`.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

function row({ cause, broken, headline }: Breakage, mended: readonly string[]): string {
  const fix = mended.map((line) => {
    const [, where, text] = /^(\S.*?):  (.+)$/.exec(line) ?? [];
    return where === undefined ? cell(line) : `${cell(where)}: \`${cell(text ?? '')}\``;
  });
  return `| ${cause} | ${cell(broken)} | \`${headline}\` | ${fix.join('<br>')} |`;
}

async function tableOf(mended: Mended): Promise<string> {
  const produced = ['| Cause | What was broken | Headline | Fix that was applied |', '|-|-|-|-|'];
  const text = [head, ...produced, ...breakages.map((each) => row(each, mended.get(each) ?? []))];
  return format(`${text.join('\n')}\n`, { parser: 'markdown' });
}

/** The file as it is, and as it has to be; with RTC_OPS_WRITE_TABLE=1 it is written. */
export async function causeTable(
  mended: Mended,
): Promise<{ readonly is: string; readonly shouldBe: string }> {
  const shouldBe = await tableOf(mended);
  if (process.env['RTC_OPS_WRITE_TABLE'] === '1') {
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, shouldBe);
  }
  return { is: await readFile(file, 'utf8'), shouldBe };
}
