import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { needs } from '../support/requirements.ts';
import { isRunning } from '../support/running-process.ts';
import { openLab, type Lab } from './lab.ts';
import { directoryOf, labIds, removeLeftovers } from './namespaces.ts';
import { addresses, type HostName } from './network.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Opens a network, gives it to `work`, and closes it whatever comes. */
async function within<T>(opening: Promise<Lab>, work: (lab: Lab) => Promise<T>): Promise<T> {
  const lab = await opening;
  try {
    return await work(lab);
  } finally {
    await lab.close();
  }
}

/** Whether a TCP connection comes about. */
async function connects(lab: Lab, host: HostName, address: string, port: number): Promise<boolean> {
  const script = `require('node:net').connect(${port}, '${address}')
    .on('connect', () => process.exit(0)).on('error', () => process.exit(1)).setTimeout(700, () => process.exit(1))`;
  const { exitCode } = await lab.exec(host, [process.execPath, '-e', script]);
  return exitCode === 0;
}

needs('lab', 'coturn').describe('a network of the lab', () => {
  it.concurrent('lets both clients reach the server, and the server no private client', async () => {
    await within(openLab('cone'), async (lab) => {
      expect(await connects(lab, 'a', addresses.server[4], 3478)).toBe(true);
      expect(await connects(lab, 'b', addresses.server[4], 5349)).toBe(true);
      expect(await connects(lab, 'b', addresses.a, 3478)).toBe(false);
    });
  });

  it.concurrent('lets out only what its firewall does', async () => {
    await within(openLab('corporate'), async (lab) => {
      expect(await connects(lab, 'a', addresses.server[4], 443)).toBe(true);
      expect(await connects(lab, 'a', addresses.server[4], 3478)).toBe(false);
      expect(await connects(lab, 'b', addresses.server[4], 3478)).toBe(true);
    });
  });

  it.concurrent('is one of several, none of which sees another', async () => {
    await within(openLab('open'), async (one) => {
      await within(openLab('open', { server: null }), async (other) => {
        expect(one.id).not.toBe(other.id);
        expect(labIds()).toEqual(expect.arrayContaining([one.id, other.id]));
        expect(await connects(one, 'a', addresses.server[4], 3478)).toBe(true);
        expect(await connects(other, 'a', addresses.server[4], 3478)).toBe(false);
      });
    });
  });

  it.concurrent('is gone when it is closed, with its processes and files', async () => {
    const lab = await openLab('lossy');
    const { stdout } = await lab.exec('server', ['sh', '-c', 'ip netns pids "$(ip netns identify $$)"']);
    const pids = stdout.split('\n').map(Number);
    expect(pids.filter(isRunning)).not.toEqual([]);
    await lab.close();
    await expect.poll(() => pids.filter(isRunning)).toEqual([]);
    expect(labIds()).not.toContain(lab.id);
    expect(existsSync(directoryOf(lab.id))).toBe(false);
  });

  it.concurrent('leaves nothing when it cannot come up, and says why', async () => {
    const name = `fails-${process.pid}`;
    const server = { config: ['-listening-ip', 'listening-ip=192.0.2.99'] };
    await expect(openLab('cone', { name, server })).rejects.toThrow(/coturn cannot listen.*192\.0\.2\.99/s);
    expect(labIds()).not.toContain(name);
    expect(existsSync(directoryOf(name))).toBe(false);
  });

  it.concurrent('is removed by the next process when its own was killed', async () => {
    const loader = ['--import', './test/support/typescript-loader.js'];
    const script = `import('./test/lab/lab.ts').then(async ({ openLab }) => {
      const { id } = await openLab('cone');
      process.stdout.write(id + '\\n');
      setInterval(() => {}, 1000);
    });`;
    const owner = spawn(process.execPath, [...loader, '-e', script], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed] = (await once(owner.stdout, 'data')) as [Buffer];
    const id = printed.toString().trim();
    await removeLeftovers();
    expect(labIds()).toContain(id);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    expect(labIds()).toContain(id);
    await removeLeftovers();
    expect(labIds()).not.toContain(id);
    expect(existsSync(directoryOf(id))).toBe(false);
    expect(isRunning(owner.pid ?? 0)).toBe(false);
  });
});
