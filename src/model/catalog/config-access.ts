import { configEntry, exampleFile, exampleLine, inFile, replaced } from './config-place.ts';
import type { LineEvidence, PlaceEvidence } from './config-place.ts';
import { listed } from './entry.ts';

const exampleSecret = exampleLine('static-auth-secret=[redacted]');
const newSecret = 'here:  openssl rand -hex 32';

/** `a, b and c`, or the first three with the number of the others. */
function shortList(items: readonly string[]): string {
  return items.length <= 4
    ? listed(items)
    : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more ranges`;
}

/** Who may use the relay, and whom its users may reach, as a configuration says it. */
export const configAccessCatalog = {
  OPEN_RELAY_CONFIGURED: configEntry<PlaceEvidence & { because: string }>({
    severity: 'error',
    example: { ...exampleFile, because: 'no line asks for credentials' },
    title: () => 'This is an open relay: anyone may use it',
    cause: (e) =>
      `coturn asks nobody for credentials: ${e.because}. Strangers send what they like from its address, at its owner's expense.`,
    fix: (e) => [
      inFile({ ...e, line: null }, 'use-auth-secret'),
      inFile({ ...e, line: null }, 'static-auth-secret=SECRET'),
      'with the output of openssl rand -hex 32 as SECRET, and without lt-cred-mech=0 and no-auth behind them',
    ],
    explanation:
      'Without an option that asks for credentials coturn relays for anyone. lt-cred-mech, use-auth-secret, static-auth-secret or a user turns them on; no-auth, and lt-cred-mech or no-auth with a value that means off behind them, turn them off again (measured on 4.6.1).',
    confusedWith: ['ANONYMOUS_RELAY: the same, seen from outside on a server that runs.'],
  }),
  NOBODY_CAN_LOG_IN: configEntry<PlaceEvidence & { wants: string; database: string | null }>({
    severity: 'warning',
    example: { ...exampleLine('lt-cred-mech'), wants: 'user', database: null },
    title: (e) => `coturn asks for credentials, and no ${e.wants} is in the file`,
    cause: (e) =>
      `Unless ${e.database === null ? 'the SQLite database that coturn opens by itself' : e.database} holds one, everybody gets error 401.`,
    fix: (e) =>
      e.wants === 'user'
        ? [inFile({ ...e, line: null }, 'user=NAME:PASSWORD')]
        : [inFile({ ...e, line: null }, 'static-auth-secret=SECRET'), newSecret],
    explanation:
      'lt-cred-mech needs users, use-auth-secret needs a secret: in the file, or in the database. What is in the database cannot be seen here.',
    confusedWith: ['OPEN_RELAY_CONFIGURED: there coturn does not ask at all.'],
  }),
  AUTH_MECHANISMS_MIXED: configEntry<LineEvidence & { with: string }>({
    severity: 'warning',
    example: { ...exampleLine('lt-cred-mech'), with: 'static-auth-secret (line 20)', replacement: '' },
    title: (e) => `${e.option} counts for nothing beside ${e.with}`,
    cause: () =>
      'With a shared secret coturn takes time-limited credentials alone. Users of the file get error 401, without a word about it at the start.',
    fix: (e) => replaced(e, 'keep one of the two'),
    explanation:
      'Shared secrets overrule users: coturn skips every user line as soon as one line brings use-auth-secret or static-auth-secret. lt-cred-mech beside them is only superfluous.',
    confusedWith: [
      'NOBODY_CAN_LOG_IN: there no user and no secret is to be found at all.',
      'CREDENTIAL_SECRET_MISMATCH: what users of the file see of it, from outside.',
    ],
  }),
  USER_MALFORMED: configEntry<LineEvidence>({
    severity: 'error',
    example: exampleLine('user=[redacted]'),
    title: () => 'A user line is not NAME:PASSWORD',
    cause: () => 'coturn logs an error (Wrong user account) and goes on without this user.',
    fix: (e) => [inFile(e, 'user=NAME:PASSWORD')],
    explanation:
      'A user is a name, a colon and a password, or a key of 32 hexadecimal digits behind 0x. What else stands there is dropped.',
    confusedWith: ['AUTH_MECHANISMS_MIXED: there users are well-formed, and a secret overrules them.'],
  }),
  REALM_MISSING: configEntry<PlaceEvidence>({
    severity: 'warning',
    example: exampleLine('lt-cred-mech'),
    title: () => 'Credentials are asked for, and there is no realm',
    cause: () =>
      'coturn takes the domain name of the machine, which is empty on most. Keys of users change with it, and some clients refuse an empty realm.',
    fix: (e) => [inFile({ ...e, line: null }, 'realm=turn.example.org')],
    explanation:
      'The realm is part of every long-term credential (RFC 8489 §9.2). Without one coturn takes what the system calls its domain, mostly nothing.',
    confusedWith: [
      'LOG_REALM_EMPTY: the same, as coturn tells it in its log.',
      'LOG_REALM_WRONG: there the server has a realm, and clients send another one.',
    ],
    references: ['RFC 8489 §9.2.2', 'coturn README.turnserver'],
  }),
  WEAK_SECRET: configEntry<LineEvidence & { because: string }>({
    severity: 'error',
    example: { ...exampleSecret, because: 'it stands in the example file of coturn' },
    title: (e) => `The value of ${e.option} can be guessed`,
    cause: (e) => `Who guesses it uses the relay for free: ${e.because}.`,
    fix: (e) => [
      newSecret,
      `put its output behind ${e.option} in line ${e.line ?? ''}, and where credentials are issued`,
    ],
    explanation:
      'A shared secret signs every credential. One pair of name and password that was seen is enough to try guesses against, millions in a second, so that it has to be long and random: 32 bytes are good for ever.',
    confusedWith: ['SECRET_READABLE: there it may be long, and others of the machine read it.'],
  }),
  SECRET_READABLE: configEntry<PlaceEvidence & { mode: string; option: string; user: string }>({
    severity: 'error',
    example: { ...exampleFile, mode: '0644', option: 'static-auth-secret', user: 'turnserver' },
    title: (e) => `Everybody on this machine can read ${e.option}`,
    cause: (e) => `${e.file} has mode ${e.mode} and a secret in it.`,
    proof: (e) => `The mode of ${e.file} is ${e.mode}.`,
    fix: (e) => [
      `on the server:  sudo chgrp ${e.user} ${e.file}`,
      `on the server:  sudo chmod 640 ${e.file}`,
      'then take a new secret: nobody knows who has read the old one',
    ],
    explanation:
      'What other users of the machine can read is no secret. Mode 0640 with the group of the service lets coturn read the file, and nobody else.',
    confusedWith: [
      'CONFIG_UNREADABLE: the reverse, where not even coturn may read it.',
      'WEAK_SECRET: there nobody has to read it, as it can be guessed.',
    ],
  }),
  PRIVATE_PEERS_ALLOWED: configEntry<PlaceEvidence & { ranges: readonly string[] }>({
    severity: 'warning',
    example: { ...exampleFile, ranges: ['10.0.0.0-10.255.255.255', '192.168.0.0-192.168.255.255'] },
    title: () => 'Users of the relay reach private networks',
    cause: (e) =>
      `Nothing denies ${shortList(e.ranges)}: a user sends to whatever is there beside the server.`,
    proof: (e) => `No denied-peer-ip of ${e.file} covers them.`,
    fix: (e) => e.ranges.map((range) => inFile({ ...e, line: null }, `denied-peer-ip=${range}`)),
    explanation:
      'coturn denies loopback by itself, and from 4.13.1 on link-local and unique local addresses; private IPv4 networks it never denies. A relay in a cloud thus lets its users into the network behind it. Where a media server has a private address, allow that address alone with allowed-peer-ip.',
    references: ['RFC 8656 §21.3.4', 'RFC 6890', 'coturn README.turnserver'],
  }),
  METADATA_PEER_ALLOWED: configEntry<PlaceEvidence & { addresses: readonly string[] }>({
    severity: 'warning',
    example: { ...exampleFile, addresses: ['169.254.169.254'] },
    title: () => 'Users of the relay reach the metadata service of a cloud',
    cause: (e) =>
      `Nothing denies ${listed(e.addresses)}, where a cloud gives its machines their keys and passwords.`,
    proof: (e) => `No denied-peer-ip of ${e.file} covers ${listed(e.addresses)}.`,
    fix: (e) => e.addresses.map((address) => inFile({ ...e, line: null }, `denied-peer-ip=${address}`)),
    explanation:
      'Clouds serve each machine its credentials at a fixed address without a password. A relay that sends there hands them out, over UDP rarely, over TCP relays surely.',
    references: ['RFC 3927', 'coturn README.turnserver'],
  }),
  LOOPBACK_PEERS_ALLOWED: configEntry<LineEvidence>({
    severity: 'error',
    example: { ...exampleLine('allow-loopback-peers'), replacement: '' },
    title: () => 'Users of the relay reach the server itself',
    cause: () => 'allow-loopback-peers lets them send to every service that listens on 127.0.0.1 and ::1.',
    fix: (e) => replaced(e, 'delete the line'),
    explanation:
      'What listens on loopback trusts whoever reaches it. The option is for tests on one machine.',
    references: ['RFC 8656 §21.3.4', 'coturn README.turnserver'],
  }),
  MULTICAST_PEERS_ALLOWED: configEntry<PlaceEvidence>({
    severity: 'warning',
    example: exampleFile,
    title: () => 'Users of the relay may send to multicast groups',
    cause: () =>
      'One packet of a user becomes one for every machine of the group in the network of the server.',
    proof: (e) =>
      `Neither no-multicast-peers nor a denied range over 224.0.0.0/4 and ff00::/8 is in ${e.file}.`,
    fix: (e) => [inFile(e, 'no-multicast-peers')],
    explanation: 'Multicast is allowed in every version unless no-multicast-peers stands in the file.',
    references: ['RFC 5771', 'coturn README.turnserver'],
  }),
  MAPPED_IPV6_BYPASS: configEntry<PlaceEvidence & { version: string; range: string }>({
    severity: 'warning',
    example: { ...exampleFile, version: '4.6.1', range: '::ffff:0:0-::ffff:ffff:ffff' },
    title: () => 'Denied IPv4 networks are reached by their IPv6 names',
    cause: (e) =>
      `coturn ${e.version} compares ::ffff:10.0.0.1 with IPv6 ranges alone, so that what is denied as 10.0.0.1 is reached all the same.`,
    proof: (e) => `IPv4 ranges are denied in ${e.file}, and no range covers ::ffff:0:0/96.`,
    fix: (e) => [inFile({ ...e, line: null }, `denied-peer-ip=${e.range}`)],
    explanation:
      'IPv4-mapped addresses name IPv4 hosts in IPv6. Before 4.9.0 a denied IPv4 range does not cover them (CVE-2026-27624).',
    references: ['CVE-2026-27624', 'RFC 4291 §2.5.5'],
  }),
  DENIED_RANGE_CIDR: configEntry<LineEvidence & { version: string; stops: boolean }>({
    severity: 'error',
    example: {
      ...exampleLine('denied-peer-ip=10.0.0.0/8'),
      version: '4.6.1',
      stops: false,
      replacement: 'denied-peer-ip=10.0.0.0-10.255.255.255',
    },
    title: (e) => `${e.option} takes no prefix length`,
    cause: (e) =>
      e.stops
        ? `coturn ${e.version} does not start with it.`
        : `coturn ${e.version} logs an error (Wrong address format) and leaves the line out.`,
    fix: (e) => replaced(e, 'write FIRST-LAST'),
    explanation:
      'A range is first-last. With a prefix length, denied-peer-ip is ignored up to 4.10, which leaves open what was to be closed, and stops the start from 4.11 on.',
    confusedWith: ['DENIED_RANGE_EMPTY: there the form is right, and no address is in it.'],
  }),
  DENIED_RANGE_BOUNDLESS: configEntry<LineEvidence & { value: string }>({
    severity: 'error',
    example: { ...exampleLine('denied-peer-ip=::'), value: '::', replacement: 'denied-peer-ip=::1' },
    title: (e) => `${e.option}=${e.value} covers every address`,
    cause: (e) =>
      e.option === 'denied-peer-ip'
        ? 'No user may reach anyone: every permission gets error 403, and no call has audio.'
        : 'Every denied range is lifted by it.',
    fix: (e) => replaced(e, 'name the networks that are meant'),
    explanation:
      'coturn takes an end of zeros for no end: 0.0.0.0 and :: alone, and ranges that begin with :: or end with 0.0.0.0, match every peer of both families (measured on 4.6.1).',
    confusedWith: ['DENY_LIST_BLOCKS_ALL: the same, seen from outside on a server that runs.'],
  }),
  DENIED_RANGES_COVER_ALL: configEntry<LineEvidence>({
    severity: 'error',
    example: exampleLine('denied-peer-ip=0.0.0.0-255.255.255.255'),
    title: () => 'The denied ranges leave nobody to talk to over IPv4',
    cause: () =>
      'No line excepts anyone: every permission for an IPv4 peer gets error 403, that for another user of this relay too, and no call has audio.',
    fix: (e) => [
      inFile({ ...e, line: null }, 'allowed-peer-ip=ADDRESS'),
      'with the address of each media server that users are to reach as ADDRESS, or deny the private networks alone',
    ],
    explanation:
      'To deny all of IPv4 makes sense beside exceptions: a relay that reaches a few media servers and nothing else. Without one it relays nothing, be the ranges one or several side by side (measured on 4.6.1).',
    confusedWith: [
      'DENIED_RANGE_BOUNDLESS: there one range matches both families, by an end of zeros.',
      'DENY_LIST_BLOCKS_ALL: the same, seen from outside on a server that runs.',
    ],
  }),
  DENIED_RANGE_EMPTY: configEntry<LineEvidence>({
    severity: 'error',
    example: {
      ...exampleLine('denied-peer-ip=10.0.0.9-10.0.0.1'),
      replacement: 'denied-peer-ip=10.0.0.1-10.0.0.9',
    },
    title: (e) => `The range of ${e.option} holds no address`,
    cause: () =>
      'Its first address is behind its last one, or of the other family. coturn says nothing and matches nobody.',
    fix: (e) => replaced(e, 'write FIRST-LAST, both of one family'),
    explanation:
      'A range is first-last, the lower address first. In the other order it covers nothing, without a warning.',
    confusedWith: [
      'DENIED_RANGE_CIDR: there it is no range to coturn at all.',
      'DENIED_RANGES_COVER_ALL: there they hold far more than was meant.',
    ],
  }),
  TCP_RELAY_ENABLED: configEntry<PlaceEvidence>({
    severity: 'warning',
    example: exampleFile,
    title: () => 'Users may open TCP connections through the relay',
    cause: () =>
      'Relaying to peers over TCP is on. No browser uses it; with it a user reaches web servers and databases in the name of the server.',
    proof: (e) => `no-tcp-relay is not in ${e.file}.`,
    fix: (e) => [inFile(e, 'no-tcp-relay')],
    explanation:
      'RFC 6062 lets a client have TCP connections to its peers. It is not the TCP between client and server, which no-tcp-relay leaves as it is.',
    references: ['RFC 6062', 'coturn README.turnserver'],
  }),
} as const;
