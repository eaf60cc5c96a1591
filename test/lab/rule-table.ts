import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { callRules, healthyRecordings, type CallRule, type RuleProof } from './call-rules.ts';
import { callScenarios } from './call-scenarios.ts';

const file = fileURLToPath(new URL('call-rules.md', import.meta.url));

/** What `analyze` says of recordings that are given to it at once, its verdict before it. */
export type Said = ReadonlyMap<string, string>;

export function keyOf(files: readonly string[]): string {
  return files.join(' ');
}

const head = `# What analyze tells of a call

The rules of \`rtc-ops analyze\`, in the order in which one thing leads to the next: the first that is broken is the headline. Each stands on calls that were really made, in headless Chromium and in Firefox, against a coturn in a network of namespaces, and broken one way at a time by \`test/lab/record-calls.ts\`. What was saved of them stands in \`test/support/call-recordings/\`; \`test/rules/analysis/recordings.rules.test.ts\` judges them anew, and holds that no rule of tier 1 is without one. This file is written by that test, with \`RTC_OPS_WRITE_TABLE=1\`.
`;

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ');
}

/** `joined/firefox-quota.log.gz` is a recording of the scenario `quota`. */
export function scenarioOf(name: string): string {
  return name
    .replace(/^joined\//, '')
    .replace(/^firefox-/, '')
    .replace(/\..*$/, '');
}

function brokenIn({ files }: RuleProof): string {
  const words = files.map(
    (name) => callScenarios.find((each) => each.name === scenarioOf(name))?.broken ?? '',
  );
  return [...new Set(words)].join('; beside it: ');
}

function row({ rule, tier }: CallRule, proof: RuleProof, said: Said): string {
  const { files, finding, isRoot, said: words } = proof;
  const what =
    finding === null ? `“${cell(words ?? '')}”` : `\`${finding}\`${isRoot ? '' : ', beside its cause'}`;
  const names = files.map((name) => `\`${name}\``).join(', ');
  return `| ${rule} | ${tier} | ${cell(brokenIn(proof))} | ${names} | ${what} | ${cell(said.get(keyOf(files)) ?? '')} |`;
}

async function tableOf(said: Said): Promise<string> {
  const proved = callRules.filter(({ proofs }) => proofs.length > 0);
  const text = [
    head,
    '| Rule | Tier | What was broken | Recording | Found | Headline |',
    '|-|-|-|-|-|-|',
    ...proved.flatMap((each) => each.proofs.map((proof) => row(each, proof, said))),
    '\n## Without a recording\n',
    '| Rule | Tier | Why |',
    '|-|-|-|',
    ...callRules.flatMap(({ rule, tier, unproved }) =>
      unproved === null ? [] : [`| ${rule} | ${tier} | ${cell(unproved)} |`],
    ),
    '\n## Healthy calls\n',
    'Nothing above `info` is found in any of them. What a source cannot tell is said, and never shown as healthy.\n',
    '| Source | Recording | Headline |',
    '|-|-|-|',
    ...healthyRecordings.map(
      ({ source, files }) =>
        `| ${source} | ${files.map((name) => `\`${name}\``).join(', ')} | ${cell(said.get(keyOf(files)) ?? '')} |`,
    ),
  ];
  return format(`${text.join('\n')}\n`, { parser: 'markdown' });
}

/** The file as it is, and as it has to be; with RTC_OPS_WRITE_TABLE=1 it is written. */
export async function ruleTable(said: Said): Promise<{ readonly is: string; readonly shouldBe: string }> {
  const shouldBe = await tableOf(said);
  if (process.env['RTC_OPS_WRITE_TABLE'] === '1') await writeFile(file, shouldBe);
  return { is: await readFile(file, 'utf8'), shouldBe };
}
