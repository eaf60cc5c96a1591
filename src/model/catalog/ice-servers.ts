import type { IceServersProblem } from '../ice-servers.ts';
import { configurationFile } from '../subject.ts';
import { inApplication } from './analysis-entry.ts';
import { entry, here } from './entry.ts';

interface ProblemsEvidence {
  readonly file: string;
  readonly problems: readonly IceServersProblem[];
}

const example = {
  file: 'ice-servers.json',
  problems: [
    {
      kind: 'refused',
      at: 'iceServers[0].urls',
      text: '"turn://turn.example.com" is not a TURN or STUN URI: there is no // after the scheme (RFC 7065)',
      instead: 'turn:turn.example.com',
    },
  ],
} as const satisfies ProblemsEvidence;
const exampleDtls = {
  file: 'ice-servers.json',
  problems: [
    {
      kind: 'dtls',
      at: 'iceServers[0].urls',
      text: 'turns:turn.example.com?transport=udp asks for DTLS over UDP',
      instead: 'turns:turn.example.com?transport=tcp',
    },
  ],
} as const satisfies ProblemsEvidence;

function toldOf({ problems }: ProblemsEvidence): string {
  return problems.map(placed).join('; ');
}

function placed({ at, text }: IceServersProblem): string {
  return at === '' ? text : `${at}: ${text}`;
}

function mended({ problems }: ProblemsEvidence): string[] {
  return problems.flatMap(({ at, instead }) =>
    instead === null ? [] : [inApplication(at === '' ? instead : `${at}: ${instead}`)],
  );
}

const howItShouldBe = here('rtc-ops credentials issue USER --secret-file FILE --format ice-servers');

/** What is wrong with the iceServers of an application, before a packet is sent. */
export const iceServersCatalog = {
  ICE_SERVERS_REFUSED: entry<ProblemsEvidence>({
    severity: 'error',
    subject: configurationFile,
    example,
    title: () => 'Browsers refuse the iceServers of the application',
    cause: (e) =>
      `${e.problems[0] === undefined ? '' : `${placed(e.problems[0]).replace(/\.$/, '')}. `}RTCPeerConnection throws over that, so that there is no call, or a call without any TURN server where the application goes on without.`,
    proof: (e) => `In ${e.file}, ${toldOf(e).replace(/\.$/, '')}.`,
    fix: (e) => [...mended(e), 'this prints how it should be, for comparison:', howItShouldBe],
    explanation:
      'iceServers is a list of objects. Each has urls, a text or a list of texts in the form of RFC 7064 and RFC 7065, and with turn: or turns: a username and a credential, both texts. Everything else is an exception when the RTCPeerConnection is made, and no packet of that browser ever gets to a server.',
    confusedWith: [
      'ICE_URL_INVALID: the same in a recording of a call.',
      'CREDENTIAL_FORMAT: there the browser takes it, and the server does not.',
    ],
    references: ['W3C webrtc §4.2.2', 'RFC 7064', 'RFC 7065'],
  }),
  ICE_SERVERS_DTLS: entry<ProblemsEvidence & { isOnly: boolean }>({
    severity: 'warning',
    subject: configurationFile,
    example: { ...exampleDtls, isOnly: false },
    title: (e) =>
      e.isOnly
        ? 'The application offers TURN over DTLS alone, which no browser speaks'
        : 'The application offers TURN over DTLS too, which no browser speaks',
    cause: (e) =>
      `turns: with transport=udp is TURN over DTLS (RFC 7350). ${e.isOnly ? 'Browsers have no implementation of it, and there is no other TURN server for them.' : 'Browsers have no implementation of it: they waste their time on it, and count it for a server that fails (701).'}`,
    proof: (e) => `In ${e.file}, ${toldOf(e)}.`,
    fix: (e) => [
      ...mended(e),
      'and turn: beside it, for UDP in the clear: what it carries is encrypted already',
    ],
    explanation:
      'coturn has listeners for DTLS on the same ports as those for TLS up to 4.16, and only with the option dtls from 4.17 on. Native clients may use them. turns: without a transport, or with transport=tcp, is TLS over TCP, which all browsers speak.',
    confusedWith: ['TLS_HANDSHAKE_FAILED: there TLS over TCP fails, which browsers do use.'],
    references: ['RFC 7350', 'RFC 7065 §3.1', 'coturn README.turnserver'],
  }),
  ICE_SERVERS_WITHOUT_TURN: entry<ProblemsEvidence>({
    severity: 'error',
    subject: configurationFile,
    example: {
      file: 'ice-servers.json',
      problems: [
        { kind: 'no-turn', at: '', text: 'none of its URLs is one of a TURN server', instead: null },
      ],
    },
    title: () => 'The application gives its browsers no TURN server',
    cause: () =>
      'STUN alone tells a browser its address. Where two browsers cannot reach each other directly, as behind symmetric NATs and strict firewalls, nothing carries their audio.',
    proof: (e) => `In ${e.file}, ${toldOf(e)}.`,
    fix: () => [
      inApplication(
        "iceServers: [{ urls: ['turn:TURN_SERVER', 'turns:TURN_SERVER?transport=tcp'], username, credential }]",
      ),
      howItShouldBe,
    ],
    explanation:
      'No URL of the list begins with turn: or turns:, so that no browser can gather a relay candidate.',
    confusedWith: ['RELAY_POLICY_NO_TURN: the same in a recording of a call that allows relays alone.'],
    references: ['RFC 8445 §5.1.1', 'W3C webrtc §4.2.2'],
  }),
} as const;
