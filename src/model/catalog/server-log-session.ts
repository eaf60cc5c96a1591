import { inApplication } from './analysis-entry.ts';
import { here, inConfig, onServer, restart, grepConfig, listed } from './entry.ts';
import { counted, exampleLog, logEntry, times, type LogEvidence } from './server-log-place.ts';

interface RefusalEvidence extends LogEvidence {
  readonly code: number;
  /** The name that an RFC gives to the code; empty for one that none defines. */
  readonly name: string;
}

interface DeniedEvidence extends LogEvidence {
  /** What coturn names as the reason, where it does. */
  readonly ranges: readonly string[];
}

interface UseEvidence extends LogEvidence {
  /** Sessions with data in both directions. */
  readonly bothWays: number;
}

const newSecret = grepConfig('static-auth-secret|user|realm');

/** What sessions in a log of coturn prove about credentials and allocations. */
export const serverLogSessionCatalog = {
  LOG_CREDENTIALS_EXPIRED: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Clients came with credentials that had expired',
    cause: (e) =>
      `The time in their usernames was past when coturn looked, so that it refused ${counted(e.count, 'session')} with 401.`,
    fix: () => [
      'issue credentials that outlive the longest call, and fetch new ones before they end',
      onServer('timedatectl'),
      'let the clocks of the server and of what issues credentials be set by NTP',
    ],
    explanation:
      'A time-limited username begins with the second in which it ends (UNIX:USER). The log has the time of the refusal, and the username its own end: the one was after the other. Allocations that are there already go on; only new ones fail.',
    confusedWith: [
      'LOG_CREDENTIALS_WRONG: the time is still to come, and the signature is not that of the server.',
    ],
    references: ['draft-uberti-behave-turn-rest-00'],
  }),
  LOG_CREDENTIALS_WRONG: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Clients came with a password that is not that of the server',
    cause: (e) =>
      `Users that exist, or whose time was still to come, were refused with 401 in ${counted(e.count, 'session')}: what issues the passwords has another secret, or another realm.`,
    fix: () => [
      newSecret,
      here('rtc-ops credentials check USERNAME PASSWORD --secret-file FILE'),
      'give the server and what issues credentials the same secret, without quotes and without a comment behind it',
    ],
    explanation:
      'The first request of a client has no credentials and is always answered with 401; that is the challenge and counts for nothing here. These sessions answered it, were refused again, and never got an allocation.',
    confusedWith: [
      'LOG_CREDENTIALS_EXPIRED: the time in the username was past.',
      'LOG_USERS_UNKNOWN: no such user is there at all.',
    ],
    references: ['RFC 8489 §9.2.4'],
  }),
  LOG_USERS_UNKNOWN: logEntry<LogEvidence>({
    severity: 'error',
    example: { ...exampleLog, who: ['alice'] },
    title: (e) =>
      e.count === 1
        ? 'A client came as a user that coturn does not know'
        : 'Clients came as users that coturn does not know',
    cause: (e) =>
      `coturn found no credentials of ${listed(e.who)}, and refused ${counted(e.count, 'session')} with 401.`,
    fix: () => [
      grepConfig('user|lt-cred-mech|use-auth-secret|static-auth-secret|realm'),
      'with a shared secret, users of the file count for nothing: usernames then have the form UNIX:USER',
    ],
    explanation:
      'A name without a time in it is that of a static user. coturn looks it up under its realm, in the file and in the database. With use-auth-secret or static-auth-secret it takes time-limited names alone.',
    confusedWith: ['LOG_CREDENTIALS_WRONG: the user is there, and the password is wrong.'],
    references: ['RFC 8489 §9.2.4', 'coturn README.turnserver'],
  }),
  LOG_CREDENTIALS_MALFORMED: logEntry<LogEvidence>({
    severity: 'error',
    example: { ...exampleLog, who: ['1795266352000:alice'] },
    title: () => 'Usernames of clients do not have the form UNIX:USER',
    cause: (e) =>
      `The number in ${listed(e.who)} is no time in seconds: milliseconds, or a lifetime in place of the time of its end.`,
    fix: () => [
      here('rtc-ops credentials check USERNAME PASSWORD --secret-file FILE'),
      'make the username from the seconds since 1970 at which it ends, a colon and the name',
    ],
    explanation:
      'coturn reads the number before the colon as seconds since 1970. What counts thousandths lies beyond its 32 bits, and a lifetime lies in 1970: both are refused with 401.',
    confusedWith: [
      'LOG_CREDENTIALS_EXPIRED: there the form is right, and its time is over.',
      'CREDENTIAL_FORMAT: the same, in a credential at hand.',
    ],
    references: ['draft-uberti-behave-turn-rest-00'],
  }),
  LOG_CREDENTIALS_REFUSED: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Credentials of clients were refused, for one of two reasons',
    cause: (e) =>
      `${counted(e.count, 'session')} ended with 401. The log has no time of day that is exact enough to say whether the credentials had expired or were wrong.`,
    fix: () => [
      inConfig('new-log-timestamp'),
      restart,
      here('rtc-ops credentials check USERNAME PASSWORD --secret-file FILE'),
    ],
    explanation:
      'coturn says the same of an expired credential and of one with a wrong signature. The time in the username tells them apart, once the log has a time of day.',
    confusedWith: ['LOG_CREDENTIALS_EXPIRED and LOG_CREDENTIALS_WRONG: the same, where the time is known.'],
    references: ['draft-uberti-behave-turn-rest-00'],
  }),
  LOG_CHALLENGE_UNANSWERED: logEntry<LogEvidence>({
    severity: 'info',
    example: { ...exampleLog, who: ['198.51.100.7:40012'] },
    title: () => 'Clients asked for a relay and never sent credentials',
    cause: (e) =>
      `${counted(e.count, 'session')} got the challenge (401) and sent nothing more: health checks and scanners do that, and clients without credentials in their configuration.`,
    fix: () => [
      'if real clients are among them, give each TURN server in iceServers its username and credential',
    ],
    explanation:
      'Each allocation begins with one 401. Here nothing followed it: the client has no credentials, or the answer did not reach it.',
    confusedWith: ['LOG_CREDENTIALS_WRONG: there they were sent, and refused.'],
    references: ['RFC 8489 §9.2.4', 'RFC 8656 §7.2'],
  }),
  LOG_QUOTA_REACHED: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Allocations were refused because a quota was used up',
    cause: (e) =>
      `coturn answered ${counted(e.count, 'session')} with 486, beside ${e.allocated} that it served.`,
    fix: () => [
      grepConfig('user-quota|total-quota|bps-capacity|max-bps'),
      'count one allocation for each server URL, network interface and peer connection of a client, and set user-quota and total-quota above that',
      restart,
    ],
    explanation:
      'user-quota limits the allocations of one username, total-quota those of the server, and bps-capacity their bandwidth; all answer with 486. Time-limited names without a user behind the colon share one quota for each second.',
    confusedWith: ['LOG_PORTS_EXHAUSTED: 508, the ports of the relay are used up.'],
    references: ['RFC 8656 §7.2', 'coturn README.turnserver'],
  }),
  LOG_PORTS_EXHAUSTED: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'coturn ran out of relay ports',
    cause: (e) =>
      `It answered ${counted(e.count, 'session')} with 508: no port between min-port and max-port was free.`,
    fix: () => [inConfig('min-port=49152'), inConfig('max-port=65535'), restart],
    explanation:
      'Each allocation takes a port of the relay range, and keeps it until it ends. A small range, clients that never free their allocations, or another service in the range leave none.',
    confusedWith: ['LOG_QUOTA_REACHED: 486, a limit that was configured.'],
    references: ['RFC 8656 §7.2', 'coturn README.turnserver'],
  }),
  LOG_ALLOCATIONS_REFUSED: logEntry<RefusalEvidence>({
    severity: 'error',
    example: { ...exampleLog, code: 442, name: 'Unsupported Transport Protocol' },
    distinctBy: ['code'],
    title: (e) => `Allocations were refused with ${e.code}${e.name === '' ? '' : ` ${e.name}`}`,
    cause: (e) =>
      `${counted(e.count, 'session')} asked for a relay and got error ${e.code}; ${reasons[e.code] ?? 'coturn gives no other reason'}.`,
    fix: () => [
      grepConfig(
        'no-udp-relay|no-tcp-relay|stun-only|relay-ip|allocation-default-address-family|secure-stun',
      ),
    ],
    explanation:
      'The code is the reason: 440 an address family that the server has no relay address of, 442 a transport that it does not relay, 437 a five-tuple that still has an allocation, 441 other credentials than those that made the allocation, 400 a request that coturn could not read.',
    confusedWith: [
      'LOG_QUOTA_REACHED, LOG_PORTS_EXHAUSTED: 486 and 508 have pages of their own.',
      'LOG_PORT_REUSED, LOG_CLIENT_MOVED: the cases of 437 that are known by themselves.',
      'LOG_CREDENTIALS_WRONG: refused with 401.',
    ],
    references: ['RFC 8656 §19', 'coturn README.turnserver'],
  }),
  LOG_PORT_REUSED: logEntry<LogEvidence>({
    severity: 'warning',
    example: exampleLog,
    title: () => 'Clients came again from a port that still had their old allocation',
    cause: (e) =>
      `coturn answered Allocate with 437 (Allocation Mismatch) in ${counted(e.count, 'session')}: the client had ended without freeing its allocation, which lives on for its lifetime, and came back from the same address and port.`,
    fix: () => [
      'have the client free its allocation when it ends, by a Refresh with a lifetime of 0; a browser does so at close',
      'have it take a new local port for each allocation (port 0), and after 437 another one',
    ],
    explanation:
      'A server knows an allocation by its five-tuple: the addresses and ports of both ends, and the transport. A second Allocate from the same ones with another transaction ID gets 437, until the first has run out, in ten minutes as a rule. Clients with a fixed port, or behind a NAT that hands the old one out again at once, run into it after each crash or reload.',
    confusedWith: ['LOG_CLIENT_MOVED: there the allocation is looked for from another port than its own.'],
    references: ['RFC 8656 §7.2', 'RFC 8656 §7.4'],
  }),
  LOG_CLIENT_MOVED: logEntry<LogEvidence>({
    severity: 'warning',
    example: exampleLog,
    title: () => 'Clients lost their allocations because their address or port changed',
    cause: (e) =>
      `In ${counted(e.count, 'session')} a user whose allocation was alive came from another address or port, and asked to go on with it; coturn knows it by the old one, and answered 437 (Allocation Mismatch). The NAT of the client forgot its mapping, or the client changed networks.`,
    fix: () => [
      'have the client restart ICE when that happens:',
      inApplication("pc.onconnectionstatechange = () => pc.connectionState === 'failed' && pc.restartIce();"),
      'offer TURN over TCP beside UDP (turn:HOST?transport=tcp): NATs keep TCP for hours, UDP for 30 s and more',
      'see how long the NAT in question keeps UDP, from that network:',
      here('rtc-ops probe HOST --nat'),
    ],
    explanation:
      'An allocation belongs to the address and port from which it was made. Where a NAT maps the client anew, after a time of silence or a change of networks, its Refresh comes from elsewhere. coturn starts a session for it that never asked for an allocation, while that of the same user is there.',
    confusedWith: [
      'LOG_REFRESH_TOO_LATE: there the allocation itself had ended.',
      'LOG_PORT_REUSED: there a new allocation is asked for from the port of the old one.',
    ],
    references: ['RFC 8656 §8', 'RFC 4787 §4.3', 'RFC 8016'],
  }),
  LOG_NONCE_NOT_RENEWED: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Clients stopped when coturn wanted a new nonce',
    cause: (e) =>
      `${counted(e.count, 'session')} ended with 438 Stale Nonce as the last answer: the client did not ask again with the new nonce, or the answer did not reach it.`,
    fix: () => [inConfig('stale-nonce=3600'), restart, 'update the client: it has to ask again after 438'],
    explanation:
      'A nonce ends after stale-nonce seconds. coturn then answers one request with 438 and a new nonce, and clients ask again at once. One that does not loses its permissions and its allocation.',
    confusedWith: [
      'One 438 in each session that lasts longer than stale-nonce: that is how it should be.',
      'LOG_REFRESH_TOO_LATE: there the allocation itself is gone.',
    ],
    references: ['RFC 8489 §9.2.4'],
  }),
  LOG_REFRESH_TOO_LATE: logEntry<LogEvidence>({
    severity: 'error',
    example: exampleLog,
    title: () => 'Clients refreshed allocations that were gone already',
    cause: (e) =>
      `coturn answered Refresh with 437 in ${counted(e.count, 'session')}: the allocation had expired, or the client comes from another address since.`,
    fix: () => [
      'look at what the clients did in the minutes before: sleep, another network, a NAT that forgot them',
      'offer a turn: URL with ?transport=tcp beside the one over UDP',
    ],
    explanation:
      'An allocation belongs to the address and port of its client. When these change, or no Refresh arrives in its lifetime, coturn knows nothing of it any more and says 437.',
    confusedWith: [
      'LOG_NONCE_NOT_RENEWED: 438, where the allocation is still there.',
      'LOG_ALLOCATIONS_EXPIRED: there the client came back no more.',
    ],
    references: ['RFC 8656 §8'],
  }),
  LOG_PEER_FAMILY: logEntry<LogEvidence>({
    severity: 'warning',
    example: exampleLog,
    title: () => 'Clients wanted peers of an address family that their relay has not',
    cause: (e) =>
      `coturn answered 443 in ${counted(e.count, 'session')}: an IPv6 peer for an IPv4 relay, or the reverse.`,
    fix: () => [
      'nothing, as long as the other side has candidates of both families; else give the relay an IPv6 address (relay-ip)',
    ],
    explanation:
      'A relay address reaches peers of its own family alone. Browsers try all candidates of the other side, so that single refusals are normal.',
    confusedWith: ['LOG_PEERS_DENIED: 403, by a rule.'],
    references: ['RFC 8656 §9.1'],
  }),
  LOG_PEERS_DENIED: logEntry<DeniedEvidence>({
    severity: 'error',
    example: { ...exampleLog, who: ['203.0.113.40'], ranges: ['203.0.113.0-203.0.113.255'] },
    title: () => 'coturn refused peers with public addresses',
    cause: (e) =>
      `Nobody reaches ${listed(e.who)} through this relay${e.ranges.length === 0 ? '' : `: ${listed(e.ranges)} ${e.ranges.length === 1 ? 'is' : 'are'} denied`}.`,
    fix: (e) => [
      grepConfig('denied-peer-ip|allowed-peer-ip'),
      ...e.who.filter((who) => /^[\d.]+$/.test(who)).map((who) => inConfig(`allowed-peer-ip=${who}`)),
      restart,
    ],
    explanation:
      'denied-peer-ip forbids peers, allowed-peer-ip makes exceptions. A range that begins at :: denies all of IPv4 too. Private peers are mostly denied on purpose, public ones hardly ever.',
    confusedWith: ['LOG_PRIVATE_PEERS_DENIED: private addresses, refused as they should be.'],
    references: ['RFC 8656 §9.2', 'coturn README.turnserver'],
  }),
  LOG_PRIVATE_PEERS_DENIED: logEntry<DeniedEvidence>({
    severity: 'info',
    example: { ...exampleLog, who: ['10.1.2.3'], ranges: ['10.0.0.0-10.255.255.255'] },
    title: () => 'coturn refused peers with private addresses, as it should',
    cause: (e) =>
      `Browsers offer their private addresses too, and ask for a permission for each: ${listed(e.who)}. It matters only where a media server or the relay itself has such an address.`,
    fix: (e) => [
      'nothing, unless one of them is your media server or this relay; then:',
      ...e.who
        .slice(0, 1)
        .filter((who) => /^[\d.]+$/.test(who))
        .map((who) => inConfig(`allowed-peer-ip=${who}`)),
    ],
    explanation:
      'Denying private peers keeps users of the relay out of the network behind it. Calls go on over the other candidates. Two clients on one relay behind NAT need its private address permitted: external-ip=PUBLIC/PRIVATE does that.',
    confusedWith: [
      'LOG_PEERS_DENIED: peers with public addresses, which calls need.',
      'LOG_PEERS_PRIVATE: there no other peers were named.',
    ],
    references: ['RFC 8656 §21.3.4'],
  }),
  LOG_PEERS_SILENT: logEntry<UseEvidence & { readonly packets: number }>({
    severity: 'error',
    example: { ...exampleLog, bothWays: 0, packets: 3000 },
    title: (e) =>
      e.bothWays === 0 ? 'Nothing ever came back from a peer' : 'Some allocations sent, and got nothing back',
    cause: (e) =>
      `${counted(e.count, 'allocation')} sent ${counted(e.packets, 'packet')} to peers and received none; ${e.bothWays} had data both ways.${
        e.bothWays === 0 ? ' What peers send does not reach the relay ports.' : ''
      }`,
    fix: (e) =>
      e.bothWays === 0
        ? [
            onServer('sudo ufw allow 49152:65535/udp'),
            'open the same range in the firewall of the provider',
            here('rtc-ops probe HOST'),
          ]
        : [
            here('rtc-ops probe HOST'),
            'look at the peers of these sessions: a direct connection may have won, or their own firewall is in the way',
          ],
    explanation:
      'coturn counts for each allocation what it sent to peers and what it received from them (peer usage: sp, rp). Sent and never received: the relay ports are firewalled, the advertised relay address is not that of the server, or the peers are private or gone. A few checks without an answer are normal where a direct connection won.',
    confusedWith: [
      'LOG_PEERS_PRIVATE: the peers had addresses that the server cannot reach.',
      'LOG_RELAYS_UNUSED: nothing was sent either.',
    ],
    references: ['RFC 8656 §11', 'RFC 8445 §7.2'],
  }),
  LOG_PEERS_PRIVATE: logEntry<UseEvidence>({
    severity: 'warning',
    example: { ...exampleLog, who: ['192.168.1.20'], bothWays: 0 },
    title: () => 'Clients named no peers but private ones',
    cause: (e) =>
      `In ${counted(e.count, 'session')} all permitted peers were private (${listed(e.who)}): the other side offered no address that this server can reach.`,
    fix: () => [
      'see that the other side gathers a relay or a server reflexive candidate, and that its candidates arrive',
      here('rtc-ops probe HOST'),
    ],
    explanation:
      'A client asks for a permission for each candidate of the other side. If only private ones are among them, the other side had neither STUN nor TURN, or its relay itself is private (external-ip missing).',
    confusedWith: ['LOG_PRIVATE_PEERS_DENIED: there private peers are refused, beside others that work.'],
    references: ['RFC 8656 §9', 'RFC 8445 §5.1.1'],
  }),
  LOG_RELAYS_UNUSED: logEntry<UseEvidence>({
    severity: 'info',
    example: { ...exampleLog, bothWays: 28 },
    title: () => 'Allocations were made and never used',
    cause: (e) =>
      `${counted(e.count, 'allocation')} carried no data in either direction; ${e.bothWays} did. Where a direct connection works, that is how it should be.`,
    fix: () => ['nothing, where calls have audio; else look at the candidates that the two sides exchange'],
    explanation:
      'Browsers allocate a relay before they know whether they need it. Without a permission or without data it was not needed, or the other side never heard of it.',
    confusedWith: ['LOG_PEERS_PRIVATE: relays with permissions for nobody who can be reached.'],
    references: ['RFC 8445 §5.1.1'],
  }),
  LOG_ALLOCATIONS_EXPIRED: logEntry<LogEvidence>({
    severity: 'info',
    example: exampleLog,
    title: () => 'Allocations ran out instead of being freed',
    cause: (e) =>
      `${counted(e.count, 'client')} stopped refreshing (${times(e.count)}, of ${counted(e.allocated, 'allocation')}): closed tabs and lost networks do that, and clients whose packets no longer arrive.`,
    fix: () => [
      'if calls drop after some minutes: offer turn: with ?transport=tcp too, and let the client refresh half-way through the lifetime',
    ],
    explanation:
      'A client frees its allocation with a Refresh of lifetime 0. coturn logs “allocation timeout” in both cases; what came before tells them apart.',
    confusedWith: [
      'LOG_SERVER_RESTARTED: there all of them end at once.',
      'LOG_REFRESH_TOO_LATE: there the client came back for it.',
    ],
    references: ['RFC 8656 §8'],
  }),
  LOG_TLS_HANDSHAKES_FAILED: logEntry<LogEvidence>({
    severity: 'warning',
    example: { ...exampleLog, who: ['198.51.100.7:40012'] },
    title: () => 'TLS connections ended before the first request',
    cause: (e) =>
      `${counted(e.count, 'connection')} failed in or right after the handshake: the client did not accept the certificate, spoke another version of TLS, or no TLS at all.`,
    fix: () => [
      here('rtc-ops probe turns:HOST:5349'),
      'serve the whole chain (fullchain.pem), with the name in it that the URLs have',
    ],
    explanation:
      'coturn does not log why a handshake failed, only that the connection ended in an error before any request. Scanners do the same; they come from addresses that have no other sessions.',
    confusedWith: [
      'LOG_CERTIFICATE_MISSING: there TLS is not served at all.',
      'TLS_UNTRUSTED, TLS_CHAIN_INCOMPLETE: why clients end it, as a probe sees it.',
    ],
    references: ['RFC 8446 §6.2', 'RFC 7065 §3.1'],
  }),
} as const;

/** What coturn means by a code. */
const reasons: Readonly<Record<number, string>> = {
  400: 'it could not read the request',
  403: 'the configuration forbids it',
  437: 'the same address and port of the client had an allocation already',
  440: 'it has no relay address of that family',
  441: 'the allocation belongs to another user',
  442: 'it does not relay that transport (no-udp-relay, stun-only)',
};
