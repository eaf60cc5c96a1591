import { configEntry, exampleFile, exampleLine, inFile, replaced } from './config-place.ts';
import type { LineEvidence, PlaceEvidence } from './config-place.ts';
import { listed } from './entry.ts';

// Fewer are used up by some dozen calls.
const fewestPorts = 1000;

/** Addresses and ports as a configuration gives them. */
export const configAddressCatalog = {
  EXTERNAL_IP_MISSING: configEntry<PlaceEvidence & { relays: readonly string[] }>({
    severity: 'error',
    example: { ...exampleFile, relays: ['172.16.0.10'] },
    title: () => 'The relay will hand out a private address',
    cause: (e) =>
      `${listed(e.relays)} ${e.relays.length === 1 ? 'is the address' : 'are the addresses'} that coturn relays from, and no external-ip names the public one. Nobody outside reaches it.`,
    proof: (e) =>
      `No external-ip in ${e.file}; relay ${e.relays.length === 1 ? 'address' : 'addresses'} ${listed(e.relays)}.`,
    fix: (e) => e.relays.map((relay) => inFile({ ...e, line: null }, `external-ip=PUBLIC/${relay}`)),
    explanation:
      'Behind a NAT (most clouds) a machine does not know its public address, and coturn advertises the address of its interface. A relay for users of one private network alone is right without external-ip.',
    confusedWith: ['RELAY_ADDRESS_PRIVATE: the same, seen from outside on a server that runs.'],
    references: ['RFC 8656 §5', 'coturn README.turnserver'],
  }),
  EXTERNAL_IP_PRIVATE: configEntry<LineEvidence & { value: string; scope: string }>({
    severity: 'error',
    example: { ...exampleLine('external-ip=10.0.0.5'), value: '10.0.0.5', scope: 'private' },
    title: (e) => `external-ip is a ${e.scope} address`,
    cause: (e) =>
      `${e.value} is what clients get as the address of their relay, and no one on the internet reaches it.`,
    fix: () => ['write PUBLIC/PRIVATE: first the address by which the world knows the server'],
    explanation: 'external-ip is the address that stands in relay candidates. It has to be the public one.',
    confusedWith: [
      'RELAY_ADDRESS_PRIVATE: the same, seen from outside on a server that runs.',
      'A server for one private network, whose users are all in it: there it is as it should be.',
    ],
    references: ['RFC 1918', 'coturn README.turnserver'],
  }),
  EXTERNAL_IP_REPEATED: configEntry<LineEvidence & { first: number }>({
    severity: 'error',
    example: { ...exampleLine('external-ip=203.0.113.11'), first: 11 },
    title: () => 'A second external-ip without a private part is ignored',
    cause: (e) => `coturn takes that of line ${e.first}, logs an error and leaves this one out.`,
    fix: () => ['with several addresses write each as PUBLIC/PRIVATE'],
    explanation:
      'In its plain form external-ip counts once, for all relay addresses of its family. The form PUBLIC/PRIVATE may be repeated.',
    confusedWith: [
      'CONFIG_DUPLICATE: there the last line wins; of external-ip in its plain form the first one does.',
    ],
  }),
  EXTERNAL_IP_WITHOUT_PRIVATE: configEntry<LineEvidence & { relay: string; deniedIn: number }>({
    severity: 'error',
    example: {
      ...exampleLine('external-ip=203.0.113.10'),
      relay: '10.0.0.5',
      deniedIn: 20,
      replacement: 'external-ip=203.0.113.10/10.0.0.5',
    },
    title: () => 'Two users of this relay cannot talk to each other',
    cause: (e) =>
      `Line ${e.deniedIn} denies ${e.relay}, the relay's own address behind external-ip: where both sides of a call need the relay, permission is refused with error 403.`,
    fix: (e) => replaced(e, 'write PUBLIC/PRIVATE'),
    explanation:
      'With external-ip=PUBLIC/PRIVATE coturn excepts PRIVATE from the denied ranges by itself. With the plain form a range over it hits the relay.',
    confusedWith: ['OWN_RELAY_DENIED: the same, seen from outside on a server that runs.'],
    references: ['RFC 8656 §9', 'coturn README.turnserver'],
  }),
  RELAY_PORTS_INVERTED: configEntry<LineEvidence & { min: number; max: number }>({
    severity: 'error',
    example: { ...exampleLine('min-port=60000'), min: 60_000, max: 50_000, replacement: 'min-port=50000' },
    title: (e) => `The relay range ${e.min}-${e.max} is upside down`,
    cause: () => 'coturn starts, and crashes at the first allocation (measured on 4.6.1 and 4.17.1).',
    fix: (e) => {
      const [first, last] = e.min - e.max >= fewestPorts ? [e.max, e.min] : [49_152, 65_535];
      const place = { ...e, line: null };
      return ['the lower port first:', inFile(place, `min-port=${first}`), inFile(place, `max-port=${last}`)];
    },
    explanation: 'min-port above max-port is not checked at the start.',
    confusedWith: [
      'RELAY_CAPACITY_EXHAUSTED: there the range is sound and used up.',
      'COTURN_NOT_RUNNING: what is left of it after the first allocation.',
    ],
  }),
  RELAY_PORTS_FEW: configEntry<
    PlaceEvidence & { min: number; max: number; ports: number; users: number | null }
  >({
    severity: 'warning',
    example: { ...exampleLine('max-port=49160'), min: 49_152, max: 49_160, ports: 9, users: 50 },
    title: (e) => `The relay has ${e.ports} ports${e.users === null ? '' : ` for ${e.users} users`}`,
    cause: (e) =>
      `Each allocation takes a port of ${e.min}-${e.max}, and a browser makes two or more for a call. When none is left the next user gets error 508 and no relay.`,
    fix: (e) => [
      inFile({ ...e, line: null }, 'min-port=49152'),
      inFile({ ...e, line: null }, 'max-port=65535'),
      'and open these UDP ports in every firewall',
    ],
    explanation:
      'A browser allocates per server URL, per media line where they are not bundled, and per network interface: count four ports for each user. Unused ports cost nothing.',
    confusedWith: [
      'NO_QUOTAS: there one user can take them all, however many there are.',
      'RELAY_CAPACITY_EXHAUSTED: there they are used up, now.',
    ],
    references: ['RFC 8656 §7.2', 'coturn README.turnserver'],
  }),
  RELAY_PORTS_COLLIDE: configEntry<LineEvidence & { min: number; max: number; ports: readonly number[] }>({
    severity: 'warning',
    example: { ...exampleLine('min-port=1024'), min: 1024, max: 65_535, ports: [3478, 5349] },
    title: (e) => `The relay range ${e.min}-${e.max} takes in other ports`,
    cause: (e) =>
      e.ports.length === 0
        ? 'It begins below 1024, where coturn may not bind once it runs as its own user.'
        : `${listed(e.ports.map(String))} ${e.ports.length === 1 ? 'is' : 'are'} within it: a firewall that opens the range opens them too, and every service that binds there gets in the way.`,
    fix: (e) => [inFile({ ...e, line: null }, 'min-port=49152')],
    explanation:
      'The range of relay ports is opened to the world. It should hold nothing else: 49152-65535 is the range that is registered for such use (RFC 6335 §6).',
    confusedWith: ['LISTENING_PORTS_OVERLAP: there two listeners have one port, the relay aside.'],
    references: ['RFC 6335 §6', 'RFC 8656 §7.2'],
  }),
  LISTENING_PORTS_OVERLAP: configEntry<LineEvidence & { port: number; with: string }>({
    severity: 'error',
    example: { ...exampleLine('tls-listening-port=3478'), port: 3478, with: 'listening-port' },
    title: (e) => `${e.option} and ${e.with} share port ${e.port}`,
    cause: () =>
      'Both bind it, as coturn lets the kernel share a port, and each connection goes to one of the two by chance.',
    fix: () => ['give each a port of its own; 3478 and 5349 are the usual ones'],
    explanation:
      'coturn binds with SO_REUSEPORT, so that the second bind succeeds and nothing is logged. A listener for TLS and one for plain TCP each understand both; anything else beside them does not.',
    confusedWith: ['TWO_SERVERS_ANSWER: what it looks like from outside; two daemons on one port do, too.'],
    references: ['RFC 8656 §5', 'coturn README.turnserver'],
  }),
  PORT_NEEDS_PRIVILEGE: configEntry<LineEvidence & { port: number; user: string; unit: string }>({
    severity: 'error',
    example: {
      ...exampleLine('tls-listening-port=443'),
      port: 443,
      user: 'turnserver',
      unit: 'coturn.service',
    },
    title: (e) => `coturn may not open port ${e.port}`,
    cause: (e) =>
      `${e.unit} starts it as ${e.user}, without the capability for ports below 1024. It stays up and tries again and again; nothing listens there.`,
    proof: (e) => `The unit ${e.unit} has User=${e.user} and no AmbientCapabilities=CAP_NET_BIND_SERVICE.`,
    fix: () => [
      'on the server:  sudo mkdir -p /etc/systemd/system/coturn.service.d',
      "on the server:  printf '[Service]\\nAmbientCapabilities=CAP_NET_BIND_SERVICE\\n' | sudo tee /etc/systemd/system/coturn.service.d/ports.conf",
      'on the server:  sudo systemctl daemon-reload',
      'on the server:  sudo systemctl restart coturn',
    ],
    explanation:
      'Ports below 1024 need CAP_NET_BIND_SERVICE. The unit of Debian starts coturn as its own user without it.',
    confusedWith: [
      'LISTENER_MISSING: what is seen of it on a server that runs, whatever the reason.',
      'A port that another program has: coturn logs errno=98 then, and not 13.',
    ],
    references: ['coturn README.turnserver'],
  }),
} as const;
