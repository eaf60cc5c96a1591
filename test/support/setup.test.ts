import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
let project: string;

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'rtc-ops-setup-'));
  await mkdir(join(project, '.ci'));
  for (const file of [
    '.ci/setup.js',
    '.ci/bundle.js',
    'package.json',
    'tsconfig.json',
    'tsconfig.build.json',
  ]) {
    await cp(join(root, file), join(project, file));
  }
});
afterEach(() => rm(project, { recursive: true, force: true }));

async function setup(steps: string[], environment: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['.ci/setup.js', ...steps], {
    cwd: project,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [exitCode] = await once(child, 'close');
  return { exitCode, ...output };
}

const nothingToDo = { exitCode: 0, stdout: '', stderr: '' };

describe('the step build', () => {
  const source = (name: string, text: string): Promise<void> => writeFile(join(project, 'src', name), text);

  beforeEach(async () => {
    await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
    await cp(join(root, 'package-lock.json'), join(project, 'package-lock.json'));
    await mkdir(join(project, 'src'));
    await source('cli.ts', `import { a } from './a.ts';\nexport const main = (): number => a;\n`);
    await source('a.ts', 'export const a: number = 1;\n');
  });

  it('compiles src to dist, once', async () => {
    expect(await setup(['build'])).toEqual({ ...nothingToDo, stderr: 'setup: build (dist is missing)\n' });
    expect(await readFile(join(project, 'dist/cli.js'), 'utf8')).toContain(`from './a.js'`);
    const bundle = await readFile(join(project, 'dist/bundle/cli.js'), 'utf8');
    expect(bundle).toContain('main = () => 1;');
    expect(bundle).not.toContain('a.js');
    expect(await setup(['build'])).toEqual(nothingToDo);
  });

  it('compiles again what has changed, and removes what has no source any more', async () => {
    await setup(['build']);
    await source('b.ts', 'export const b = 2;\n');
    await rm(join(project, 'src/a.ts'));
    await source('cli.ts', `export { b as main } from './b.ts';\n`);
    expect(await setup(['build'])).toEqual({ ...nothingToDo, stderr: 'setup: build (src has changed)\n' });
    const built = await readdir(join(project, 'dist'));
    expect(built.filter((name) => !name.startsWith('.')).toSorted()).toEqual(['b.js', 'bundle', 'cli.js']);
  });

  it('builds anew when dist has been deleted', async () => {
    await setup(['build']);
    await rm(join(project, 'dist'), { recursive: true });
    await setup(['build']);
    expect(await readdir(join(project, 'dist'))).toContain('cli.js');
  });

  it('fails on a type error, again and again until it is gone', async () => {
    await source('a.ts', `export const a: number = 'one';\n`);
    for (const because of ['dist is missing', 'dist is missing']) {
      const { exitCode, stderr } = await setup(['build']);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(because);
      expect(stderr).toContain('src/a.ts(1,14): error TS2322');
      expect(stderr).toContain('setup: the build has errors');
    }
    await source('a.ts', 'export const a: number = 1;\n');
    expect((await setup(['build'])).exitCode).toBe(0);
    expect(await setup(['build'])).toEqual(nothingToDo);
  });
});

describe('the step modules', () => {
  const locked = { version: '1.0.0', integrity: 'sha512-one' };
  const lockFile = (packages: object): string => JSON.stringify({ packages });

  beforeEach(async () => {
    await writeFile(
      join(project, 'package-lock.json'),
      lockFile({
        '': {},
        'node_modules/one': locked,
        'node_modules/elsewhere': { ...locked, optional: true },
      }),
    );
    // Stands for npm: tells that it ran, takes a while, and leaves behind what npm leaves behind.
    await mkdir(join(project, 'npm'));
    await writeFile(
      join(project, 'npm/npm-cli.js'),
      `import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
      appendFileSync('npm/calls', process.argv.slice(2).join(' ') + '\\n');
      if (process.env.NPM_FAILS) process.exit(1);
      setTimeout(() => {
        mkdirSync('node_modules', { recursive: true });
        writeFileSync('node_modules/.package-lock.json', ${JSON.stringify(lockFile({ 'node_modules/one': locked }))});
      }, 400);`,
    );
  });
  const npm = (): Record<string, string> => ({ npm_execpath: join(project, 'npm/npm-cli.js') });
  const calls = (): Promise<string> => readFile(join(project, 'npm/calls'), 'utf8').catch(() => '');
  const installed = async (packages: object): Promise<void> => {
    await mkdir(join(project, 'node_modules'));
    await writeFile(join(project, 'node_modules/.package-lock.json'), lockFile(packages));
  };

  it('runs npm ci when there is no node_modules, development packages included', async () => {
    const { exitCode, stderr } = await setup(['modules'], npm());
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: 'setup: npm ci (node_modules is missing)\n',
    });
    expect(await calls()).toMatch(/^ci --include=dev .*\n$/);
  });

  it('does nothing when everything is there but what is for other platforms', async () => {
    await installed({ 'node_modules/one': locked });
    expect(await setup(['modules'], npm())).toEqual(nothingToDo);
    expect(await calls()).toBe('');
  });

  it.each([
    ['another version', { 'node_modules/one': { ...locked, version: '1.0.1' } }],
    ['another tarball', { 'node_modules/one': { ...locked, integrity: 'sha512-two' } }],
    ['nothing', {}],
  ])('runs npm ci when a package is locked and %s is installed', async (_case, packages) => {
    await installed(packages);
    expect((await setup(['modules'], npm())).stderr).toContain(
      'node_modules/one is not as in package-lock.json',
    );
    expect(await calls()).not.toBe('');
  });

  it('installs once when two run at the same time', async () => {
    const both = await Promise.all([setup(['modules'], npm()), setup(['modules'], npm())]);
    expect(both.map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    expect((await calls()).trimEnd().split('\n')).toHaveLength(1);
    expect(both.map(({ stderr }) => stderr).join('')).toContain('waiting for another set-up in this folder');
  });

  it('says what to do when npm fails', async () => {
    const { exitCode, stderr } = await setup(['modules', 'build'], { ...npm(), NPM_FAILS: '1' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('npm ci failed');
    expect(stderr).toContain('npm ping');
    expect(stderr).not.toContain('.js:');
  });
});

describe('the step tests', () => {
  it('goes on without the packages where there is no apt-get, and says so', async () => {
    const { exitCode, stderr } = await setup(['tests'], { PATH: project });
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(
      /not installed: coturn chromium openssl iproute2 nftables procps python3 (?:python3-firewall )?shellcheck systemd ansible-core openssh-client systemd-container mmdebstrap pebble curl ufw tcpdump \(/,
    );
    expect(stderr).toContain('Tests that need them are skipped by name.');
  });
});

it('refuses a step that it does not know', async () => {
  const { exitCode, stderr } = await setup(['modlues']);
  expect({ exitCode, stderr }).toEqual({
    exitCode: 1,
    stderr: 'setup: usage: node .ci/setup.js modules | build | tests | linters …\n',
  });
});
