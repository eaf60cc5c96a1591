import { describe, expect, it } from 'vitest';
import type { FirewallReport } from '../../src/model/firewall-report.ts';
import { renderFirewallHuman } from '../../src/report/human-firewall.ts';
import { judgeFirewall } from '../../src/rules/firewall/judgement.ts';
import { usualOpenings } from '../support/openings.ts';
import { golden } from '../support/golden.ts';

function report(): FirewallReport {
  const chain = {
    name: 'input',
    base: { hook: 'input', type: 'filter', priority: 0, policy: 'drop' },
    rules: [
      {
        text: 'udp dport 3478 accept',
        matches: [
          { kind: 'protocol', names: ['udp'], negated: false },
          { kind: 'port', end: 'destination', spans: [{ first: 3478, last: 3478 }], negated: false },
        ],
        action: { kind: 'accept' },
      },
      {
        text: 'tcp dport 3478 limit rate 10/second accept comment "\u001b[31m"',
        matches: [
          { kind: 'protocol', names: ['tcp'], negated: false },
          { kind: 'port', end: 'destination', spans: [{ first: 3478, last: 3478 }], negated: false },
          { kind: 'unknown', what: 'limit', negated: false },
        ],
        action: { kind: 'accept' },
      },
    ],
  } as const;
  return {
    schemaVersion: 1,
    tool: { name: 'rtc-ops', version: '0.0.0' },
    command: 'firewall check',
    ...judgeFirewall({
      openings: usualOpenings.map((opening) => ({ ...opening, families: [4] })),
      host: 'turn.example.org',
      addresses: ['203.0.113.10'],
      publicAddresses: [],
      facts: {
        rules: {
          state: 'seen',
          value: [{ name: 'inet filter', tool: 'nft', families: [4, 6], chains: [chain] }],
        },
        sockets: {
          state: 'seen',
          value: [
            { protocol: 'udp', address: '203.0.113.10', port: 3478, program: 'turnserver', pid: 812 },
            { protocol: 'tcp', address: '203.0.113.10', port: 3478, program: 'turnserver', pid: 812 },
          ],
        },
        devices: { 4: 'eth0', 6: null },
        addresses: ['203.0.113.10'],
        outside: { state: 'unknown', because: 'udp://192.0.2.1:3479 does not answer' },
      },
    }),
  };
}

describe('renderFirewallHuman', () => {
  it('shows what is wrong, with its fix, and what is known of each port', async () => {
    const text = renderFirewallHuman(report(), { color: false, columns: 80 });
    await expect(text).toMatchFileSnapshot(golden('firewall.txt'));
  });

  it('keeps to 80 columns, but for what is pasted, and lets no rule write to the terminal', () => {
    const text = renderFirewallHuman(report(), { color: false, columns: 80 });
    for (const line of text.split('\n').filter((each) => !each.includes(' sudo '))) {
      expect(line.length).toBeLessThanOrEqual(80);
    }
    expect(text).not.toContain('\u001b');
  });
});
