import { describe, expect, it } from 'vitest';
import { serverFacts } from '../../../src/evidence/server/server-facts.ts';
import { codesOf, judged, recordedPid, recordedServer } from '../../support/recorded-server.ts';

/** Three sessions in which coturn 4.6.1 refused a password, and one that is open where the log ends. */
function refusals(user: string): (journal: string) => string {
  const prefix = `2026-11-21T16:35:00.000000+0000 one turnserver[${recordedPid}]: 68: :`;
  const lines = [1, 2, 3].flatMap((id) => [
    `ERROR: check_stun_auth: Cannot find credentials of user <${user}>`,
    `session 00100000000000000${id}: realm <lab.test> user <${user}>: incoming packet message processed, error 401: Unauthorized`,
    `session 00100000000000000${id}: closed (2nd stage), user <${user}> realm <lab.test> origin <>, local 203.0.113.11:3478, remote 198.51.100.10:40000, reason: UDP session timeout`,
  ]);
  const open = `session 001000000000000009: new, realm=<lab.test>, username=<${user}>, lifetime=600`;
  return (journal) => `${journal}${[...lines, open].map((line) => `${prefix} ${line}\n`).join('')}`;
}

describe('the log of coturn', () => {
  it('tells of users who were refused', () => {
    const evidence = recordedServer({ journal: refusals('1795374794:alice') });
    expect(codesOf(judged(evidence))).toEqual(['LOG_CREDENTIALS_WRONG']);
  });

  it.each(['probe', 'doctor', 'audit', 'deploy', 'rotation'])(
    'blames no user for what rtc-ops %s tried before',
    (command) => {
      const evidence = recordedServer({ journal: refusals(`1795374794:rtc-ops-${command}`) });
      expect(codesOf(judged(evidence))).toEqual([]);
      expect(serverFacts(evidence).logs).toMatchObject([
        { value: { tellsSessions: true, sessions: { total: 0, allocated: 0, open: 0 } } },
      ]);
    },
  );

  it('blames nobody for TLS connections that failed, where a probe of rtc-ops got through', () => {
    const prefix = `2026-11-21T16:35:00.000000+0000 one turnserver[${recordedPid}]: 68: :`;
    const ending = (id: number, user: string, reason: string): string =>
      `session 0010000000000000${id}: closed (2nd stage), user <${user}> realm <lab.test> origin <>, local 203.0.113.11:5349, remote 198.51.100.10:400${id}, reason: ${reason}`;
    const user = '1795374794:rtc-ops-probe';
    const allocated = [
      `session 001000000000000051: new, realm=<lab.test>, username=<${user}>, lifetime=600, cipher=ECDHE-ECDSA-AES256-GCM-SHA384, method=TLSv1.2`,
      ending(51, user, 'TLS/TCP connection closed by client (callback)'),
      `session 001000000000000051: delete: realm=<lab.test>, username=<${user}>`,
    ];
    const failed = [52, 53, 54].map((id) =>
      ending(id, '', 'TLS/TCP socket buffer operation error (callback)'),
    );
    const severities = (lines: readonly string[]) =>
      judged(
        recordedServer({
          journal: (journal) => `${journal}\n${lines.map((each) => `${prefix} ${each}\n`).join('')}`,
        }),
      ).findings.flatMap(({ code, severity }) => (code === 'LOG_TLS_HANDSHAKES_FAILED' ? [severity] : []));
    expect(severities([...allocated, ...failed])).toEqual(['info']);
    expect(severities(failed)).toEqual(['warning']);
  });
});
