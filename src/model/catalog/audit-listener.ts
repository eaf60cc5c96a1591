import { server } from '../subject.ts';
import { soundCiphers } from '../tls-offer.ts';
import {
  entry,
  exampleListener,
  exampleTls,
  inConfig,
  listed,
  listenerKeys,
  listenerName,
  restart,
  serverName,
  type ListenerEvidence,
} from './entry.ts';

const withoutDtls = [
  inConfig('no-dtls'),
  'from coturn 4.17 on it is off, unless the line dtls is there: delete that',
  restart,
];

function udpPorts(ports: readonly number[]): string {
  return `UDP ${ports.length === 1 ? 'port' : 'ports'} ${listed(ports.map(String))}`;
}

/** What only a server that runs can show. */
export const auditCatalog = {
  AMPLIFICATION: entry<ListenerEvidence & { request: string; requestBytes: number; answerBytes: number }>({
    severity: 'info',
    subject: server,
    distinctBy: listenerKeys,
    example: { ...exampleListener, request: 'Binding', requestBytes: 20, answerBytes: 104 },
    title: (e) =>
      `Answers are ${(e.answerBytes / e.requestBytes).toFixed(1)} times as large as what asks for them`,
    cause: (e) =>
      `Whoever forges the address of a victim has the server send it ${e.answerBytes} bytes for each ${e.requestBytes}. That is little beside other reflectors, but nothing that has to be.`,
    proof: (e) =>
      `${serverName(e)} ${listenerName(e)} answered a ${e.request} request of ${e.requestBytes} bytes without credentials with ${e.answerBytes} bytes.`,
    fix: (e) =>
      e.request === 'ClientHello'
        ? withoutDtls
        : [
            inConfig('no-software-attribute'),
            inConfig('no-rfc5780'),
            inConfig('no-stun-backward-compatibility'),
            restart,
          ],
    explanation:
      'Over UDP the sender of a request can be forged, so that the answer goes to a victim. STUN answers are small; attributes that no client needs (SOFTWARE, MAPPED-ADDRESS, RESPONSE-ORIGIN, OTHER-ADDRESS) make them larger. More than four times the request is worth a line in the configuration.',
    confusedWith: ['Amplification by a relay without credentials: that is ANONYMOUS_RELAY, and far worse.'],
    references: ['RFC 8489 §16.1.2', 'RFC 5780 §9'],
  }),
  DTLS_OFFERED: entry<{
    host: string;
    address: string;
    ports: readonly number[];
    versions: readonly string[];
  }>({
    severity: 'info',
    subject: server,
    example: {
      host: 'turn.example.com',
      address: '203.0.113.10',
      ports: [3478, 5349],
      versions: ['DTLS 1.2'],
    },
    title: (e) => `${udpPorts(e.ports)} ${e.ports.length === 1 ? 'answers' : 'answer'} DTLS`,
    cause: (e) =>
      `No browser speaks to a relay over DTLS. Offered, it is one more way in: each hello costs the server memory, and before coturn 4.17.0 anybody can exhaust it so (CVE-2026-73214).${e.versions.includes('DTLS 1.0') ? ' DTLS 1.0 is as old as TLS 1.1, and as deprecated.' : ''}`,
    proof: (e) =>
      `${serverName(e)}, ${udpPorts(e.ports)}, answered a ClientHello${e.versions.length === 0 ? ', and agreed to neither DTLS 1.2 nor 1.0' : ` with its part of a handshake in ${listed(e.versions)}`}.`,
    fix: () => withoutDtls,
    explanation:
      'coturn before 4.17.0 speaks DTLS on its UDP ports as soon as it has a certificate, on those for plain STUN too; from 4.17.0 on only with the option dtls. An audit sends a ClientHello of DTLS 1.2 and one of 1.0, and gives back the cookie that it gets; no handshake is finished.',
    confusedWith: [
      'TLS on the TCP port of the same number: turns: URIs need it, and it stays.',
      'LEGACY_TLS: old versions over TCP.',
      'The DTLS of a call (DTLS-SRTP): that passes through the relay, encrypted, and has nothing to do with this.',
    ],
    references: ['RFC 7350 §3', 'RFC 6347 §4.2.1', 'CVE-2026-73214'],
  }),
  WEAK_CIPHERS: entry<ListenerEvidence & { weak: readonly string[] }>({
    severity: 'warning',
    subject: server,
    distinctBy: listenerKeys,
    example: { ...exampleTls, weak: ['3DES (0x000A)', 'Diffie-Hellman of 1024 bits'] },
    title: () => 'The TLS listener accepts ciphers that do not protect',
    cause: (e) =>
      `It agrees to ${listed(e.weak)}. A client that is talked into that has its user name and its messages to the relay read, or changed.`,
    proof: (e) =>
      `${serverName(e)} ${listenerName(e)} answered a ClientHello that offers nothing else with its whole part of the handshake.`,
    fix: () => [
      inConfig(`cipher-list=${soundCiphers}`),
      'and delete the lines dh566, dh1066 and dh-file, unless its file has 2048 bits or more',
      restart,
    ],
    explanation:
      'RFC 9325 rules out suites without encryption or without a certificate, export keys, DES, 3DES and RC4, and Diffie-Hellman below 2048 bits. Each is offered in a handshake of its own, in bytes that no TLS library of this machine filters; it counts when the server completes its part. No browser asks for them. The audio itself is encrypted a second time (DTLS-SRTP), which the relay cannot undo.',
    confusedWith: [
      'LEGACY_TLS: the version of the protocol, whatever the cipher.',
      'TLS in front of the server: where a proxy ends it, its ciphers are set there.',
    ],
    references: ['RFC 9325 §4.1', 'RFC 7465', 'coturn README.turnserver'],
  }),
  NO_FORWARD_SECRECY: entry<ListenerEvidence & { suite: string }>({
    severity: 'info',
    subject: server,
    distinctBy: listenerKeys,
    example: { ...exampleTls, suite: '0x009C' },
    title: () => 'The TLS listener accepts a key exchange without forward secrecy',
    cause: () =>
      'Who records the connection of such a client today and gets the key of the certificate later can read it then. Browsers do not ask for it; old devices may.',
    proof: (e) =>
      `${serverName(e)} ${listenerName(e)} answered a ClientHello that offers RSA key exchange alone, and chose suite ${e.suite}.`,
    fix: () => [inConfig(`cipher-list=${soundCiphers}`), restart],
    explanation:
      'With RSA key exchange the key of the certificate is all that protects every session, those of the past as well. OpenSSL has it in its default list, and coturn takes that list unless cipher-list stands in the file. It is a note: the client has to prefer it, and the audio is encrypted by keys of its own.',
    confusedWith: ['WEAK_CIPHERS: there the session can be read without the key.'],
    references: ['RFC 9325 §4.1', 'coturn README.turnserver'],
  }),
  CREDENTIAL_LONG_LIVED: entry<{
    host: string;
    address: string;
    username: string;
    days: number | null;
  }>({
    severity: 'info',
    subject: server,
    example: { host: 'turn.example.com', address: '203.0.113.10', username: '1805000000:alice', days: 90 },
    title: (e) =>
      e.days === null
        ? 'Nothing in the credential says that it expires'
        : `The credential is good for another ${e.days} days`,
    cause: (e) =>
      e.days === null
        ? `${e.username} looks like a user with a password that lasts: who reads it in the page of an application has a relay until somebody changes it.`
        : `Who reads ${e.username} in the page of an application has a relay for ${e.days} days.`,
    proof: (e) => `The user name given is ${e.username}.`,
    fix: () => [
      inConfig('use-auth-secret'),
      'issue credentials to each user when a call begins: rtc-ops credentials issue USER --ttl 12h',
    ],
    explanation:
      'TURN credentials reach the browser, so that every user can read them. With use-auth-secret the application issues them for hours (draft-uberti-behave-turn-rest-00), and what leaks is worth little.',
    confusedWith: [
      'Credentials of a hosted provider: their names show no time, and the provider ends them nevertheless.',
    ],
    references: ['draft-uberti-behave-turn-rest-00 §2.2', 'RFC 8656 §21.1.1'],
  }),
} as const;
