import { describe, expect, it } from 'vitest';
import { renderAuditSarif } from '../../src/report/audit-sarif.ts';
import { renderAuditHuman } from '../../src/report/human-audit.ts';
import { judgeAudit } from '../../src/rules/audit.ts';
import {
  adminPort,
  auditFacts,
  refused,
  soundListener,
  soundServer,
  type ServerChanges,
} from '../support/audit-facts.ts';
import { done, failed, notTried } from '../support/facts.ts';

const now = new Date('2026-11-21T12:00:00Z');
const reportOf = (changes: ServerChanges = {}) =>
  judgeAudit(auditFacts([soundServer(changes)]), { failOn: 'error', now });
const human = (changes: ServerChanges = {}): string =>
  renderAuditHuman(reportOf(changes), { color: false, columns: 80 });
const open = { 4: done(refused(['127.0.0.1'], ['127.0.0.1'])), 6: notTried('no credentials were given') };

describe('the audit for a person', () => {
  it('leads with what it comes to', () => {
    expect(human()).toMatch(/^✔ sound {3}nothing that was tried got through\n/);
    // What users of the relay reach, and not who they are; and what is not known beside it.
    expect(human({ peers: open })).toMatch(
      /^✖ exposed {3}The server itself is allowed as a peer; 4 questions are open\n/,
    );
    expect(human({ tcpRelay: done({ refusedWith: null }) })).toMatch(
      /^! weak {3}Users may open TCP connections/,
    );
    const silence = failed({ kind: 'timeout', afterMs: 5000, sent: 4 });
    expect(human({ tcpRelay: silence })).toMatch(
      /^\? unknown {3}nothing serious was found; one question is open/,
    );
    const nothing = { ...reportOf(), servers: [], findings: [], notAudited: ['x: no such name'] };
    expect(renderAuditHuman(nothing, { color: false, columns: 80 })).toMatch(
      /^\? unknown {3}nothing was examined; one question is open\n/,
    );
  });

  it('says of each question what came of it, in 80 columns', () => {
    const text = human({ peers: open });
    expect(text).toContain('✖ the server itself is refused as a peer · LOOPBACK_PEERS_ALLOWED');
    expect(text).toContain('? IPv6 forms of refused addresses are refused too');
    expect(text).toContain('✔ one user cannot take the whole relay · 12 at once');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  });

  it('prints nothing of a server that commands the terminal', () => {
    const listeners = [soundListener('udp', { software: done({ name: '\u001b[2Jother' }) })];
    expect(human({ listeners })).not.toContain('\u001b');
  });
});

it('SARIF has a result for each finding, at the listener, and a note for what is open', () => {
  const log = JSON.parse(renderAuditSarif(reportOf({ peers: open }))) as {
    runs: { results: object[]; invocations: { toolExecutionNotifications: object[] }[] }[];
  };
  const [run] = log.runs;
  expect(run?.results).toMatchObject([
    {
      ruleId: 'LOOPBACK_PEERS_ALLOWED',
      level: 'error',
      locations: [{ logicalLocations: [{ kind: 'resource' }] }],
    },
  ]);
  expect(run?.invocations[0]?.toolExecutionNotifications.length).toBeGreaterThan(0);
});

it('SARIF writes an IPv6 address as a URI has it', () => {
  const admin = done([adminPort('Prometheus', 9641, { state: 'open', isCoturn: true })]);
  const text = renderAuditSarif(reportOf({ host: '2001:db8::10', address: '2001:db8::10', admin }));
  expect(text).toContain('"uri": "turn:[2001:db8::10]"');
});
