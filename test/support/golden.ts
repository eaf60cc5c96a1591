import { fileURLToPath } from 'node:url';

/** A file that a report is compared with letter by letter; `npx vitest run test/report -u` writes them anew. */
export function golden(name: string): string {
  return fileURLToPath(new URL(`../report/golden/${name}`, import.meta.url));
}

/** One report of each verdict. */
export const verdictScenes = ['healthy', 'degraded', 'broken', 'unknown'] as const;

/** Text as a hostile server would send it: markup, commands, line breaks, what no document may hold. */
export const hostile = 'a<b>&"\'`|*#\\ ]]>\n::error::x\r\u0000\u001b[31m\ufffe\ud800 100%, x: ##[error]';
