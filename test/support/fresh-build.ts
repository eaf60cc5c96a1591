import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Before any test: dist/ as src/ says, because tests run the command line and child processes from there. */
export function setup(): void {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/setup.js', 'build'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status === 0) return;
  const typeErrors = `${stdout}${stderr}`.match(/: error TS\d+:/g)?.length ?? 0;
  if (typeErrors === 0) throw new Error(`The build failed:\n${stdout}${stderr}`);
  // One file half edited must not keep the tests of another from running; `npm test` and `npm run lint` stop at it.
  process.stderr.write(
    `The build has ${typeErrors} type errors (npm run build shows them); testing what it wrote.\n`,
  );
}
