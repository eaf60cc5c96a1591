import { execa } from 'execa';
import { expect, it } from 'vitest';
import { ufwRules } from '../../../src/coturn/firewall/ufw.ts';
import { usualOpenings } from '../../support/openings.ts';
import { needs } from '../../support/requirements.ts';

const { files, commands, removal } = ufwRules(usualOpenings);

/** Runs lines with a copy of ufw's files of our own, in a network of our own. */
async function withUfw(lines: readonly string[]): Promise<string> {
  const script = [
    'set -e; mount --make-rprivate /',
    'd=$(mktemp -d); cp -a /etc/ufw "$d/etc"; cp /etc/default/ufw "$d/default"',
    'mount --bind "$d/etc" /etc/ufw; mount --bind "$d/default" /etc/default/ufw',
    'ip link set lo up',
    'cat > /etc/ufw/applications.d/rtc-ops',
    ...lines.map((line) => line.replace(/^sudo /, '')),
    'umount /etc/ufw /etc/default/ufw; rm -r "$d"',
  ];
  const { stdout } = await execa('unshare', ['--net', '--mount', 'bash', '-c', script.join('\n')], {
    input: files[0]?.text ?? '',
  });
  return stdout;
}

needs('lab', 'ufw').describe('the profile for ufw', () => {
  it('is read by ufw', async () => {
    const shown = await withUfw(['ufw app info rtc-ops']);
    expect(shown).toContain('Ports:\n  3478,49152:65535/udp\n  3478,5349/tcp');
  });

  it('is allowed by the commands, twice without harm, and taken back', async () => {
    const shown = await withUfw([
      ...commands,
      'ufw --force enable',
      ...commands,
      'iptables-save',
      'echo ======',
      ...removal,
      'ufw status',
    ]);
    const [before = '', after = ''] = shown.split('======');
    expect(before).toMatch(/-A ufw-user-input -p udp -m multiport --dports 3478,49152:65535 .*-j ACCEPT/);
    expect(before).toMatch(/-A ufw-user-input -p tcp -m multiport --dports 3478,5349 .*-j ACCEPT/);
    expect(after).not.toContain('3478');
  });
});
