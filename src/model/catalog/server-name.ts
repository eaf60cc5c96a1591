import { familyOf } from '../endpoint.ts';
import { server } from '../subject.ts';
import { fault, here, inConfig, listed, restart, serverName } from './entry.ts';

interface NameEvidence {
  readonly host: string;
  /** What the name leads to. */
  readonly address: string;
}

const example: NameEvidence = { host: 'turn.example.com', address: '198.51.100.7' };

const recordOf = (address: string): string => (familyOf(address) === 6 ? 'AAAA' : 'A');

/** What a look from both ends shows of the name that clients dial. */
export const serverNameCatalog = {
  NAME_LEADS_ELSEWHERE: fault<NameEvidence & { own: readonly string[]; seenBy: string }>()({
    severity: 'error',
    subject: server,
    cell: 'elsewhere',
    headline: 'clients are sent to another machine',
    causes: [],
    example: { ...example, own: ['203.0.113.10'], seenBy: 'admin@203.0.113.10' },
    title: (e) => `${e.host} leads to ${e.address}, which is not this server`,
    cause: (e) =>
      `The server has ${listed(e.own)}, and its name has ${e.address}: an old address, or that of a CDN or a web server, which pass on no TURN. Clients never get to coturn.`,
    proof: (e) =>
      `${e.host} resolves to ${e.address} here; ${e.seenBy} has no such address, and a capture there has no packet of what was sent to it.`,
    fix: (e) => [
      `give ${e.host} the ${recordOf(e.address)} record ${listed(e.own)}; with a CDN, DNS only, without its proxy`,
      here(`getent ahosts ${e.host}`),
    ],
    explanation:
      'The name that clients dial was looked up where the probe runs. It leads to an address that no interface of the server has, nothing there answered as a TURN server, and nothing of the probe came to the server.',
    confusedWith: [
      'LOST_BEFORE_HOST: there the address is that of the server.',
      'A server behind NAT: there its interfaces have private addresses, and packets arrive.',
    ],
    references: ['RFC 8489 §8', 'RFC 5928 §3'],
  }),
  ADDRESS_NOT_SERVED: fault<NameEvidence & { listening: readonly string[] }>()({
    severity: 'error',
    subject: server,
    cell: 'refused',
    headline: null,
    causes: [],
    example: { host: 'turn.example.com', address: '2001:db8::10', listening: ['203.0.113.10'] },
    title: (e) => `coturn does not listen on ${e.address}, to which ${e.host} leads`,
    cause: (e) =>
      `${serverName(e)} is an address of the server, and coturn listens on ${listed(e.listening)} alone. Clients that try that address first wait, or fail; those that have no other way get nothing.`,
    proof: (e) =>
      `The sockets of coturn on the server are at ${listed(e.listening)}; nothing answers at ${e.address}.`,
    fix: (e) => [
      inConfig(`listening-ip=${e.address}`),
      inConfig(`relay-ip=${e.address}`),
      restart,
      `or take the ${recordOf(e.address)} record of ${e.host} away`,
    ],
    explanation:
      'The name that clients dial has this address, the server has it too, and no socket of coturn is bound to it. Often the name has an IPv6 address, and the configuration knows IPv4 alone.',
    confusedWith: ['LISTENER_MISSING: there coturn listens on no address.'],
    references: ['RFC 8656 §2.1', 'RFC 8305 §1', 'coturn README.turnserver'],
  }),
} as const;
