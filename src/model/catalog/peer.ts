import { scopeOf } from '../endpoint.ts';
import { server } from '../subject.ts';
import {
  exampleListener,
  grepConfig,
  inConfig,
  listed,
  restart,
  serverName,
  type ListenerEvidence,
  fault,
} from './entry.ts';
import { exampleRelay, type RelayEvidence } from './relay.ts';

/** To whom a server relays. */
export const peerCatalog = {
  PEER_DENIED: fault<ListenerEvidence & { peer: string }>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: 'the server lets no relay traffic through to this client',
    causes: [],
    example: { ...exampleListener, peer: '198.51.100.20' },
    title: (e) => `${e.host} denies the peer ${e.peer}`,
    cause: (e) =>
      `${serverName(e)} refuses a permission for ${e.peer}, the public address of this client. A denied-peer-ip range covers it; users there cannot be called.`,
    proof: (e) => `CreatePermission for ${e.peer} over ${e.transport} was refused with 403.`,
    fix: (e) => [
      grepConfig('denied-peer-ip|allowed-peer-ip'),
      'take out the range that covers it (one that begins at :: or 0.0.0.0 covers all IPv4), or make an exception:',
      inConfig(`allowed-peer-ip=${e.peer}`),
      restart,
    ],
    explanation: 'A public address must be allowed as a peer; private ones are rightly denied.',
    confusedWith: ['403 for private candidates of ICE: that is normal and wanted.'],
    references: ['RFC 8656 §9.2'],
  }),
  DENY_LIST_BLOCKS_ALL: fault<ListenerEvidence & { denied: readonly string[] }>()({
    severity: 'error',
    subject: server,
    cell: 'denied',
    headline: 'the server relays to nobody',
    causes: [],
    example: { ...exampleListener, denied: ['198.51.100.20', '1.1.1.1', '8.8.8.8', '9.9.9.9'] },
    title: (e) => `${e.host} denies every peer`,
    cause: (e) =>
      `${serverName(e)} gives allocations, and no permission for any peer that was tried, public ones included. Its denied-peer-ip covers everything, so nothing is relayed to anyone.`,
    proof: (e) =>
      `CreatePermission was refused with 403 for ${listed(e.denied)}. A permission sends nothing to its peer.`,
    fix: () => [
      grepConfig('denied-peer-ip|allowed-peer-ip'),
      'in coturn a range that begins at :: or 0.0.0.0 denies all IPv4: write ranges as FIRST-LAST',
      restart,
    ],
    explanation:
      'Where the address of the client is denied, three public addresses far from each other are asked for too. When all are denied, the list has no gap that could be of use.',
    confusedWith: [
      'A server for one SFU alone: there all but the SFU is denied on purpose, and a probe cannot see that it works.',
      'PEER_DENIED: there other public addresses are allowed.',
    ],
    references: ['RFC 8656 §9.2'],
  }),
  OWN_RELAY_DENIED: fault<RelayEvidence>()({
    severity: 'error',
    subject: server,
    cell: 'denied',
    headline: null,
    // The address that is denied is the private one; external-ip mends both.
    causes: ['RELAY_ADDRESS_PRIVATE', 'DENY_LIST_BLOCKS_ALL'],
    example: exampleRelay,
    title: (e) => `${e.host} denies its own relay address as a peer`,
    cause: (e) =>
      `${serverName(e)} gives no permission for ${e.relayedAddress}, its own relay address. A denied-peer-ip range covers it; when both sides of a call use the relay, they do not reach each other.`,
    proof: (e) =>
      `CreatePermission for the relay address ${e.relayed} of the other peer was refused with 403.`,
    fix: (e) => [
      ...(scopeOf(e.relayedAddress) === 'global'
        ? []
        : ['where external-ip is set, write it as PUBLIC/PRIVATE: that allows both']),
      inConfig(`allowed-peer-ip=${e.relayedAddress}`),
      restart,
    ],
    explanation:
      'Two peers behind hard NATs both use the relay, and each sends to the relay address of the other. coturn lets nothing to an address that a denied-peer-ip range covers and no allowed-peer-ip excepts.',
    confusedWith: ['PEER_DENIED: there it is the address of a client.'],
    references: ['RFC 8656 §9.2'],
  }),
} as const;
