import { addressIn, scopeOf } from '../../model/endpoint.ts';
import { finding, type Evidence, type Finding, type RecordingFindingCode } from '../../model/finding.ts';
import type {
  LogDeniedPeer,
  LogNotice,
  LogNoticeKind,
  LogSession,
  LogSessionGroup,
  LogSessionGroupFacts,
  ServerLogFacts,
} from '../../model/server-log-facts.ts';
import { turnErrorName } from '../../model/turn-error-code.ts';
import type { LogEvidence } from '../../model/catalog/server-log-place.ts';
import type { JudgedRecording } from './judged-recording.ts';

// A lone check without an answer is no stream that was not heard.
const fewestOneWayPackets = 10;
// A phone that was closed is normal; when most allocations end so, something keeps the refreshes away.
const fewestExpired = 5;
// One or two are clients that went away, or had no time.
const fewestFailed = 3;
// Beyond what users with an old password would try.
const floodPerSecond = 20;

/** What a log of coturn proves, the causes first. Each sentence of it stands on lines of the log. */
export function judgeServerLog(facts: ServerLogFacts): JudgedRecording {
  return {
    findings: [
      ...service(facts),
      ...credentials(facts),
      ...refusals(facts),
      ...peers(facts),
      ...lifetimes(facts),
      ...clients(facts),
    ],
    notJudged: notJudged(facts),
    isTelling: facts.sessions.allocated > 0 || facts.sessions.last.length > 0,
    isWhole: facts.cutShort === null,
  };
}

function notJudged(facts: ServerLogFacts): string[] {
  const { file, lines, sessions, clock, cutShort } = facts;
  const notes: string[] = [];
  const known = lines.understood + lines.other;
  if (known === 0) return [`${file} holds no line of coturn`];
  if (!facts.tellsSessions)
    notes.push(`${file} tells of no session; coturn logs them with a line “verbose” in its configuration`);
  if (cutShort !== null) notes.push(`${file} is not whole: ${cutShort}`);
  if (clock.kind !== 'absolute')
    notes.push(`${file} has no time of day; coturn logs it with “new-log-timestamp”`);
  if (sessions.dropped > 0)
    notes.push(
      `${sessions.dropped} sessions of ${file} were open at once beyond what is kept, and are judged by their beginning`,
    );
  if (sessions.open > 0)
    notes.push(
      `how ${sessions.open} of the sessions of ${file} went on is not known: they are open where it ends`,
    );
  if (lines.foreign > known)
    notes.push(`${file} is mostly no log of coturn: ${lines.foreign} of ${lines.total} lines`);
  return notes;
}

/** What coturn says in so many words, with the finding that it is. */
const noticeCodes = [
  ['crash', 'LOG_SERVER_CRASHED'],
  ['out-of-memory', 'LOG_SERVER_CRASHED'],
  ['config-missing', 'LOG_CONFIG_NOT_READ'],
  ['bind-failed', 'LOG_BIND_FAILED'],
  ['certificate-missing', 'LOG_CERTIFICATE_MISSING'],
  ['tls-off', 'LOG_CERTIFICATE_MISSING'],
  ['database', 'LOG_DATABASE_UNREACHABLE'],
  ['address-malformed', 'LOG_ADDRESS_MALFORMED'],
  ['option-unknown', 'LOG_OPTION_UNKNOWN'],
  ['realm-empty', 'LOG_REALM_EMPTY'],
  ['realm-wrong', 'LOG_REALM_WRONG'],
  ['conntrack-full', 'LOG_CONNTRACK_FULL'],
  ['unreachable', 'LOG_NETWORK_UNREACHABLE'],
  ['rate-limited', 'LOG_CLIENTS_LIMITED'],
] as const satisfies readonly (readonly [LogNoticeKind, RecordingFindingCode])[];

function service(facts: ServerLogFacts): Finding[] {
  const { notices, lines } = facts;
  const findings: Finding[] = [];
  const said = new Set<RecordingFindingCode>();
  for (const [kind, code] of noticeCodes) {
    const notice = notices[kind];
    if (notice === undefined || said.has(code)) continue;
    said.add(code);
    findings.push(finding(code, lineEvidence(facts, notice)));
  }
  const starts = notices.start;
  if (starts !== undefined && starts.count > 1 && !said.has('LOG_SERVER_CRASHED')) {
    const broken = facts.sessions.groups['server-stopped']?.count ?? 0;
    findings.push(finding('LOG_SERVER_RESTARTED', { ...lineEvidence(facts, starts), broken }));
  }
  const names = notices['username-wrong'];
  if (lines.unbelieved > 0) {
    const at = names ?? notices['realm-wrong'] ?? null;
    const details = at?.details ?? [];
    findings.push(finding('LOG_LINES_FORGED', { ...evidenceOf(facts, lines.unbelieved, [], at), details }));
  }
  return findings;
}

function credentials(facts: ServerLogFacts): Finding[] {
  const codes = [
    ['credentials-expired', 'LOG_CREDENTIALS_EXPIRED'],
    ['credentials-malformed', 'LOG_CREDENTIALS_MALFORMED'],
    ['credentials-wrong', 'LOG_CREDENTIALS_WRONG'],
    ['credentials-unknown-user', 'LOG_USERS_UNKNOWN'],
    ['credentials-unclear', 'LOG_CREDENTIALS_REFUSED'],
  ] as const;
  return codes.flatMap(([name, code]) =>
    inGroup(facts, name, (group) =>
      finding(code, groupEvidence(facts, group, userOf), { severity: severityOf(group, facts) }),
    ),
  );
}

/** What keeps some users out and serves others is theirs more often than the server's. */
function severityOf({ count }: LogSessionGroupFacts, { sessions }: ServerLogFacts): 'error' | 'warning' {
  return sessions.allocated > count ? 'warning' : 'error';
}

function refusals(facts: ServerLogFacts): Finding[] {
  const { groups } = facts.sessions;
  const others = (
    [
      'refused-400',
      'refused-403',
      'refused-437',
      'refused-440',
      'refused-441',
      'refused-442',
      'refused-other',
    ] as const
  )
    // What is told as a wrong realm, or as a name that was no name, is not told again.
    .filter(
      (name) =>
        name !== 'refused-400' ||
        (facts.notices['realm-wrong'] ?? facts.notices['username-wrong']) === undefined,
    );
  return [
    ...inGroup(facts, 'refused-486', (group) =>
      finding('LOG_QUOTA_REACHED', groupEvidence(facts, group, userOf)),
    ),
    ...(groups['refused-508'] === undefined
      ? []
      : [finding('LOG_PORTS_EXHAUSTED', groupEvidence(facts, groups['refused-508'], userOf))]),
    ...others.flatMap((name) =>
      inGroup(facts, name, (group) => {
        const code = codeOf(name, group);
        return finding(
          'LOG_ALLOCATIONS_REFUSED',
          { ...groupEvidence(facts, group, userOf), code, name: turnErrorName(code) },
          { severity: severityOf(group, facts) },
        );
      }),
    ),
  ];
}

function codeOf(name: LogSessionGroup, { samples }: LogSessionGroupFacts): number {
  const told = Number(name.replace('refused-', ''));
  if (!Number.isNaN(told)) return told;
  return samples[0]?.errors.find(({ code }) => code !== 401 && code !== 438)?.code ?? 500;
}

function peers(facts: ServerLogFacts): Finding[] {
  const { groups } = facts.sessions;
  const bothWays = groups['both-ways']?.count ?? 0;
  const sentOnly = groups['sent-only'];
  const onlyPrivate = groups['only-private-peers'];
  const findings: Finding[] = [...denied(facts)];
  // As far as is seen, each session without an answer had private peers alone.
  const arePrivate =
    sentOnly !== undefined &&
    onlyPrivate !== undefined &&
    bothWays === 0 &&
    sentOnly.samples.every(({ id }) => onlyPrivate.samples.some((other) => other.id === id));
  if (onlyPrivate !== undefined && bothWays === 0) {
    findings.push(
      finding('LOG_PEERS_PRIVATE', {
        ...groupEvidence(facts, onlyPrivate, ({ peers: [first = ''] }) => first),
        bothWays,
      }),
    );
  }
  const packets = sum(sentOnly, ({ peerUsage }) => peerUsage?.sentPackets ?? 0);
  if (sentOnly !== undefined && packets >= fewestOneWayPackets) {
    findings.push(
      finding(
        'LOG_PEERS_SILENT',
        { ...groupEvidence(facts, sentOnly, clientOf), bothWays, packets },
        {
          severity: bothWays === 0 ? 'error' : sentOnly.count > bothWays ? 'warning' : 'info',
          ...(arePrivate ? { causedBy: 'LOG_PEERS_PRIVATE' as const } : {}),
        },
      ),
    );
  }
  const unused = groups['no-data'];
  if (unused !== undefined)
    findings.push(finding('LOG_RELAYS_UNUSED', { ...groupEvidence(facts, unused, userOf), bothWays }));
  return [
    ...findings,
    ...inGroup(facts, 'peer-family', (group) =>
      finding('LOG_PEER_FAMILY', groupEvidence(facts, group, userOf)),
    ),
  ];
}

function denied(facts: ServerLogFacts): Finding[] {
  const { deniedPeers, sessions, notices } = facts;
  const isGlobal = (peer: LogDeniedPeer): boolean => {
    const address = addressIn(peer.address);
    return address !== null && scopeOf(address) === 'global';
  };
  const judged = [
    ['LOG_PEERS_DENIED', deniedPeers.filter(isGlobal)],
    ['LOG_PRIVATE_PEERS_DENIED', deniedPeers.filter((peer) => !isGlobal(peer))],
  ] as const;
  return judged.flatMap(([code, list]) => {
    if (list.length === 0) return [];
    const count = list.reduce((total, peer) => total + peer.count, 0);
    const who = list.slice(0, 3).map(({ address }) => address);
    const ranges = [...new Set(list.flatMap(({ range }) => range ?? []))].slice(0, 3);
    const at =
      sessions.groups['all-peers-denied'] ?? sessions.groups['peers-denied'] ?? notices.start ?? null;
    const isAll = code === 'LOG_PRIVATE_PEERS_DENIED' && sessions.groups['all-peers-denied'] !== undefined;
    const evidence = { ...evidenceOf(facts, count, who, at), ranges };
    return [finding(code, evidence, isAll ? { severity: 'warning' } : {})];
  });
}

function lifetimes(facts: ServerLogFacts): Finding[] {
  const { groups, allocated } = facts.sessions;
  const expired = groups.expired;
  const most = expired !== undefined && expired.count >= fewestExpired && expired.count * 2 > allocated;
  const moves = [
    ['port-reused', 'LOG_PORT_REUSED'],
    ['client-moved', 'LOG_CLIENT_MOVED'],
  ] as const;
  return [
    ...moves.flatMap(([name, code]) =>
      inGroup(facts, name, (group) => {
        const isRare = group.count * 10 < allocated;
        return finding(code, groupEvidence(facts, group, userOf), isRare ? { severity: 'info' } : {});
      }),
    ),
    ...inGroup(facts, 'refresh-too-late', (group) =>
      finding('LOG_REFRESH_TOO_LATE', groupEvidence(facts, group, userOf)),
    ),
    ...inGroup(facts, 'nonce-not-renewed', (group) =>
      finding('LOG_NONCE_NOT_RENEWED', groupEvidence(facts, group, userOf), {
        severity: severityOf(group, facts),
      }),
    ),
    ...(expired === undefined
      ? []
      : [
          finding(
            'LOG_ALLOCATIONS_EXPIRED',
            groupEvidence(facts, expired, clientOf),
            most ? { severity: 'warning' } : {},
          ),
        ]),
  ];
}

function clients(facts: ServerLogFacts): Finding[] {
  const { sessions } = facts;
  const { groups } = sessions;
  const unanswered = groups['challenge-unanswered'];
  const refused = groups['credentials-refused'];
  const attempts = (unanswered?.count ?? 0) + (refused?.count ?? 0);
  const seconds = ((facts.lastAtMs ?? 0) - (facts.firstAtMs ?? 0)) / 1000;
  const perSecond = seconds > 0 ? Math.round(attempts / seconds) : 0;
  const isFlood = perSecond >= floodPerSecond && attempts > 10 * sessions.allocated && attempts > 1000;
  return [
    ...(isFlood
      ? [
          finding('LOG_FLOODED', {
            ...evidenceOf(facts, attempts, [], unanswered ?? refused ?? null),
            perSecond,
          }),
        ]
      : []),
    ...inGroup(facts, 'tls-failed', (group) =>
      finding(
        'LOG_TLS_HANDSHAKES_FAILED',
        groupEvidence(facts, group, clientOf),
        sessions.allocatedOverTls > 0 || group.count < fewestFailed ? { severity: 'info' } : {},
      ),
    ),
    ...inGroup(facts, 'challenge-unanswered', (group) =>
      finding('LOG_CHALLENGE_UNANSWERED', groupEvidence(facts, group, clientOf)),
    ),
  ];
}

function inGroup(
  { sessions }: ServerLogFacts,
  name: LogSessionGroup,
  judge: (group: LogSessionGroupFacts) => Finding,
): Finding[] {
  const group = sessions.groups[name];
  return group === undefined ? [] : [judge(group)];
}

interface Marked {
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
}

function evidenceOf(
  facts: ServerLogFacts,
  count: number,
  who: readonly string[],
  at: Marked | null,
): LogEvidence {
  return {
    file: facts.file,
    count,
    allocated: facts.sessions.allocated,
    who: [...new Set(who.filter((name) => name !== ''))].slice(0, 3),
    span: at === null ? null : spanOf(facts, at),
  };
}

function groupEvidence(
  facts: ServerLogFacts,
  group: LogSessionGroupFacts,
  name: (session: LogSession) => string,
): LogEvidence {
  return evidenceOf(facts, group.count, group.samples.map(name), group);
}

function lineEvidence(facts: ServerLogFacts, notice: LogNotice): Evidence<'LOG_SERVER_CRASHED'> {
  return {
    ...evidenceOf(facts, notice.count, [], notice),
    line: notice.example,
    details: notice.details.slice(0, 3),
  };
}

function userOf({ user }: LogSession): string {
  return user;
}

/** The address of the client, or its name where the address is not told. */
function clientOf({ client, user }: LogSession): string {
  return client ?? user;
}

/** When it was seen, in UTC, or in seconds of coturn. */
function spanOf({ clock }: ServerLogFacts, { firstAtMs, lastAtMs }: Marked): string | null {
  if (firstAtMs === null || lastAtMs === null || clock.kind === 'none') return null;
  const text =
    clock.kind === 'absolute'
      ? (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ')
      : (ms: number): string => `${Math.floor(ms / 1000)} s`;
  const suffix = clock.kind === 'absolute' ? (clock.uncertaintyMs === 0 ? ' UTC' : '') : ' after its start';
  const [first, last] = [text(firstAtMs), text(lastAtMs)];
  return first === last ? `at ${first}${suffix}` : `${first} to ${last}${suffix}`;
}

function sum(group: LogSessionGroupFacts | undefined, figure: (session: LogSession) => number): number {
  return (group?.samples ?? []).reduce((total, session) => total + figure(session), 0);
}
