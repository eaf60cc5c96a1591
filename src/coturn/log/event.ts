import type { LogNoticeKind, LogRefusal, LogUsage } from '../../model/server-log-facts.ts';

/** What a line of coturn says. A text in it is as the client sent it. */
export type LogEvent =
  | {
      readonly kind: 'request';
      readonly session: string;
      readonly realm: string;
      readonly user: string;
      /** `ALLOCATE`; `message` where coturn repeats an answer, or sends one before it has looked at the method. */
      readonly method: string;
      /** Null for a success. */
      readonly code: number | null;
    }
  | {
      readonly kind: 'allocation';
      readonly session: string;
      readonly state: 'new' | 'refreshed' | 'replaced' | 'mobile';
      readonly realm: string;
      readonly user: string;
      readonly lifetimeS: number;
      readonly isTls: boolean;
    }
  | {
      readonly kind: 'usage';
      readonly session: string;
      readonly of: 'client' | 'peer';
      readonly usage: LogUsage;
    }
  | {
      readonly kind: 'closed';
      readonly session: string;
      readonly realm: string;
      readonly user: string;
      readonly server: string;
      readonly client: string;
      readonly reason: string;
    }
  | { readonly kind: 'deleted'; readonly session: string }
  | { readonly kind: 'peer'; readonly session: string; readonly peer: string }
  | { readonly kind: 'socket'; readonly session: string; readonly transport: string }
  | {
      readonly kind: 'denied';
      readonly session: string | null;
      readonly peer: string;
      readonly range: string | null;
    }
  | {
      readonly kind: 'credentials';
      readonly session: string | null;
      readonly refusal: LogRefusal;
      readonly user: string;
    }
  | { readonly kind: 'relay'; readonly address: string }
  | { readonly kind: 'version'; readonly version: string }
  | { readonly kind: 'notice'; readonly notice: LogNoticeKind; readonly detail: string }
  /** Behind it stands what a client sent, up to the end of the line, line breaks included (up to 4.16). */
  | { readonly kind: 'hostile'; readonly notice: LogNoticeKind; readonly detail: string }
  /** Known, and of no use here. */
  | { readonly kind: 'idle' };

const request =
  /^(?:origin <[^>]*> )?realm <([^>]*)> user <([^>]*)>: incoming packet (\w+) processed, (?:success|error (\d{1,4}))/;
const allocation =
  /^(new|refreshed|replaced|mobile_pending_reap), realm=? ?<([^>]*)>, username=? ?<([^>]*)>, lifetime=(\d{1,10})(, cipher=)?/;
const usage =
  /^(peer )?usage: realm=? ?<[^>]*>, username=? ?<[^>]*>, rp=(\d{1,20}), rb=(\d{1,20}), sp=(\d{1,20}), sb=(\d{1,20})/;
// journalctl cuts long lines, with '>' as their last character.
const closed =
  /^closed \(2nd stage\), user <([^>]*)> realm <([^>]*)> origin <[^>]*>, local (\S+), remote (\S+), reason: ([^>]*)/;
const peer = /^peer (\S{1,64}) (?:lifetime updated: \d+|(deleted))/;
const socketEnd =
  /^(TCP|TLS\/TCP|UDP|DTLS\/UDP|DTLS|TLS|SCTP|TLS\/SCTP) socket (?:closed remotely|disconnected|error)/;
const denied = /^A peer IP (\S{1,64}) denied(?: in the range[:=] (\S{1,100})|: )/;
const credentials =
  /^(?:\w+: )?(?:Cannot find credentials of user <([^>]*)>|user (.*) credentials are incorrect$|credentials of user <([^>]*)> (?:are wrong|(have expired)) )/;
const hostile = /^(?:\w+: )?wrong (realm|username): (.*)$/s;

/** Reads one message, without its frame. Null for one that is not known here. */
export function readEvent(message: string): LogEvent | null {
  if (!message.startsWith('session ')) return trailedEvent(message) ?? serverEvent(message);
  const colon = message.indexOf(': ', 8);
  if (colon < 9 || colon > 40) return null;
  const session = message.slice(8, colon);
  return /^\d+$/.test(session) ? sessionEvent(session, message.slice(colon + 2)) : null;
}

const trailer = /^(?:([\w/]{1,20}) socket, )?session (\d{1,40})(?:, \w+)?$/;

/** From 4.18 on the session stands behind, as `(session N)`, and what was said of an allocation begins with that word. */
function trailedEvent(message: string): LogEvent | null {
  const at = message.endsWith(')') ? message.lastIndexOf(' (') : -1;
  const match = at < 0 ? null : trailer.exec(message.slice(at + 2, -1));
  if (match === null) return null;
  const [, transport, session = ''] = match;
  const text = message.slice(0, at);
  if (transport !== undefined) return sessionEvent(session, `${transport} ${text}`);
  return sessionEvent(session, text.startsWith('allocation ') ? text.slice(11) : text);
}

function sessionEvent(session: string, rest: string): LogEvent | null {
  switch (rest.charCodeAt(0)) {
    case 0x6f: // origin
    case 0x72: // realm, refreshed, replaced
      return requestEvent(session, rest) ?? allocationEvent(session, rest);
    case 0x6e: // new
    case 0x6d: // mobile…
      return allocationEvent(session, rest) ?? idleOrNull(rest);
    case 0x75: // usage, user … credentials are incorrect
      return usageEvent(session, rest) ?? textEvent(session, rest);
    case 0x70: // peer, peer usage
      return usageEvent(session, rest) ?? peerEvent(session, rest);
    case 0x63: // closed, client socket …, check_stun_auth
      return closedEvent(session, rest) ?? textEvent(session, rest);
    case 0x64: // delete
      return rest.startsWith('delete: ') ? { kind: 'deleted', session } : null;
    default:
      return textEvent(session, rest);
  }
}

function requestEvent(session: string, text: string): LogEvent | null {
  const match = request.exec(text);
  if (match === null) return null;
  const [, realm = '', user = '', method = '', code] = match;
  return { kind: 'request', session, realm, user, method, code: code === undefined ? null : Number(code) };
}

function allocationEvent(session: string, text: string): LogEvent | null {
  const match = allocation.exec(text);
  if (match === null) return null;
  const [, word, realm = '', user = '', lifetime, cipher] = match;
  const state = word === 'new' || word === 'refreshed' || word === 'replaced' ? word : ('mobile' as const);
  return {
    kind: 'allocation',
    session,
    state,
    realm,
    user,
    lifetimeS: Number(lifetime),
    isTls: cipher !== undefined,
  };
}

function usageEvent(session: string, text: string): LogEvent | null {
  const match = usage.exec(text);
  if (match === null) return null;
  const [, of, rp, rb, sp, sb] = match;
  return {
    kind: 'usage',
    session,
    of: of === undefined ? 'client' : 'peer',
    usage: {
      receivedPackets: Number(rp),
      receivedBytes: Number(rb),
      sentPackets: Number(sp),
      sentBytes: Number(sb),
    },
  };
}

function closedEvent(session: string, text: string): LogEvent | null {
  const match = closed.exec(text);
  if (match === null) return text.startsWith('closed (1st stage)') ? { kind: 'idle' } : null;
  const [, user = '', realm = '', server = '', client = '', reason = ''] = match;
  return { kind: 'closed', session, user, realm, server, client, reason: reason.slice(0, 100) };
}

function peerEvent(session: string, text: string): LogEvent | null {
  const match = peer.exec(text);
  if (match === null) return null;
  return match[2] === undefined ? { kind: 'peer', session, peer: match[1] ?? '' } : { kind: 'idle' };
}

/** Messages that stand with or without a session, by version. */
function textEvent(session: string | null, text: string): LogEvent | null {
  const ended = socketEnd.exec(text);
  if (ended !== null && session !== null) return { kind: 'socket', session, transport: ended[1] ?? '' };
  const refused = denied.exec(text);
  if (refused !== null) return { kind: 'denied', session, peer: refused[1] ?? '', range: refused[2] ?? null };
  const unknown = credentials.exec(text);
  if (unknown !== null) {
    const [, absent, incorrect, wrong, expired] = unknown;
    const refusal = absent !== undefined ? 'not-found' : expired === undefined ? 'incorrect' : 'expired';
    return { kind: 'credentials', session, refusal, user: absent ?? incorrect ?? wrong ?? '' };
  }
  const sent = hostile.exec(text);
  if (sent !== null) {
    const notice = sent[1] === 'realm' ? 'realm-wrong' : 'username-wrong';
    return { kind: 'hostile', notice, detail: sent[2] ?? '' };
  }
  return idleOrNull(text);
}

const idle =
  /^(?:SSL shutdown|socket event:|client socket to be closed|mobility handoff|RFC 5780|Unsupported STUN|Wrong STUN|\w+: STUN method)/;

function idleOrNull(text: string): LogEvent | null {
  return idle.test(text) ? { kind: 'idle' } : null;
}

const relayAddress = /^(?:IPv[46]\. )?Local (?:reserved )?relay addr(?: \(RTCP\))?: (\S{1,64})/;
const version = /^(?:Coturn )?Version (?:Coturn-)?(\d+\.\d+[\w.+~-]{0,30})/;
const connected =
  /^(?:IPv[46]\. tcp or tls connected to:|(?:handle_udp_packet: )?New UDP endpoint:|IPv[46]\. (?:TLS|DTLS|TCP|UDP|SCTP)|Relay ports init|Wait for relay ports|IO method|Total General|(?:Listener|Relay) address to use)/;

/** The first group is the detail. Nothing here can run over a line twice. */
const notices: readonly (readonly [LogNoticeKind, RegExp])[] = [
  ['config-missing', /Cannot find config file: (\S+?)\.? /],
  ['option-unknown', /^(?:CONFIG:? )?(?:WARNING: |ERROR: )?Bad configuration format: (.+)$/],
  ['option-unknown', /^CONFIG:? Unknown argument: (.+)$/],
  ['address-malformed', /Wrong (?:full )?address (?:range )?format: (.+)$/],
  ['realm-empty', /^(?:Default realm: *()$|.*you did not specify the default realm option)/],
  ['certificate-missing', /cannot find (.+ file: .+?)(?: \(\d\))?$/],
  [
    'tls-off',
    /cannot start TLS and DTLS listeners because (.+?) file|I cannot start TLS\/DTLS|listeners are disabled/,
  ],
  [
    'bind-failed',
    /(?:Trying to bind fd \d+ to <([^>]*>: errno=\d+)|[Cc]annot bind (?:DTLS\/UDP |TLS\/TCP )?(?:local|listener) socket to addr (.+)$)/,
  ],
  ['no-ports', /^\w+: no available ports (\d)/],
  ['unreachable', /network error: address unreachable from \S+ to (\S+)/],
  ['rate-limited', /(?:401|unauthorized-response) rate-limit exceeded from (\S+?)[, ]/],
  ['stop', /^(?:Terminating on|Draining then terminating on) signal (\d+)/],
  ['database', /Cannot open (SQLite|PostgreSQL|MySQL|Redis|MongoDB) DB connection/],
];

function serverEvent(message: string): LogEvent | null {
  const relay = relayAddress.exec(message);
  if (relay !== null) return { kind: 'relay', address: relay[1] ?? '' };
  if (connected.test(message)) return { kind: 'idle' };
  const known = textEvent(null, message);
  if (known !== null) return known;
  const named = version.exec(message);
  if (named !== null) return { kind: 'version', version: named[1] ?? '' };
  for (const [notice, pattern] of notices) {
    const match = pattern.exec(message);
    if (match !== null)
      return { kind: 'notice', notice, detail: (match[1] ?? match[2] ?? '').replace('>: ', ': ').trim() };
  }
  return null;
}

/** What other programs of the system log say about coturn. */
const systemNotices: readonly (readonly [LogNoticeKind, RegExp])[] = [
  [
    'crash',
    /^(?:coturn|turnserver)\.service: Main process exited, code=(?:dumped|killed), (status=(?:4|6|7|8|11)\/\w+)/,
  ],
  ['crash', /turnserver\[\d+\]: (segfault at \S+)|traps: turnserver\[\d+\] (.{1,60})/],
  ['crash', /^Process \d+ \(turnserver\) of user \d+ (dumped core)/],
  ['out-of-memory', /(?:Killed process \d+ \(turnserver\)|(?:coturn|turnserver)\.service: .*oom-kill)()/],
  ['stop', /^Stopp(?:ed|ing) (.*(?:coturn|STUN).*?)\.?(?:\.\.)?$/i],
  ['conntrack-full', /nf_conntrack: (?:nf_conntrack: )?(table full)/],
];

export function readSystemEvent(message: string): LogEvent | null {
  for (const [notice, pattern] of systemNotices) {
    const match = pattern.exec(message);
    if (match !== null) return { kind: 'notice', notice, detail: match[1] ?? match[2] ?? '' };
  }
  return null;
}
