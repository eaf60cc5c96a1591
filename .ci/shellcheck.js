/** Runs shellcheck over every shell script of the project. On CI it has to be there; elsewhere its absence is told. */
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const notOurs = new Set(['.git', 'node_modules', 'dist', 'coverage']);
const shebang = /^#! ?\/(?:usr\/)?bin\/(?:env )?(?:ba|da)?sh\b/;

function scriptsUnder(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (notOurs.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return scriptsUnder(path);
    return entry.isFile() && shebang.test(readFileSync(join(root, path), 'latin1').slice(0, 40))
      ? [path]
      : [];
  });
}

const scripts = scriptsUnder('');
const { error, status } = spawnSync('shellcheck', scripts, { cwd: root, stdio: 'inherit' });
if (error?.code === 'ENOENT' && process.env.CI !== 'true') {
  process.stderr.write(
    `shellcheck is not installed, ${scripts.length} shell scripts are not checked; to install it: node .ci/setup.js linters\n`,
  );
} else if (error) {
  process.stderr.write(`shellcheck cannot be run: ${error.message}\n`);
  process.exitCode = 1;
} else {
  process.exitCode = status ?? 1;
}
