import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { firewalldRules } from '../../../src/coturn/firewall/firewalld.ts';
import { usualOpenings } from '../../support/openings.ts';
import { needs } from '../../support/requirements.ts';
import { directoryWith } from '../../support/temporary.ts';

needs('firewalld').describe('the service for firewalld', () => {
  it('is read by firewalld', async () => {
    const [file] = firewalldRules(usualOpenings).files;
    const directory = await directoryWith({ 'rtc-ops.xml': file?.text ?? '' });
    const program = `import sys
from firewall.core.io.service import service_reader
service = service_reader("rtc-ops.xml", sys.argv[1])
print(service.short, service.ports)`;
    // Debian's own Python: its modules are of no use to another one.
    const { stdout } = await execa('/usr/bin/python3', ['-c', program, directory]);
    expect(stdout).toBe(
      "TURN server (rtc-ops) [('3478', 'udp'), ('49152-65535', 'udp'), ('3478', 'tcp'), ('5349', 'tcp')]",
    );
    expect(join('/', file?.path ?? '')).toBe('/etc/firewalld/services/rtc-ops.xml');
  });
});
