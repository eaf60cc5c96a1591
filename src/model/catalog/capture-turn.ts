import { captureEntry, exampleCapture, path, type CaptureEvidence } from './capture-place.ts';
import { grepConfig, here, inConfig, journal, onServer, releaseWithUsualTtl, restart } from './entry.ts';
import { counted } from './server-log-place.ts';

interface CodeEvidence extends CaptureEvidence {
  readonly code: number;
  readonly name: string;
}

interface RefusedEvidence extends CaptureEvidence {
  readonly username: string | null;
  readonly realm: string | null;
}

/** What a capture proves about a TURN server and its client. */
export const captureTurnCatalog = {
  CAPTURE_SERVER_SILENT: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: exampleCapture,
    title: (e) => `The server at ${e.to} does not answer`,
    cause: (e) =>
      `${counted(e.count, 'request')} left and nothing came back: a firewall drops them on the way, the address or port is another, or nothing runs there.`,
    proof: (e) => `${e.file}: requests from ${path(e)}, without one answer and without an ICMP error.`,
    fix: (e) => [
      here(`rtc-ops probe 'turn:${e.to}?transport=${e.transport}'`),
      onServer(`sudo tcpdump -ni any port ${portOf(e.to)}`),
    ],
    explanation:
      'STUN repeats a request over UDP up to seven times. No answer to any means that requests or answers are lost; the same capture on the server tells which.',
    confusedWith: ['CAPTURE_PORT_CLOSED: the other machine says that nothing listens.'],
    references: ['RFC 8489 §6.2.1'],
  }),
  CAPTURE_PORT_CLOSED: captureEntry<CaptureEvidence & { readonly by: string }>({
    severity: 'error',
    example: { ...exampleCapture, by: '203.0.113.10' },
    title: (e) => `${e.to} refuses ${e.transport.toUpperCase()} packets`,
    cause: (e) =>
      `${e.by} answered that the port is unreachable: nothing listens there, or a firewall rejects it.`,
    proof: (e) => `${e.file}: ${counted(e.count, 'refusal')} of packets from ${path(e)}.`,
    fix: (e) => [
      onServer(`sudo ss -ln${e.transport === 'udp' ? 'u' : 't'}p 'sport = :${portOf(e.to)}'`),
      journal,
    ],
    explanation:
      'A closed UDP port is answered with ICMP “port unreachable”, a closed TCP port with RST. A firewall can send both as well.',
    confusedWith: ['CAPTURE_PATH_PROHIBITED: there a router on the way says no, and not the host.'],
    references: ['RFC 1122 §3.2.2.1', 'RFC 9293 §3.5.2'],
  }),
  CAPTURE_PATH_PROHIBITED: captureEntry<CaptureEvidence & { readonly by: string; readonly kind: string }>({
    severity: 'error',
    example: { ...exampleCapture, by: '192.0.2.1', kind: 'prohibited' },
    title: (e) => `A router says that ${e.to} is ${e.kind}`,
    cause: (e) => `${e.by} does not forward these packets: a rule of its firewall, or no route.`,
    proof: (e) => `${e.file}: ICMP errors (${e.count}) about packets from ${path(e)}.`,
    fix: (e) => [
      here(`ip route get ${e.to.replace(/:\d+$/, '').replaceAll(/[[\]]/g, '')}`),
      `look at the rules of ${e.by}`,
    ],
    explanation:
      'Routers and firewalls answer what they do not forward with an ICMP error, whose sender is the one that stands in the way.',
    confusedWith: ['CAPTURE_PORT_CLOSED: there the host itself answers.'],
    references: ['RFC 1812 §5.2.7.1'],
  }),
  CAPTURE_CREDENTIALS_REFUSED: captureEntry<RefusedEvidence>({
    severity: 'error',
    example: { ...exampleCapture, username: '1795266352:alice', realm: 'example.org' },
    title: () => 'The TURN server refuses the credentials',
    cause: (e) =>
      `A signed Allocate${e.username === null ? '' : ` of ${e.username}`} was answered with 401${e.realm === null ? '' : ` in the realm ${e.realm}`}: the password is wrong, or the credentials have expired.`,
    proof: (e) => `${e.file}: ${counted(e.count, 'signed request')} refused, from ${path(e)}.`,
    fix: () => [
      here('rtc-ops credentials check USERNAME PASSWORD --secret-file FILE'),
      grepConfig('static-auth-secret|realm|user'),
    ],
    explanation:
      'The first Allocate goes without credentials, and its 401 is the challenge. A 401 to one with MESSAGE-INTEGRITY is a refusal. A username of the form UNIX:USER says itself when it ends.',
    confusedWith: ['CAPTURE_CREDENTIALS_EXPIRED: the username was past its end when it was sent.'],
    references: ['RFC 8489 §9.2.4'],
  }),
  CAPTURE_CREDENTIALS_EXPIRED: captureEntry<RefusedEvidence>({
    severity: 'error',
    example: { ...exampleCapture, username: '1600000000:alice', realm: 'example.org' },
    title: () => 'The TURN credentials had expired when they were sent',
    cause: (e) =>
      `${e.username ?? 'The username'} ended before the request, by the clock of the capture, and was refused with 401.`,
    proof: (e) => `${e.file}: ${counted(e.count, 'signed request')} refused, from ${path(e)}.`,
    fix: () => ['fetch new credentials before the old ones end', onServer('timedatectl')],
    explanation:
      'A time-limited username begins with the second at which it ends. The capture has the time of the request.',
    confusedWith: [
      'A clock: where that of the capture is wrong, they may have been good.',
      'LOG_CREDENTIALS_EXPIRED: the same, by the clock of the server.',
    ],
    references: ['draft-uberti-behave-turn-rest-00'],
  }),
  CAPTURE_ALLOCATION_REFUSED: captureEntry<CodeEvidence>({
    severity: 'error',
    example: { ...exampleCapture, code: 486, name: 'Allocation Quota Reached' },
    distinctBy: ['code'],
    title: (e) => `The TURN server refuses a relay: ${e.code}${e.name === '' ? '' : ` ${e.name}`}`,
    cause: (e) => `Allocate was answered with ${e.code} and never granted: ${meaning(e.code)}.`,
    proof: (e) => `${e.file}: ${counted(e.count, 'refusal')}, from ${path(e)}.`,
    fix: (e) =>
      e.code === 508
        ? [inConfig('min-port=49152'), inConfig('max-port=65535'), restart]
        : [
            grepConfig(
              'user-quota|total-quota|bps-capacity|no-udp-relay|no-tcp-relay|relay-ip|alternate-server',
            ),
            journal,
          ],
    explanation:
      'The code of the answer is the reason, whatever the words beside it; coturn sends none from 4.10 on.',
    confusedWith: [
      'CAPTURE_CREDENTIALS_EXPIRED: a refusal with 401, of which the reason is known.',
      '401 to a first request: that is how each begins.',
    ],
    references: ['RFC 8656 §7.2', 'RFC 8656 §19'],
  }),
  CAPTURE_RELAY_PRIVATE: captureEntry<CaptureEvidence & { readonly relayed: string; readonly scope: string }>(
    {
      severity: 'error',
      example: { ...exampleCapture, relayed: '172.16.0.10:49341', scope: 'private' },
      title: (e) => `The relay address is ${e.scope}: ${e.relayed}`,
      cause: (e) => `The server hands out ${e.relayed}, which nobody outside of its own network reaches.`,
      proof: (e) => `${e.file}: XOR-RELAYED-ADDRESS ${e.relayed} in the answer to Allocate, from ${path(e)}.`,
      fix: (e) => [
        `in the configuration, external-ip with the public address, a slash and ${e.relayed.replace(/:\d+$/, '')}`,
        restart,
      ],
      explanation:
        'Behind a 1:1 NAT coturn knows only its private address, unless external-ip=PUBLIC/PRIVATE names both.',
      confusedWith: ['RELAY_ADDRESS_PRIVATE: the same, found by a probe.'],
      references: ['RFC 8656 §7.2', 'coturn README.turnserver'],
    },
  ),
  CAPTURE_PEERS_REFUSED: captureEntry<CodeEvidence & { readonly peers: readonly string[] }>({
    severity: 'error',
    example: { ...exampleCapture, code: 403, name: 'Forbidden', peers: ['203.0.113.40'] },
    title: (e) => `The TURN server refuses peers with ${e.code}`,
    cause: (e) =>
      `${e.peers.join(', ')} may not be reached through this relay${e.code === 443 ? ': another address family' : ''}.`,
    proof: (e) => `${e.file}: CreatePermission or ChannelBind answered with ${e.code}, from ${path(e)}.`,
    fix: (e) =>
      e.code === 443
        ? [
            'give the relay an address of that family too (relay-ip), or let it be, where other candidates work',
          ]
        : [
            grepConfig('denied-peer-ip|allowed-peer-ip|allow-loopback-peers'),
            'where a call needs one of them, let it through:',
            ...e.peers.slice(0, 3).map((peer) => inConfig(`allowed-peer-ip=${peer}`)),
            restart,
          ],
    explanation:
      '403 is the answer to a peer that denied-peer-ip covers. For the private addresses of the other side that is normal, as long as another candidate works.',
    confusedWith: ['CAPTURE_RELAY_ONE_WAY: there the peer is permitted, and nothing comes from it.'],
    references: ['RFC 8656 §9.2'],
  }),
  CAPTURE_RELAY_ONE_WAY: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: { ...exampleCapture, count: 240 },
    title: () => 'Data goes through the relay one way only',
    cause: (e) =>
      `${counted(e.count, 'packet')} went from ${e.from} to ${e.to}, and nothing came back: what the other side sends does not reach the relay port, or it sends nothing.`,
    proof: (e) => `${e.file}: Send indications and ChannelData in one direction, from ${path(e)}.`,
    fix: () => [
      onServer('sudo ufw allow 49152:65535/udp'),
      'open the relay ports in the firewall of the provider too',
      here('rtc-ops probe HOST'),
    ],
    explanation:
      'Media that leaves through a relay and is never answered, not even by a check of ICE, points to the relay ports of the server or to the network of the peer.',
    confusedWith: [
      'CAPTURE_PEERS_REFUSED: there the relay sends nothing at all.',
      'Somebody muted, or on hold: then checks of ICE are answered all the same.',
    ],
    references: ['RFC 8656 §11', 'RFC 8656 §12'],
  }),
  CAPTURE_ALLOCATION_LOST: captureEntry<CaptureEvidence & { readonly because: string }>({
    severity: 'error',
    example: { ...exampleCapture, because: 'no Refresh was granted in its lifetime of 600 s' },
    title: () => 'The allocation ended in the middle of the call',
    cause: (e) => `The relay was used, and then it was gone: ${e.because}.`,
    proof: (e) => `${e.file}: Refresh and its answers, from ${path(e)}.`,
    fix: () => [
      'let the client refresh well before the lifetime ends, and ask again after 438',
      'offer turn: with ?transport=tcp too, which keeps NAT bindings longer',
    ],
    explanation:
      'An allocation lives for its LIFETIME after each granted Refresh. 437 to a Refresh means that the server has none for this five-tuple any more.',
    confusedWith: [
      'LOG_REFRESH_TOO_LATE, LOG_ALLOCATIONS_EXPIRED: the same in the log of the server.',
      'A call that ended: its client frees the allocation, and uses it no more.',
    ],
    references: ['RFC 8656 §8'],
  }),
  CAPTURE_REPLY_TTL_ONE: captureEntry<CaptureEvidence>({
    severity: 'error',
    example: exampleCapture,
    title: () => 'The server sends its answers with a TTL of 1',
    cause: (e) => `Answers of ${e.to} die at the first router: coturn 4.17.0 and 4.17.1 do that over UDP.`,
    proof: (e) => `${e.file}: IP packets with a TTL of 1, answering ${path(e)}.`,
    fix: () => [releaseWithUsualTtl, restart],
    explanation: 'On the network of the server all works, and behind a router nothing does.',
    confusedWith: ['REPLY_TTL_ONE: the same, found by a probe by the version.'],
    references: ['RFC 791 §3.2'],
  }),
} as const;

function portOf(endpoint: string): string {
  return /:(\d+)$/.exec(endpoint)?.[1] ?? '3478';
}

function meaning(code: number): string {
  const meanings: Readonly<Record<number, string>> = {
    300: 'the server sends its clients elsewhere, and the client did not go there',
    400: 'the server could not read the request',
    403: 'the server forbids it',
    437: 'the five-tuple has an allocation already',
    438: 'the client did not go on with the new nonce',
    440: 'the server has no relay address of that family',
    441: 'the allocation belongs to another user',
    442: 'the server does not relay that transport',
    486: 'a quota is used up',
    508: 'the server has no relay port left',
  };
  return meanings[code] ?? 'the server gives no other reason';
}
