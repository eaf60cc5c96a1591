/**
 * Runs TypeScript under test/ on Node 20, which does not strip types, and has it import from dist/ what it names in src/: a
 * benchmark measures the very files that users run.
 */
import { readFile } from 'node:fs/promises';
import { register } from 'node:module';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const root = new URL('../..', import.meta.url).href;

// The hooks live in a thread of their own, which loads this file too.
if (isMainThread) register(import.meta.url);

export async function resolve(specifier, context, next) {
  const url =
    specifier.startsWith('.') && URL.canParse(specifier, context.parentURL)
      ? new URL(specifier, context.parentURL).href
      : '';
  if (!url.startsWith(`${root}src/`)) return next(specifier, context);
  return next(url.replace(`${root}src/`, `${root}dist/`).replace(/\.ts$/, '.js'), context);
}

export async function load(url, context, next) {
  if (!url.startsWith(`${root}test/`) || !url.endsWith('.ts')) return next(url, context);
  const { transformSync } = await import('rolldown/utils');
  const { code, errors } = transformSync(fileURLToPath(url), await readFile(new URL(url), 'utf8'), {
    tsconfig: false,
  });
  if (errors[0]) throw new SyntaxError(`${url}: ${errors[0].message}`);
  return { format: 'module', source: code, shortCircuit: true };
}
