import { entry, serverName, type ListenerEvidence, exampleListener } from './entry.ts';

const restartCoturn = 'then:  sudo systemctl restart coturn';

interface RelayEvidence extends ListenerEvidence {
  /** The relay address that was handed out, with its port. */
  readonly relayed: string;
  readonly relayedAddress: string;
}

const relayRange = "on the server:  grep -E '^(min|max)-port' /etc/turnserver.conf   (default 49152-65535)";

const exampleRelay = { ...exampleListener, relayed: '203.0.113.10:49160', relayedAddress: '203.0.113.10' };

export const relayCatalog = {
  RELAY_ADDRESS_PRIVATE: entry<RelayEvidence & { scope: string }>({
    severity: 'error',
    example: {
      ...exampleRelay,
      relayed: '172.16.0.10:49341',
      relayedAddress: '172.16.0.10',
      scope: 'a private address',
    },
    title: () => 'The relay address is private',
    cause: (e) =>
      `${e.host} hands out ${e.relayedAddress} (${e.scope}) as its relay; no one outside its own network can reach that.`,
    proof: (e) => `Allocate over ${e.transport} returned ${e.relayed}.`,
    fix: (e) => [`/etc/turnserver.conf:  external-ip=${e.address}/${e.relayedAddress}`, restartCoturn],
    explanation:
      'The server stands behind NAT and does not know its public address. Allocations succeed, a relay candidate appears in ICE, and no media arrives at it.',
    confusedWith: [
      'A server that is meant for one private network: then the address is right, and the probe stands outside.',
    ],
    references: ['RFC 8656 §7.2'],
  }),
  RELAY_ADDRESS_MISMATCH: entry<RelayEvidence>({
    severity: 'error',
    example: { ...exampleRelay, relayed: '198.51.100.7:49341', relayedAddress: '198.51.100.7' },
    title: (e) => `The relay address ${e.relayedAddress} is not reachable`,
    cause: (e) =>
      `${serverName(e)} hands out ${e.relayedAddress} as its relay, and no packet passes there in either direction: external-ip names a wrong or an old address.`,
    proof: (e) => `Allocate returned ${e.relayed}; nothing sent to it arrived, and nothing came from it.`,
    fix: (e) => [`/etc/turnserver.conf:  external-ip=${e.address}`, restartCoturn],
    explanation:
      'The relay address is public, is not the address of the listener, and is dead in both directions.',
    confusedWith: ['A server with several public addresses: there the relay answers.'],
    references: ['RFC 8656 §7.2'],
  }),
  RELAY_PORTS_BLOCKED: entry<RelayEvidence>({
    severity: 'error',
    example: exampleRelay,
    title: () => 'The relay ports are blocked',
    cause: (e) =>
      `Packets leave the relay of ${e.host}, but none gets in: a firewall drops UDP to its relay ports. Allocations work, calls are silent.`,
    proof: (e) => `What was sent to ${e.relayed} never came through; what the relay sent did arrive.`,
    fix: () => [
      relayRange,
      'on the server:  sudo ufw allow 49152:65535/udp   (the same range)',
      "and in the provider's firewall: UDP of that range inbound, from anywhere",
    ],
    explanation:
      'A second socket of the probe sent to the relay address, with the permission in place, and the packet was not relayed; the relay could send to that socket.',
    confusedWith: [
      'RELAY_PORTS_STATEFUL_ONLY: there replies pass.',
      "The probe's own firewall: then nothing arrives from the relay either.",
    ],
    references: ['RFC 8656 §11.3'],
  }),
  RELAY_PORTS_STATEFUL_ONLY: entry<RelayEvidence>({
    severity: 'error',
    example: exampleRelay,
    title: () => 'The relay ports take replies only',
    cause: (e) =>
      `A stateful firewall at ${e.host} lets packets into the relay only from peers to which the relay has sent first. Calls connect late, or on one side only, or not at all.`,
    proof: (e) =>
      `A first packet to ${e.relayed} did not come through; after the relay had sent, a reply did.`,
    fix: () => [
      relayRange,
      'on the server:  sudo ufw allow 49152:65535/udp   (the same range)',
      "and in the provider's firewall: UDP of that range inbound, from anywhere",
    ],
    explanation:
      'Inbound first fails, the reply passes: the signature of a firewall rule "established only" over the relay ports.',
    confusedWith: ['RELAY_PORTS_BLOCKED: there replies are dropped too.'],
    references: ['RFC 8656 §11.3'],
  }),
  RELAY_OUTBOUND_BLOCKED: entry<RelayEvidence & { peer: string }>({
    severity: 'error',
    example: { ...exampleRelay, peer: '198.51.100.20:40001' },
    title: () => 'The relay cannot send',
    cause: (e) =>
      `Packets get into the relay of ${e.host}, but none leaves it: a firewall drops what the server sends. Audio is one-way.`,
    proof: (e) => `${e.peer} had just reached ${e.relayed}; what the relay sent back to it did not arrive.`,
    fix: () => ['on the server:  sudo ufw status verbose; sudo nft list ruleset   (chains of hook output)'],
    explanation:
      'The peer socket had opened its own NAT and firewall by sending to the relay address; the answer of the relay to exactly that address did not come.',
    confusedWith: [
      'A symmetric NAT of the client: it does not matter here, as the relay answers to the mapping that it has seen.',
    ],
    references: ['RFC 8656 §11.2'],
  }),
  PEER_DENIED: entry<ListenerEvidence & { peer: string }>({
    severity: 'error',
    example: { ...exampleListener, peer: '198.51.100.20' },
    title: (e) => `${e.host} denies the peer ${e.peer}`,
    cause: (e) =>
      `${serverName(e)} refuses a permission for ${e.peer}, the public address of this client. A denied-peer-ip range covers it; users there cannot be called.`,
    proof: (e) => `CreatePermission for ${e.peer} was refused with 403.`,
    fix: () => [
      "on the server:  grep -nE '^(denied|allowed)-peer-ip' /etc/turnserver.conf",
      'a range that begins at :: or 0.0.0.0 denies all IPv4 in coturn: write first-last ranges',
      restartCoturn,
    ],
    explanation: 'A public address must be allowed as a peer; private ones are rightly denied.',
    confusedWith: ['403 for private candidates of ICE: that is normal and wanted.'],
    references: ['RFC 8656 §9.2'],
  }),
  REQUEST_FAILED: entry<ListenerEvidence & { step: string; seen: string }>({
    severity: 'error',
    example: { ...exampleListener, step: 'a ChannelBind', seen: 'error 400 Bad Request' },
    title: (e) => `${e.host} does not do its part: ${e.step}`,
    cause: (e) => `${serverName(e)} is there and answers other requests, but this one ended with: ${e.seen}.`,
    proof: (e) => `${e.step} over ${e.transport}: ${e.seen}.`,
    fix: () => ['on the server:  sudo journalctl -u coturn -n 50'],
    explanation:
      'One request of a TURN client was refused with an error that is none of the known ones, or was not answered while a new connection was.',
    confusedWith: ['PEER_DENIED (403).', 'SERVER_STOPPED: there a new connection gets no answer either.'],
    references: ['RFC 8656 §8.2', 'RFC 8656 §12.2'],
  }),
  ALLOCATION_NOT_FREED: entry<ListenerEvidence & { lifetimeSeconds: number }>({
    severity: 'warning',
    example: { ...exampleListener, lifetimeSeconds: 600 },
    title: () => 'The allocation was not freed',
    cause: (e) =>
      `${serverName(e)} keeps an allocation for ${e.lifetimeSeconds} s after it was released. Users who reconnect from the same port get 437, and quotas fill up.`,
    proof: (e) => `Refresh with lifetime 0 was answered with lifetime ${e.lifetimeSeconds}.`,
    fix: () => ['on the server:  turnserver --version; a current coturn frees at once'],
    explanation: 'A Refresh with lifetime 0 ends an allocation; the server confirms with lifetime 0.',
    confusedWith: [],
    references: ['RFC 8656 §8.3'],
  }),
  ALTERNATE_UNREACHABLE: entry<ListenerEvidence & { alternate: string; seen: string }>({
    severity: 'error',
    example: { ...exampleListener, alternate: '203.0.113.11:3478', seen: 'no answer within 5 s' },
    title: (e) => `${e.host} sends clients to a server that does not answer`,
    cause: (e) =>
      `${serverName(e)} answers Allocate with 300 Try Alternate and names ${e.alternate}: ${e.seen}.`,
    proof: (e) => `300 Try Alternate to ${e.alternate}; there: ${e.seen}.`,
    fix: (e) => [
      `rtc-ops probe turn:${e.alternate}`,
      "on the server:  grep -nE 'alternate-server' /etc/turnserver.conf",
    ],
    explanation:
      'The redirection was followed, and nothing usable is there. Browsers that follow it get no relay.',
    confusedWith: ['SERVER_UNREACHABLE: the server itself.'],
    references: ['RFC 8489 §10'],
  }),
  VANTAGE_TOO_CLOSE: entry<{ host: string; address: string; vantage: 'same-host' | 'same-network' }>({
    severity: 'info',
    example: { host: 'turn.example.com', address: '203.0.113.10', vantage: 'same-host' },
    title: (e) =>
      e.vantage === 'same-host'
        ? 'Tested from the server itself'
        : 'Tested from inside the network of the server',
    cause: (e) =>
      `${serverName(e)} was reached without crossing ${e.vantage === 'same-host' ? 'any network' : 'its firewall or NAT'}. That it works from here does not prove that it works for users.`,
    proof: (e) =>
      e.vantage === 'same-host'
        ? `${e.address} is an address of this machine.`
        : `${e.address} is in a network of this machine, or this client and the server share a public address.`,
    fix: (e) => [`from another network:  rtc-ops probe ${e.host}`],
    explanation: 'Firewalls, NAT and external-ip of the server are tested only by packets that cross them.',
    confusedWith: [],
    references: [],
  }),
} as const;
