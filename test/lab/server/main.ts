/**
 * Servers for people: `npm run lab:vps -- up one`, `npm run lab:vps -- exec one systemctl status`, `npm run lab:vps -- ssh one`,
 * `npm run lab:vps -- operator COMMAND`, `npm run lab:vps -- down`.
 */
import { Argument, Command } from 'commander';
import { execa } from 'execa';
import { acmeUrl } from './acme-server.ts';
import { shared, suites, type Suite } from './image.ts';
import { onHost } from './network.ts';
import { removeLeftovers, serverLabIds } from './place.ts';
import { sshOptions, type Server } from './server.ts';
import { findServerLab, openServerLab } from './server-lab.ts';

const program = new Command('npm run lab:vps --')
  .description('Booted Debian servers with ssh, and an ACME server, to deploy to. Needs root.')
  .option('--name <name>', 'which lab, when several are up', 'here')
  .enablePositionalOptions();
const labName = (): string => program.opts<{ name: string }>().name;

program
  .command('up')
  .argument('<server>', 'its name: it is known as SERVER.lab.test')
  .addArgument(new Argument('[suite]', 'of Debian').choices(suites).default('bookworm'))
  .description('boot one more server')
  .action(async (name: string, suite: Suite) => {
    const lab = (await findServerLab(labName())) ?? (await openServerLab({ name: labName() }));
    const server = await lab.addServer(name, suite);
    const keys = `--private-key ${shared.privateKey} --ssh-common-args '-o UserKnownHostsFile=${lab.knownHostsFile}'`;
    print(
      `${server.host} is up at ${server.ipv4} and ${server.ipv6}`,
      `ssh     ${keys}`,
      `ACME    ${acmeUrl}, its root: ${lab.acmeRootFile}`,
      `try     npm run lab:vps -- ssh ${name}`,
    );
  });

program
  .command('exec')
  .argument('<server>')
  .argument('<command...>')
  .description('run a command on its console, as root')
  .passThroughOptions()
  .action(async (name: string, command: string[]) => {
    const { stdout, stderr, exitCode } = await (await serverNamed(name)).console(command.join(' '));
    process.stderr.write(stderr === '' ? '' : `${stderr}\n`);
    print(stdout);
    process.exitCode = exitCode ?? 1;
  });

program
  .command('ssh')
  .argument('<server>')
  .argument('[command...]')
  .description('log in as the operator does, as root')
  .passThroughOptions()
  .action(async (name: string, command: string[]) => {
    const { ipv4 } = await serverNamed(name);
    await asOperator(['ssh', ...sshOptions(labName()), `root@${ipv4}`, ...command]);
  });

program
  .command('operator')
  .argument('<command...>')
  .description('run a command on the machine of the operator, which is in another network')
  .passThroughOptions()
  .action(asOperator);

program
  .command('down')
  .argument('[server]', 'one of them; without it, the whole lab')
  .description('remove it')
  .action(async (name?: string) => {
    if (name === undefined) await (await findServerLab(labName()))?.close();
    else await (await serverNamed(name)).close();
    await removeLeftovers();
  });

program
  .command('list')
  .description('what is up')
  .action(async () => {
    for (const id of serverLabIds()) {
      const servers = (await findServerLab(id))?.servers ?? [];
      print(`${id}: ${servers.map(({ host, ipv4 }) => `${host} ${ipv4}`).join(', ') || 'no server'}`);
    }
  });

async function serverNamed(name: string): Promise<Server> {
  const server = (await findServerLab(labName()))?.servers.find((each) => each.name === name);
  return server ?? program.error(`there is no server ${name}; see: npm run lab:vps -- list`);
}

async function asOperator(command: readonly string[]): Promise<void> {
  const [file, args] = onHost(labName(), 'operator', command);
  const { exitCode } = await execa(file, args, { reject: false, stdio: 'inherit' });
  process.exitCode = exitCode ?? 1;
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

await program.parseAsync();
