import { execa } from 'execa';
import { expect, it } from 'vitest';
import { insertionRules, nftablesRules } from '../../../src/coturn/firewall/nftables.ts';
import { usualOpenings } from '../../support/openings.ts';
import { needs } from '../../support/requirements.ts';

const [file] = nftablesRules(usualOpenings).files;

needs('lab').describe('the rules for nftables', () => {
  it('are read by nft, leave other tables alone, and are the same after a second time', async () => {
    const script = `set -e
      nft -f - <<'END'
table inet mine { chain input { type filter hook input priority 0; policy drop; tcp dport 22 accept; }; }
END
      cat > "$1/rtc-ops.nft"
      nft -c -f "$1/rtc-ops.nft"
      nft -f "$1/rtc-ops.nft"
      nft -s list ruleset > "$1/once"
      nft -f "$1/rtc-ops.nft"
      nft -s list ruleset > "$1/twice"
      cmp "$1/once" "$1/twice"
      cat "$1/twice"`;
    const { stdout } = await execa(
      'unshare',
      ['--net', 'sh', '-c', `d=$(mktemp -d); set -- "$d"; ${script}; rm -r "$d"`],
      {
        input: file?.text ?? '',
      },
    );
    expect(stdout).toContain('table inet mine {');
    expect(stdout).toContain('tcp dport 22 accept');
    expect(stdout).toMatch(
      /udp dport 49152-65535 counter(?: packets 0 bytes 0)? accept comment "relayed media"/,
    );
    expect(stdout.match(/table inet rtc-ops/g)).toHaveLength(1);
  });

  it('can be put into a chain that drops', async () => {
    const rules = insertionRules(usualOpenings).map(
      (rule) => `nft insert rule inet mine input '${rule.replaceAll("'", '')}'`,
    );
    const script = `nft 'table inet mine { chain input { type filter hook input priority 0; policy drop; }; }'
      ${rules.join('\n')}
      nft list ruleset`;
    const { stdout } = await execa('unshare', ['--net', 'sh', '-ec', script]);
    expect(stdout).toContain('udp dport { 3478, 49152-65535 } accept comment "rtc-ops"');
    expect(stdout).toContain('tcp dport { 3478, 5349 } accept comment "rtc-ops"');
  });
});
