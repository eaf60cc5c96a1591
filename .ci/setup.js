/**
 * Installs and builds what a fresh clone lacks, and says so in one line each. It runs before node_modules is there, so it
 * is plain Node without dependencies.
 *
 *   node .ci/setup.js STEP…
 *     modules   node_modules, as package-lock.json has it
 *     build     dist/, from src/, and dist/bundle/, from which the command line runs
 *     tests     the Debian packages that tests need
 *     linters   the Debian packages that linters need
 *
 * Nothing is done twice: a step that finds everything in place costs a few milliseconds.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  accessSync,
  constants,
  existsSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const waitForOtherSetupMs = 15 * 60_000;
/** Written last by a build that succeeded. */
const stamp = 'dist/.build.json';

/** Debian packages, each with a program, or a file, by which it is known to be there. */
const packagesFor = {
  tests: {
    coturn: 'turnserver',
    chromium: 'chromium',
    openssl: 'openssl',
    iproute2: 'ip',
    nftables: 'nft',
    procps: 'sysctl',
    python3: 'python3',
    // The part of firewalld that reads its files, without the service.
    'python3-firewall': '/usr/lib/python3/dist-packages/firewall/__init__.py',
    shellcheck: 'shellcheck',
    systemd: 'systemd-analyze',
    'ansible-core': 'ansible-playbook',
    'openssh-client': 'ssh',
    'systemd-container': 'systemd-nspawn',
    mmdebstrap: 'mmdebstrap',
    pebble: 'pebble',
    curl: 'curl',
    // Filters nothing before somebody enables it.
    ufw: 'ufw',
    tcpdump: 'tcpdump',
  },
  linters: { shellcheck: 'shellcheck', 'ansible-lint': 'ansible-lint', yamllint: 'yamllint' },
};

/** A failure that the person who ran this can do something about. */
class SetupError extends Error {}

/** A step: `missing` says what there is to do, or null; `run` does it. */
const steps = {
  modules: { missing: modulesMissing, run: installModules },
  build: { missing: buildMissing, run: build },
  tests: { missing: () => packagesMissing('tests'), run: () => installPackages('tests') },
  linters: { missing: () => packagesMissing('linters'), run: () => installPackages('linters') },
};

try {
  await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`setup: ${error.message}\n`);
  process.exitCode = 1;
}

async function main(names) {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new SetupError(`Node.js 20.19 or newer is needed; this is ${process.versions.node}.`);
  }
  if (names.length === 0 || names.some((name) => !Object.hasOwn(steps, name))) {
    throw new SetupError(`usage: node .ci/setup.js ${Object.keys(steps).join(' | ')} …`);
  }
  for (const name of names) {
    const step = steps[name];
    if (step.missing() === null) continue;
    await alone(async () => {
      // What another setup did while we waited need not be done again.
      const missing = step.missing();
      if (missing !== null) await step.run(missing);
    });
  }
}

function say(text) {
  // stdout belongs to what runs after the set-up: a report, a tarball.
  process.stderr.write(`setup: ${text}\n`);
}

/** Runs a program with its output on stderr; true when it succeeds. */
function succeeds(command, args, options = {}) {
  const { error, status } = spawnSync(command, args, { cwd: root, stdio: ['inherit', 2, 2], ...options });
  if (error) throw new SetupError(`${command} cannot be run: ${error.message}`);
  return status === 0;
}

/** The path of a program in PATH, or null; a path stands for itself. */
function find(command) {
  if (command.startsWith('/')) return existsSync(command) ? command : null;
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, command);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      continue;
    }
  }
  return null;
}

// --- one set-up at a time ---

/** Runs `work` while no other set-up of this folder does. */
async function alone(work) {
  const server = createServer();
  await lock(server);
  try {
    await work();
  } finally {
    server.close();
  }
}

/**
 * A listening local socket is the lock, because the kernel lets go of it however its process ends. On Linux and Windows
 * its name goes away too; elsewhere it is a file that stays when the process is killed.
 */
async function lock(server) {
  const name = `rtc-ops-setup-${createHash('sha256').update(root).digest('hex').slice(0, 16)}`;
  const path =
    { linux: `\0${name}`, win32: `\\\\.\\pipe\\${name}` }[process.platform] ?? join(tmpdir(), name);
  const deadline = Date.now() + waitForOtherSetupMs;
  let told = false;
  for (;;) {
    const code = await new Promise((resolve) => {
      server.once('error', (error) => resolve(error.code));
      server.listen(path, () => resolve(null));
    });
    if (code === null) return;
    if (code !== 'EADDRINUSE') throw new SetupError(`cannot lock ${JSON.stringify(path)}: ${code}`);
    if (!told) say('waiting for another set-up in this folder');
    told = true;
    if (Date.now() > deadline)
      throw new SetupError('another set-up in this folder does not end; end it and run again');
    await sleep(100);
  }
}

// --- modules ---

function modulesMissing() {
  // npm writes this copy of the lock file when it is through, and deletes it before it starts.
  const installed = readJson('node_modules/.package-lock.json');
  if (installed === null) return 'node_modules is missing';
  for (const [path, wanted] of Object.entries(readJson('package-lock.json').packages)) {
    if (path === '') continue;
    const found = installed.packages[path];
    // What is optional and not there is for another platform.
    const missing = found === undefined && !wanted.optional && !wanted.devOptional;
    const differs =
      found !== undefined && (found.version !== wanted.version || found.integrity !== wanted.integrity);
    if (missing || differs) return `${path} is not as in package-lock.json`;
  }
  return null;
}

function installModules(missing) {
  say(`npm ci (${missing})`);
  // npm_execpath: the npm that runs this, where there is one, even when it is not the first in PATH.
  const npm = process.env.npm_execpath?.endsWith('npm-cli.js')
    ? [process.execPath, process.env.npm_execpath]
    : ['npm'];
  // Of npm's two tries after a failure the first follows soon, or a missing network is told only after a minute.
  const [command, ...args] = [
    ...npm,
    'ci',
    '--include=dev',
    '--no-audit',
    '--no-fund',
    '--fetch-retry-mintimeout=1000',
  ];
  if (succeeds(command, args, { shell: command === 'npm' && process.platform === 'win32' })) return;
  throw new SetupError(
    'npm ci failed; npm says above why. Without network: it needs the npm registry (try: npm ping), so connect, or set ' +
      'npm’s proxy, and run the same command again.',
  );
}

// --- build ---

function buildMissing() {
  const built = readJson(stamp);
  if (built === null) return 'dist is missing';
  return built.inputs === buildInputs() ? null : 'src has changed';
}

/** A digest of names, sizes and times of everything that dist/ is made from. */
function buildInputs() {
  const settings = [
    'tsconfig.json',
    'tsconfig.build.json',
    '.ci/bundle.js',
    'package-lock.json',
    'node_modules/typescript/package.json',
    'node_modules/rolldown/package.json',
  ];
  const files = [...filesUnder('src').toSorted(byName), ...settings];
  const hash = createHash('sha256');
  for (const file of files) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file}\0${size}\0${mtimeMs}\0`);
  }
  return hash.digest('hex');
}

async function build(missing) {
  say(`build (${missing})`);
  const inputs = buildInputs();
  rmSync(join(root, stamp), { force: true });
  const compiled = succeeds(process.execPath, [
    'node_modules/typescript/bin/tsc',
    '-p',
    'tsconfig.build.json',
  ]);
  // tsc leaves what it made from sources that are gone, and the package would carry it.
  const sources = new Set(
    filesUnder('src').map((file) => file.replace(/^src/, 'dist').replace(/\.ts$/, '.js')),
  );
  const kept = [`dist${sep}.`, `dist${sep}bundle${sep}`];
  for (const file of filesUnder('dist')) {
    if (!kept.some((start) => file.startsWith(start)) && !sources.has(file)) rmSync(join(root, file));
  }
  // Despite type errors tsc has written what it could; the errors are to be seen again in the next build.
  if (!compiled) throw new SetupError('the build has errors; tsc says above which.');
  // Only now: it imports from node_modules, which an earlier step may just have installed.
  const { bundle } = await import('./bundle.js');
  await bundle(root);
  writeFileSync(join(root, stamp), `${JSON.stringify({ inputs })}\n`);
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

function byName(a, b) {
  return a < b ? -1 : 1;
}

function readJson(path) {
  return existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), 'utf8')) : null;
}

// --- Debian packages ---

function packagesMissing(purpose) {
  const missing = Object.entries(packagesFor[purpose]).filter(([, program]) => find(program) === null);
  return missing.length === 0 ? null : missing.map(([name]) => name).join(' ');
}

function installPackages(purpose) {
  const missing = packagesMissing(purpose);
  const left =
    purpose === 'tests' ? 'Tests that need them are skipped by name.' : 'Their checks are left out.';
  if (find('apt-get') === null) {
    say(`not installed: ${missing} (only Debian and Ubuntu are known here). ${left}`);
    return;
  }
  const asRoot = rootPrefix();
  if (asRoot === null) {
    say(`not installed: ${missing} (needs root). ${left} To install them: sudo node .ci/setup.js ${purpose}`);
    return;
  }
  say(`apt-get install ${missing}${missing.includes('coturn') ? ' (the coturn service stays off)' : ''}`);
  for (const command of installCommands(missing.split(' '))) {
    if (succeedsQuietly([...asRoot, ...command])) continue;
    const without = purpose === 'tests' ? ' What can be tested without them: npm run test:unit' : '';
    throw new SetupError(
      `apt-get install ${missing} failed; apt-get says above why. Without network: it needs Debian’s package mirror, so ` +
        `connect, or set apt’s proxy, and run the same command again.${without}`,
    );
  }
}

function installCommands(packages) {
  const others = packages.filter((name) => name !== 'coturn');
  const aptGet = 'DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get';
  const options = '-qqy --no-install-recommends -o DPkg::Lock::Timeout=300';
  // A mirror of someone else's that cannot be reached must not stand in the way: what matters is the install.
  const commands = [['sh', '-c', `${aptGet} update -qq || true`]];
  // The package's service starts with a config that lets everyone relay; the product knows how to keep it off.
  if (packages.includes('coturn')) commands.push(['sh', 'templates/install-coturn.sh']);
  if (others.length > 0) commands.push(['sh', '-c', `${aptGet} install ${options} ${others.join(' ')}`]);
  return commands;
}

/** Runs a program and shows what it says only when it fails. */
function succeedsQuietly([command, ...args]) {
  const options = { cwd: root, encoding: 'utf8', stdio: ['inherit', 'pipe', 'pipe'] };
  const { error, status, stdout, stderr } = spawnSync(command, args, options);
  if (status === 0) return true;
  process.stderr.write(error ? `${error.message}\n` : `${stdout}${stderr}`);
  return false;
}

/** What to put before a command so that it runs as root; null when there is no way that asks nobody. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  if (find('sudo') === null) return null;
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n'];
  return process.stdin.isTTY && process.stderr.isTTY ? ['sudo'] : null;
}
