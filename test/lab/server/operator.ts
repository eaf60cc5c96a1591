import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DeploymentReport } from '../../../src/model/deployment.ts';
import { shared } from './image.ts';
import type { Execution, Server } from './server.ts';
import type { ServerLab } from './server-lab.ts';

const bin = fileURLToPath(new URL('../../../bin/rtc-ops.js', import.meta.url));

/** Somebody who deploys from the other network, with an rtc-ops.yaml and a secret in a folder of their own. */
export interface Operator {
  readonly directory: string;
  readonly secret: string;
  /** Writes rtc-ops.yaml anew. */
  readonly configure: (config: object) => Promise<void>;
  /** Runs the command line there. */
  readonly rtcOps: (...args: string[]) => Promise<Execution>;
  /** Runs a command that changes hosts, without a question, and reads its report. */
  readonly deploy: (...args: string[]) => Promise<Execution & { report: DeploymentReport }>;
}

let operators = 0;

/** @param config rtc-ops.yaml as data, without `auth` */
export async function operatorOf(lab: ServerLab, config: object): Promise<Operator> {
  const directory = join(lab.directory, `operator-${++operators}`);
  const secret = randomBytes(32).toString('hex');
  await mkdir(directory);
  await writeFile(join(directory, 'secret.txt'), `${secret}\n`, { mode: 0o600 });
  const login = ['--private-key', shared.privateKey];
  const known = ['--ssh-common-args', `-o UserKnownHostsFile=${lab.knownHostsFile}`];
  const operator: Operator = {
    directory,
    secret,
    configure: async (data) => {
      // JSON is YAML.
      const text = JSON.stringify({ auth: { secret: { file: 'secret.txt' } }, ...data });
      await writeFile(join(directory, 'rtc-ops.yaml'), text);
    },
    rtcOps: async (...args) => lab.operator([process.execPath, bin, ...args], { cwd: directory }),
    deploy: async (...args) => {
      const [command = 'deploy', ...rest] = args[0]?.startsWith('-') === false ? args : ['deploy', ...args];
      const trust = command === 'deploy' ? ['--ca', lab.acmeRootFile] : [];
      const options = ['--yes', '--format', 'json', ...trust, ...login, ...known];
      const run = await operator.rtcOps(command, ...options, ...rest);
      if (run.stdout === '') throw new Error(`no report; stderr: ${run.stderr}`);
      return { ...run, report: JSON.parse(run.stdout) as DeploymentReport };
    },
  };
  await operator.configure(config);
  return operator;
}

/** A config for servers of the lab, each with its addresses. */
export function serviceOn(servers: readonly Server[], more: object = {}): object {
  return {
    realm: 'lab.test',
    hosts: servers.map(({ host, ipv4, ipv6 }) => ({
      name: host,
      addresses: [ipv4, ipv6],
      ssh: { user: 'root' },
    })),
    relay: { ports: '49152-49500' },
    ...more,
  };
}
