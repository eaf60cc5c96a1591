import { execa } from 'execa';
import { expect, it } from 'vitest';
import { firewallRules } from '../../../src/coturn/firewall/backends.ts';
import { firewallScript } from '../../../src/coturn/firewall/script.ts';
import { firewallBackends } from '../../../src/model/firewall.ts';
import { usualOpenings } from '../../support/openings.ts';
import { needs } from '../../support/requirements.ts';

needs('shellcheck').describe('the script for each firewall', () => {
  for (const backend of firewallBackends) {
    it(`is a script that shellcheck finds nothing in: ${backend}`, async () => {
      const rules = firewallRules(backend, usualOpenings);
      for (const commands of [rules.commands, rules.removal]) {
        const input = firewallScript({ ...rules, commands });
        const { stdout } = await execa('shellcheck', ['--shell=sh', '--severity=style', '-'], {
          input,
          reject: false,
        });
        expect(stdout).toBe('');
      }
    });
  }
});
