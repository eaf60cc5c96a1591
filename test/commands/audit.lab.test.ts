import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import type { AuditReport } from '../../src/model/audit.ts';
import { openLab } from '../lab/lab.ts';
import { addresses } from '../lab/network.ts';
import type { TurnServerSetUp } from '../lab/turn-server.ts';
import { needs } from '../support/requirements.ts';

const rtcOps = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

/** Audits the server of a lab, as a client behind a NAT elsewhere. */
async function audited(server: TurnServerSetUp): Promise<AuditReport> {
  const lab = await openLab('cone', { server });
  try {
    const uris = [`turn:${addresses.server[4]}`, `turns:${addresses.server[4]}`];
    const { stdout, stderr } = await lab.exec('a', [
      ...[process.execPath, rtcOps, 'audit', ...uris, '--i-own-this', '--format', 'json'],
      ...['--secret-file', lab.secretFile, '--ca', lab.caFile],
    ]);
    if (stdout === '') throw new Error(`the audit gave no report; stderr: ${stderr}`);
    return JSON.parse(stdout) as AuditReport;
  } finally {
    await lab.close();
  }
}

const codesOf = ({ findings }: AuditReport): string[] => findings.map(({ code }) => code);
const openOf = ({ servers }: AuditReport): (string | null)[] =>
  servers.flatMap(({ checks }) =>
    checks.flatMap(({ status, because }) => (status === 'unknown' ? [because] : [])),
  );

needs('lab', 'coturn').describe('an audit from another network', () => {
  it('finds what others reach there, and leaves nothing open', async () => {
    const config = ['-no-cli', 'cli-password=lab', `cli-ip=${addresses.server[4]}`];
    const report = await audited({ config, certificate: 'expired' });
    expect(codesOf(report)).toEqual(
      expect.arrayContaining([
        ...['ADMIN_EXPOSED', 'TLS_CERT_EXPIRED', 'PRIVATE_PEERS_ALLOWED', 'TCP_RELAY_ENABLED'],
        ...['DTLS_OFFERED', 'NO_QUOTAS', 'VERSION_VULNERABLE'],
      ]),
    );
    expect(codesOf(report)).not.toContain('ANONYMOUS_RELAY');
    expect(openOf(report)).toEqual([]);
    // Asked from a public address, the control is the client's own.
    const asked = report.observations.servers[0]?.users[0]?.peers[4];
    expect(asked?.state === 'done' ? asked.value[0] : null).toMatchObject({
      kind: 'public',
      refusedWith: null,
    });
  });
});
