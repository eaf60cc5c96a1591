import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { streamSource } from '../../../src/evidence/byte-source.ts';
import { readRecordings } from '../../../src/evidence/recording.ts';
import type { Finding } from '../../../src/model/finding.ts';
import type { Recording } from '../../../src/model/recording-report.ts';
import { redacted } from '../../../src/report/redaction.ts';
import { wantedBy } from '../../../src/rules/analysis/join.ts';
import { judgeRecordings as rules, type JudgedRecordings } from '../../../src/rules/analysis/recordings.ts';
import { joinedWithLog, ProvokedFindings } from '../../support/provoked.ts';
import { anyCall, recordingPath } from '../../support/recorded-calls.ts';

const provoked = new ProvokedFindings();
const judgeRecordings = provoked.watch(rules);

const now = Date.UTC(2026, 10, 21);

/** A recording of one of the calls; `change` is made in its text. */
async function part(
  file: string,
  change = (text: string): string => text,
  isWanted?: ReturnType<typeof wantedBy>,
): Promise<Recording> {
  const bytes = gunzipSync(readFileSync(recordingPath(`joined/${file}.gz`)));
  const changed = file.endsWith('.pcap') ? bytes : Buffer.from(change(bytes.toString('utf8')));
  const [recording] = await readRecordings(streamSource(Readable.from([changed]), file), file, now, isWanted);
  if (recording === undefined) throw new Error(`${file} holds no recording`);
  return recording;
}

async function together(name: string, ...kinds: readonly string[]): Promise<JudgedRecordings> {
  return judgeRecordings(await Promise.all(kinds.map(async (kind) => part(`${name}.${kind}`))), anyCall);
}

/** All times of a log, as if its clock went wrong by so many seconds. */
function late(seconds: number): (text: string) => string {
  return (text) =>
    text.replaceAll(/\d{4}-\d\d-\d\dT[\d:]{8}\+0000/g, (time) =>
      new Date(Date.parse(time) + seconds * 1000).toISOString().replace('.000Z', '+0000'),
    );
}

function roots({ findings }: JudgedRecordings): string[] {
  return findings
    .filter(({ severity, causedBy }) => severity === 'error' && causedBy === null)
    .map(({ code }) => code);
}

function evidence(findings: readonly Finding[], code: Finding['code']): object | undefined {
  return findings.find((each) => each.code === code)?.evidence;
}

const faults = [
  ['wrong-password', 'TURN_AUTH_FAILED', /coturn has another password or secret for user alice/],
  ['quota', 'TURN_QUOTA', /coturn refused user alice with 486/],
  ['peers-denied', 'TURN_PERMISSION_DENIED', /answered 2 requests for a permission with 403/],
  ['allocation-expired', 'TURN_ALLOC_EXPIRED', /closed it with “allocation timeout”/],
] as const;

describe('a dump with a log of coturn', () => {
  it.each(faults)('%s: %s, as the log says', async (name, root, said) => {
    const judged = await together(name, 'internals', 'log');
    expect(judged.findings[0]).toMatchObject({
      code: root,
      evidence: { server: expect.stringMatching(said) as string },
    });
    expect(judged.calls?.verdict).toBe('broken');
    const sessions = judged.calls?.calls.flatMap((call) => call.sessions) ?? [];
    expect(sessions.length).toBeGreaterThan(0);
    expect(sessions.every(({ file, user }) => file === `${name}.log` && user === 'alice')).toBe(true);
  });

  it('knows the session of each connection by the address of its relay', async () => {
    const { calls, findings } = await together('healthy-relay', 'internals', 'log');
    const relays = calls?.calls.map(({ sessions }) => sessions.map(({ relay }) => relay));
    expect(relays).toHaveLength(2);
    expect(new Set(relays?.flat()).size).toBe(4);
    expect(calls?.calls[0]?.sessions[0]).toMatchObject({
      by: 'relay address',
      offsetS: expect.closeTo(0, 0) as number,
    });
    expect(findings.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(calls?.verdict).toBe('healthy');
  });

  it('shows by how much the clocks differ', async () => {
    const parts = [await part('peers-denied.internals'), await part('peers-denied.log', late(95))];
    const judged = judgeRecordings(parts, anyCall);
    expect(judged.findings[0]?.code).toBe('TURN_PERMISSION_DENIED');
    const { offsetS } = evidence(judged.findings, 'RECORDINGS_ALIGNED') as { offsetS: number };
    expect(Math.abs(offsetS + 95)).toBeLessThanOrEqual(1);
  });

  it('takes a relay that was given back for no relay that expired', async () => {
    const log = await part('allocation-expired.log', (text) =>
      text.replaceAll(
        /^(.*: session \d+: )(usage: .*)$/gm,
        '$1refreshed, realm=<example>, username=<alice>, lifetime=0\n$1$2',
      ),
    );
    const judged = judgeRecordings([await part('allocation-expired.internals'), log], anyCall);
    expect(judged.findings[0]?.code).toBe('CONNECTION_LOST');
  });

  it('tells of no expiry after the path was lost, nor of that of a relay that was not in use', async () => {
    const call = await part('allocation-expired.internals');
    const rootWith = async (change: (text: string) => string): Promise<string | undefined> =>
      judgeRecordings([call, await part('allocation-expired.log', change)], anyCall).findings[0]?.code;
    expect(await rootWith((text) => text)).toBe('TURN_ALLOC_EXPIRED');
    const afterwards = (text: string): string =>
      text.replaceAll(/^.*: (?:usage|peer usage|closed|delete)\b.*$/gm, late(120));
    expect(await rootWith(afterwards)).toBe('CONNECTION_LOST');
    const { calls } = judgeRecordings([call, await part('allocation-expired.log')], anyCall);
    const ports = calls?.calls.map(({ path }) => path?.local?.port) ?? [];
    const used = sessions(await part('allocation-expired.log'), call).flatMap(({ session, relay }) =>
      ports.some((port) => relay?.endsWith(`:${port}`) === true) ? [session] : [],
    );
    expect(used.length).toBeGreaterThan(0);
    const ofOthers = (text: string): string =>
      text
        .split('\n')
        .filter((line) => !(line.includes(' closed ') && used.some((id) => line.includes(`session ${id}:`))))
        .join('\n');
    expect(await rootWith(ofOthers)).toBe('CONNECTION_LOST');
  });

  it('in which a peer was permitted does not blame those that were not', async () => {
    const log = await part('peers-denied.log', (text) =>
      text.replaceAll(
        /^(.*: session \d+: )(realm <example> user <alice>: incoming packet ALLOCATE processed, success)$/gm,
        '$1$2\n$1peer 198.51.100.2 lifetime updated: 300',
      ),
    );
    const judged = judgeRecordings([await part('peers-denied.internals'), log], anyCall);
    expect(judged.findings[0]?.code).toBe('ICE_FAILED_WITH_RELAY');
  });

  it('of another time says that it is not that of the call', async () => {
    const parts = [await part('wrong-password.internals'), await part('wrong-password.log', late(600))];
    const judged = judgeRecordings(parts, anyCall);
    expect(judged.calls?.calls.flatMap(({ sessions }) => sessions)).toEqual([]);
    expect(judged.notJudged).toContain('no session of wrong-password.log is seen to be that of the call');
    // Two faults then, of two things.
    expect(roots(judged)).toEqual(expect.arrayContaining(['TURN_AUTH_FAILED', 'LOG_CREDENTIALS_WRONG']));
  });

  it('finds the session of the call in a log that goes on for a day after it', async () => {
    const others = Array.from({ length: 1200 }, (_, index) => {
      const prefix = `2026-11-21T23:00:00+0000: session 00200000000000${String(index).padStart(4, '0')}`;
      return [
        '2026-11-21T23:00:00+0000: IPv4. Local relay addr: 203.0.113.10:1024',
        `${prefix}: new, realm=<example>, username=<else>, lifetime=600`,
        `${prefix}: closed (2nd stage), user <else> realm <example> origin <>, local 203.0.113.10:3478, remote 192.0.2.7:5, reason: allocation timeout`,
        `${prefix}: delete: realm=<example>, username=<else>`,
      ].join('\n');
    }).join('\n');
    const ended = ['001000000000000001', ...[1, 2, 3].map((id) => `00000000000000000${id}`)].map(
      (id) => `2026-11-21T15:50:00+0000: session ${id}: delete: realm=<example>, username=<alice>`,
    );
    const long = (text: string): string => [text.trimEnd(), ...ended, others, ''].join('\n');
    const call = await part('healthy-relay.internals');
    if (call.kind !== 'calls') throw new Error('it is no recording of calls');
    const without = judgeRecordings([call, await part('healthy-relay.log', long)], anyCall);
    expect(without.calls?.calls[0]?.sessions).toEqual([]);
    expect(without.notJudged.join()).toMatch(/the last 500 are looked at/);
    const log = await part('healthy-relay.log', long, wantedBy([call.facts]));
    const { calls, notJudged } = judgeRecordings([call, log], anyCall);
    const by = calls?.calls.map(({ sessions }) => new Set(sessions.map((each) => each.by)));
    expect(by).toEqual([new Set(['relay address']), new Set(['relay address'])]);
    expect(notJudged.join()).not.toMatch(/looked at/);
  });

  it('of other relays at the same time is not taken for it', async () => {
    const log = await part('healthy-relay.log', (text) => text.replaceAll(/:(\d{5})$/gm, ':1$1'));
    const judged = judgeRecordings([await part('healthy-relay.internals'), log], anyCall);
    expect(judged.calls?.calls.flatMap(({ sessions }) => sessions)).toEqual([]);
  });

  const sessions = (log: Recording, call: Recording) =>
    judgeRecordings([call, log], anyCall).calls?.calls.flatMap((each) => each.sessions) ?? [];

  it('behind external-ip, where coturn names the address of its own machine, is known by the port', async () => {
    const call = await part('healthy-relay.internals');
    const at = async (address: string) =>
      sessions(
        await part('healthy-relay.log', (text) =>
          text.replaceAll('relay addr: 203.0.113.10:', `relay addr: ${address}:`),
        ),
        call,
      );
    expect((await at('10.0.0.5')).map(({ by }) => by)).toEqual(Array(4).fill('relay address'));
    // Another public address is another server.
    expect(await at('192.0.32.7')).toEqual([]);
  });

  it('with a relay port that was given twice means the session of the time of the call', async () => {
    const log = await part('healthy-relay.log', (text) => {
      const before = late(-3600)(text).replaceAll('session 00', 'session 01');
      return `${before}${text}`;
    });
    const found = sessions(log, await part('healthy-relay.internals'));
    expect(found).toHaveLength(4);
    expect(found.filter(({ session }) => session?.startsWith('01'))).toEqual([]);
  });

  /** A dump in which the application gives these names to its TURN server. */
  const named = async (name: string, ...usernames: string[]): Promise<Recording> => {
    const call = await part(`${name}.internals`);
    if (call.kind !== 'calls') throw new Error('it was not known for a dump');
    const configuration = { urls: ['turn:203.0.113.10'], usernames, policy: 'relay' } as const;
    const connections = call.facts.connections.map((each) => ({ ...each, configuration }));
    return { ...call, facts: { ...call.facts, connections } };
  };

  it.each(['healthy-relay', 'wrong-password'])(
    '%s: with the name of another user is of another',
    async (name) => {
      const log = await part(`${name}.log`);
      expect(sessions(log, await named(name, 'alice')).length).toBeGreaterThan(0);
      expect(sessions(log, await named(name, 'carol')).filter(({ user }) => user !== '')).toEqual([]);
    },
  );

  it('of several users at the same time is not shared out where the call has no name', async () => {
    const log = await part('wrong-password.log', (text) =>
      text.replaceAll(/(session 000\d+: .*)<alice>/g, '$1<bob>'),
    );
    expect(sessions(log, await named('wrong-password'))).toEqual([]);
    expect(sessions(await part('wrong-password.log'), await named('wrong-password'))).not.toEqual([]);
  });

  it('that contradicts itself is no witness', async () => {
    const log = await part('wrong-password.log', (text) =>
      text.replaceAll(
        /(session 000\d+: .*<alice>: incoming packet )message processed, error 401: .*/g,
        '$1ALLOCATE processed, error 486: Allocation Quota Reached',
      ),
    );
    const judged = judgeRecordings([await part('wrong-password.internals'), log], anyCall);
    expect(judged.findings[0]).toMatchObject({ code: 'TURN_AUTH_FAILED', evidence: { server: null } });
  });

  it.each([
    ['241 packets, and none came back', 'sp=241', 'TURN_RELAY_SILENT'],
    ['2 packets, which can get lost', 'sp=2', 'ICE_FAILED_WITH_RELAY'],
  ])('%s', async (_, sent, root) => {
    const log = await part('relay-ports-blocked.log', (text) => text.replaceAll('sp=241', sent));
    const judged = judgeRecordings([await part('relay-ports-blocked.internals'), log], anyCall);
    expect(judged.findings[0]?.code).toBe(root);
  });

  it('of a relay that got answers tells of no silence', async () => {
    const log = await part('relay-ports-blocked.log', (text) =>
      text.replaceAll(/(peer usage: .*)rp=0, rb=0/g, '$1rp=9, rb=900'),
    );
    const judged = judgeRecordings([await part('relay-ports-blocked.internals'), log], anyCall);
    expect(judged.findings[0]?.code).toBe('ICE_FAILED_WITH_RELAY');
  });

  /** The log as coturn writes it without new-log-timestamp: seconds since its start, here 40 s before the first line. */
  const sinceStart = (text: string): string => {
    const first = Date.parse(/\d{4}-\d\d-\d\dT[\d:]{8}\+0000/.exec(text)?.[0] ?? '');
    return text.replaceAll(/(\d{4}-\d\d-\d\dT[\d:]{8}\+0000): /g, (_, time: string) => {
      const seconds = (Date.parse(time) - first) / 1000 + 40;
      return `${seconds}: : `;
    });
  };

  it('that counts from its start is dated by the relay that both have', async () => {
    const parts = [await part('healthy-relay.internals'), await part('healthy-relay.log', sinceStart)];
    const { startedAt } = evidence(judgeRecordings(parts, anyCall).findings, 'RECORDINGS_ALIGNED') as {
      startedAt: string;
    };
    expect(startedAt).toMatch(/^2026-11-21T\d\d:\d\d:\d\dZ$/);
  });

  it('of syslog, which names no time zone, is not laid beside a call by time alone', async () => {
    const log = await part('wrong-password.log', (text) =>
      text.replaceAll(/^\d{4}-\d\d-\d\dT([\d:]{8})\+0000: /gm, 'Nov 21 $1 turn turnserver[9]: 5: : '),
    );
    expect(log).toMatchObject({ facts: { clock: { kind: 'absolute' }, sessions: { total: 4 } } });
    expect(sessions(log, await part('wrong-password.internals'))).toEqual([]);
  });

  it('that counts from its start is not laid beside a call by time alone', async () => {
    const log = await part('wrong-password.log', sinceStart);
    expect(sessions(log, await part('wrong-password.internals'))).toEqual([]);
  });

  it.each([
    ['wrong-password', 'TURN_AUTH_FAILED'],
    ['peers-denied', 'TURN_PERMISSION_DENIED'],
  ])('of Firefox, which tells no errors: %s', async (name, root) => {
    const judged = await together(`firefox-${name}`, 'report', 'log');
    expect(judged.findings[0]?.code).toBe(root);
  });
});

describe('a dump with a capture', () => {
  it.each([
    ...faults,
    ['relay-ports-blocked', 'TURN_RELAY_SILENT', /packets went to peers and none came back/],
  ] as const)('%s: %s', async (name, root) => {
    const judged = await together(name, 'internals', 'pcap');
    expect(judged.findings[0]).toMatchObject({ code: root, causedBy: null });
    expect(evidence(judged.findings, root)).toMatchObject({
      server: expect.stringMatching(new RegExp(`${name}\\.pcap$`)) as string,
    });
  });
});

it('a capture by another clock is known by the address of the client, where nothing was allocated', async () => {
  const capture = await part('wrong-password.pcap');
  if (capture.kind !== 'capture') throw new Error('it was not known for a capture');
  const flows = capture.facts.flows.map((flow) => ({
    ...flow,
    firstAtMs: flow.firstAtMs === null ? null : flow.firstAtMs + 600_000,
  }));
  const moved = { ...capture, facts: { ...capture.facts, flows } };
  const { calls } = judgeRecordings([await part('wrong-password.internals'), moved], anyCall);
  const found = calls?.calls.flatMap(({ sessions }) => sessions) ?? [];
  expect(found.length).toBeGreaterThan(0);
  expect(new Set(found.map(({ by }) => by))).toEqual(new Set(['client address']));
  expect(found[0]?.offsetS).toBeLessThan(-590);
});

describe('a dump, a log and a capture', () => {
  it.each([...faults, ['relay-ports-blocked', 'TURN_RELAY_SILENT', /none came back/]] as const)(
    '%s: one root, and what follows behind it',
    async (name, root) => {
      const judged = await together(name, 'internals', 'log', 'pcap');
      expect(judged.findings[0]?.code).toBe(root);
      expect(judged.calls?.headline).toBe(
        judged.calls?.calls.find(({ connection }) => connection === judged.calls?.chosen?.connection)
          ?.headline,
      );
      const others = roots(judged).filter((code) => code.startsWith('LOG_') || code.startsWith('CAPTURE_'));
      expect(others).toEqual([]);
      const chosen = judged.calls?.calls.find(
        ({ connection }) => connection === judged.calls?.chosen?.connection,
      );
      expect(chosen?.confidence.raise).not.toContain('the log of the TURN server of that time');
    },
  );

  it('of a healthy call give nothing above info', async () => {
    const { findings, calls } = await together('healthy-relay', 'internals', 'log', 'pcap');
    expect(findings.map(({ severity }) => severity)).toEqual(findings.map(() => 'info'));
    expect(calls?.verdict).toBe('healthy');
  });

  it('are redacted as one', async () => {
    const parts = await Promise.all(
      ['internals', 'log', 'pcap'].map(async (kind) => part(`peers-denied.${kind}`)),
    );
    const text = JSON.stringify(redacted(judgeRecordings(parts, anyCall), parts));
    expect(text).not.toMatch(/alice|203\.0\.113|198\.51\.100/);
    expect(text).toMatch(/ip4-/);
  });
});

it('provokes each finding that calls alone do not show', () => {
  expect(provoked.missing(joinedWithLog)).toEqual([]);
});
