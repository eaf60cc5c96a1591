/** Runs yamllint and ansible-lint over the role. On CI they have to be there; elsewhere their absence is told. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const cwd = fileURLToPath(new URL('../ansible', import.meta.url));

for (const [program, ...args] of [
  ['yamllint', '--strict', '--config-file', '../.yamllint', '.'],
  ['ansible-lint', '--offline', '-q', '--config-file', '../.ansible-lint', '.'],
]) {
  const { error, status } = spawnSync(program, args, { cwd, stdio: 'inherit' });
  if (error?.code === 'ENOENT' && process.env.CI !== 'true') {
    process.stderr.write(
      `${program} is not installed, the role is not checked by it; to install it: node .ci/setup.js linters\n`,
    );
  } else if (error) {
    process.stderr.write(`${program} cannot be run: ${error.message}\n`);
    process.exitCode = 1;
  } else if (status !== 0) {
    process.exitCode = status ?? 1;
  }
}
