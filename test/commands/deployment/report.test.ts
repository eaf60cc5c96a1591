import { describe, expect, it } from 'vitest';
import { deploymentReport } from '../../../src/commands/deployment/report.ts';
import type { HostDeployment } from '../../../src/model/deployment.ts';
import { renderDeployment } from '../../../src/report/human-deployment.ts';

const host: HostDeployment = {
  name: 'a.example',
  by: 'root@a.example',
  system: 'Debian',
  coturn: '4.6.1-1',
  plan: { steps: [], notes: [] },
  outcome: 'changed',
  because: null,
  hint: null,
  warnings: [],
  verification: null,
  generation: 1,
  generations: [],
};
const at = new Date(0);

describe('a report of a deployment', () => {
  it('is degraded by a warning in the log of coturn, and shows it', () => {
    const warned = { ...host, warnings: ['WARNING: the log speaks \u001b[31m'] };
    const report = deploymentReport('deploy', [host, warned], { check: false, startedAt: at, now: at });
    expect(report).toMatchObject({ verdict: 'degraded', exitCode: 0, headline: '2 of 2 hosts are changed' });
    const text = renderDeployment(report, { color: false, columns: 80 });
    expect(text).toContain('! degraded   2 of 2 hosts are changed');
    expect(text).toContain('! its log: WARNING: the log speaks ');
    expect(text).not.toContain('\u001b');
  });

  it('says what is to be done next', () => {
    const report = deploymentReport('rotate-secret', [host], { check: false, startedAt: at, now: at });
    expect(report).toMatchObject({ verdict: null, next: null, headline: 'the host is changed' });
    const text = renderDeployment({ ...report, next: 'Run it again.' }, { color: false, columns: 80 });
    expect(text).toContain('\n\n  Run it again.\n\n');
  });
});
