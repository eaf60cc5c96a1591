import { setMaxListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { AuditCheckId, AuditFacts, AuditReport } from '../../src/model/audit.ts';
import { parseTurnUri } from '../../src/model/turn-uri.ts';
import { audit } from '../../src/probes/audit-probe.ts';
import { judgeAudit } from '../../src/rules/audit.ts';
import { read } from '../../src/stun/attribute.ts';
import { method } from '../../src/stun/message.ts';
import { lifetime } from '../../src/stun/relay-attributes.ts';
import {
  scriptedServer,
  turnCredential,
  type ReceivedRequest,
  type ScriptedServer,
} from '../support/scripted-server.ts';

/** Audits servers that do not behave. */
async function examined(...servers: readonly ScriptedServer[]): Promise<AuditReport> {
  return judgeAudit(await factsOf(servers, new AbortController().signal), {
    failOn: 'error',
    now: new Date(),
  });
}

async function factsOf(servers: readonly ScriptedServer[], signal: AbortSignal): Promise<AuditFacts> {
  setMaxListeners(0, signal);
  return audit({
    uris: servers.map(({ server: { transport, endpoint } }) =>
      parseTurnUri(`turn:127.0.0.1:${endpoint.port}?transport=${transport}`),
    ),
    credential: { source: 'given', ...turnCredential },
    otherCredential: null,
    env: process.env,
    now: () => new Date(),
    timeoutMs: 500,
    signal,
  });
}

const statusOf = (report: AuditReport, id: AuditCheckId): string | undefined =>
  report.servers[0]?.checks.find((check) => check.id === id)?.status;

const peerChecks = [
  ...(['loopback-peers', 'private-peers', 'metadata-peers', 'multicast-peers'] as const),
] satisfies AuditCheckId[];

/** A server that denies every peer but the public one, and does `otherwise` from the nth permission on. */
function permitting(count: number, otherwise: (request: ReceivedRequest) => void) {
  let asked = 0;
  return (request: ReceivedRequest): void => {
    if (request.message.method !== method.createPermission || !request.isSigned) request.serve();
    else if (asked++ === 0) request.serve();
    else if (asked < count) request.refuse(403);
    else otherwise(request);
  };
}

describe('a server that does not behave', () => {
  it('refuses nothing by having had enough of the questions', async () => {
    const refusing = permitting(5, (request) => request.refuse(403));
    const report = await examined(await scriptedServer('tcp', refusing));
    for (const id of peerChecks) expect(statusOf(report, id)).toBe('unknown');
    expect(report.exitCode).toBe(1);
  });

  it('refuses nothing by answering with what is no answer', async () => {
    const end = (request: ReceivedRequest): void => request.send(Buffer.alloc(40));
    const report = await examined(await scriptedServer('tcp', permitting(2, end)));
    for (const id of peerChecks) expect(statusOf(report, id)).toBe('unknown');
  });

  it('is asked behind each of its ports', async () => {
    const denying = (request: ReceivedRequest): void => {
      if (request.message.method === method.createPermission && request.isSigned) request.refuse(403);
      else request.serve();
    };
    const report = await examined(await scriptedServer('tcp', denying), await scriptedServer('tcp'));
    const found = report.findings.find(({ code }) => code === 'PRIVATE_PEERS_ALLOWED');
    const [, second] = report.observations.servers[0]?.users ?? [];
    expect(found?.targets).toEqual([second?.through]);
  });
});

it('frees what it was given when it is stopped', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  const granted = new Set<number>();
  const server = await scriptedServer('udp', (request) => {
    request.serve();
    if (request.message.method !== method.allocate || !request.isSigned) return;
    granted.add(request.clientPort);
    if (granted.size === 5) controller.abort(reason);
  });
  await expect(factsOf([server], controller.signal)).rejects.toBe(reason);
  const freed = server.requests.filter(
    ({ message, isSigned }) => isSigned && message.method === method.refresh && read(message, lifetime) === 0,
  );
  // From a port of its own each.
  expect(new Set(freed.map(({ clientPort }) => clientPort))).toEqual(granted);
});
