/**
 * The lab for people: `npm run lab -- up symmetric`, `npm run lab -- exec a ping -c 1 203.0.113.10`, `npm run lab -- down`.
 */
import { Command } from 'commander';
import { execa } from 'execa';
import { openLab } from './lab.ts';
import { labIds, onHost, removeLab, removeLeftovers } from './namespaces.ts';
import { addresses, type HostName } from './network.ts';
import { scenarioNames, scenarios, type Scenario, type ScenarioName } from './scenarios.ts';

const program = new Command('npm run lab --')
  .description(
    'Networks in which rtc-ops is tested: two clients (a, b), NATs, and a coturn at 203.0.113.10. Needs root.',
  )
  .option('--name <name>', 'which lab, when several are up', 'here')
  .enablePositionalOptions();
const labName = (): string => program.opts<{ name: string }>().name;

program
  .command('up')
  .argument('<scenario>', 'see `list`')
  .description('bring a network up, in place of the one that has the name')
  .action(async (scenario: string) => {
    if (isScenario(scenario)) await up(scenario);
    else program.error(`there is no scenario ${scenario}; see: npm run lab -- list`);
  });

program
  .command('exec')
  .argument('<host>', 'a, b, a-nat, b-nat, server, server-nat, elsewhere or internet')
  .argument('<command...>')
  .description('run a command on one of its hosts')
  .passThroughOptions()
  .action(async (host: string, command: string[]) => {
    const [file, args] = onHost(labName(), host as HostName, command);
    const { exitCode } = await execa(file, args, { reject: false, stdio: 'inherit' });
    process.exitCode = exitCode ?? 1;
  });

program
  .command('down')
  .description('remove it, with all that runs in it')
  .action(async () => {
    await removeLab(labName());
    await removeLeftovers();
  });

program
  .command('list')
  .description('what there is, and what is up')
  .action(() => {
    const width = Math.max(...scenarioNames.map(({ length }) => length));
    print(...scenarioNames.map((name) => `${name.padEnd(width)}  ${scenarios[name].about}`));
    print(`up: ${labIds().join(', ') || 'nothing'}`);
  });

async function up(scenario: ScenarioName): Promise<void> {
  await removeLab(labName());
  const { caFile, secretFile } = await openLab(scenario, { name: labName() });
  const { a }: Scenario = scenarios[scenario];
  const probe = `node bin/rtc-ops.js probe ${addresses.server[a.family ?? 4]} --secret-file ${secretFile} --ca ${caFile}`;
  print(`${scenario} is up: ${scenarios[scenario].about}`, `try: npm run lab -- exec a ${probe}`);
}

function isScenario(name: string): name is ScenarioName {
  return Object.hasOwn(scenarios, name);
}

function print(...lines: readonly string[]): void {
  process.stdout.write(`${lines.join('\n')}\n`);
}

await program.parseAsync();
