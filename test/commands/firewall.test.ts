import { describe, expect, it } from 'vitest';
import { rtcOps, type CliRun } from '../support/cli.ts';
import { directoryWith } from '../support/temporary.ts';

const yaml = 'realm: example.org\nauth: { secret: { file: secret } }\n';

async function firewall(text: string, ...args: string[]): Promise<CliRun> {
  return rtcOps(['firewall', ...args], { cwd: await directoryWith({ 'rtc-ops.yaml': text }) });
}

describe('firewall show', () => {
  it('lists the ports', async () => {
    const { stdout, stderr, exitCode } = await firewall(yaml, 'show');
    expect(stdout).toBe(
      'udp  3478         TURN and STUN over UDP\ntcp  3478         TURN over TCP\nudp  49152-65535  relayed media\n',
    );
    expect([stderr, exitCode]).toEqual(['', 0]);
  });

  it('prints a script for a firewall', async () => {
    const { stdout } = await firewall(yaml, 'show', '--backend', 'ufw');
    expect(stdout).toContain(
      "sudo install -D -m 0644 /dev/stdin /etc/ufw/applications.d/rtc-ops <<'END_OF_FILE'\n",
    );
    expect(stdout).toContain(
      '\nports=3478,49152:65535/udp|3478/tcp\nEND_OF_FILE\nsudo ufw app update rtc-ops\n',
    );
  });

  it('prints openings, files and commands as JSON', async () => {
    const { stdout } = await firewall(yaml, 'show', '--backend', 'firewalld', '--format', 'json');
    expect(JSON.parse(stdout)).toMatchObject({
      schemaVersion: 1,
      command: 'firewall show',
      openings: [
        { protocol: 'udp', ports: { first: 3478, last: 3478 }, from: 'anywhere' },
        { protocol: 'tcp' },
        { protocol: 'udp', ports: { first: 49_152, last: 65_535 }, purpose: 'relay', families: [4, 6] },
      ],
      rules: { files: [{ path: '/etc/firewalld/services/rtc-ops.xml' }] },
    });
  });

  it('refuses a firewall that it does not know, and a host that is none', async () => {
    const unknown = await firewall(yaml, 'show', '--backend', 'pf');
    expect([unknown.exitCode, unknown.stdout]).toEqual([2, '']);
    expect(unknown.stderr).toContain('Allowed choices are ufw, firewalld');
    const host = await firewall(yaml, 'show', '--host', 'turn.example.org');
    expect([host.exitCode, host.stdout]).toEqual([2, '']);
    expect(host.stderr).toContain('turn.example.org is none of the hosts');
  });

  it('needs a config', async () => {
    const run = await rtcOps(['firewall', 'show'], { cwd: await directoryWith({}) });
    expect([run.exitCode, run.stdout]).toEqual([3, '']);
  });
});

describe('firewall check', () => {
  const elsewhere = `${yaml}hosts: [{ name: turn.example.org, addresses: [192.0.2.77] }]\n`;

  it('says that this is another machine, and judges nothing', async () => {
    const { stdout, stderr, exitCode } = await firewall(elsewhere, 'check');
    expect([stdout, exitCode]).toEqual(['', 2]);
    expect(stderr).toContain('this machine is not turn.example.org: it has none of 192.0.2.77');
  });

  it.each([
    [['--peer-secret-file', 'secret'], '--peer-secret-file was given without --from-peer'],
    [['--from-peer', 'https://192.0.2.1'], 'Write udp://HOST:PORT'],
    [['--from-peer', 'udp://192.0.2.1:3479'], 'the secret that probe and peer share is missing'],
    [['--ports', '0'], 'whole number from 1 to 500'],
    [['--host', 'other.example.org'], 'other.example.org is none of the hosts'],
  ])('refuses %j', async (args, message) => {
    const { stdout, stderr, exitCode } = await firewall(elsewhere, 'check', ...args);
    expect(stderr).toContain(message);
    expect([stdout, exitCode]).toEqual(['', 2]);
  });
});
