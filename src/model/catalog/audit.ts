import { advisoriesAsOf } from '../advisory.ts';
import { server } from '../subject.ts';
import { configAccessCatalog } from './config-access.ts';
import { configExposureCatalog } from './config-exposure.ts';
import { configTlsCatalog } from './config-tls.ts';
import type { PlaceEvidence } from './config-place.ts';
import { rangesAround } from './denied-range.ts';
import {
  exampleTls,
  inConfig,
  listed,
  listenerKeys,
  listenerName,
  onServer,
  restart,
  serverName,
  type CatalogEntry,
  type ListenerEvidence,
} from './entry.ts';

/** A server at one of its addresses. */
interface ServerEvidence {
  readonly host: string;
  readonly address: string;
}

interface PeersEvidence extends ServerEvidence {
  /** The peers for which it granted a permission. */
  readonly allowed: readonly string[];
  /** Their IPv6 spellings that are allowed as well. */
  readonly alsoAs: readonly string[];
  /** The URIs of the listeners through which. */
  readonly through: readonly string[];
}

interface VersionEvidence extends ServerEvidence {
  readonly version: string;
  readonly advisories: readonly string[];
  readonly fixedIn: string;
  readonly date: string;
  /** Those with that number that are known here. */
  readonly packages: readonly {
    readonly packaged: string;
    readonly distribution: string;
    readonly made: string;
    readonly closed: readonly string[];
  }[];
}

const examplePackage: VersionEvidence['packages'][number] = {
  packaged: '4.6.1-1',
  distribution: 'Debian 12',
  made: '2023-02',
  closed: [],
};

interface QuotaEvidence extends ServerEvidence {
  readonly granted: number;
  /** What ended it; null where nothing did. */
  readonly refusedWith: number | null;
}

const exampleServer: ServerEvidence = { host: 'turn.example.com', address: '203.0.113.10' };
const examplePeers: Omit<PeersEvidence, 'allowed'> = {
  ...exampleServer,
  alsoAs: [],
  through: ['turn:turn.example.com:3478'],
};

type SeenWords<E> = Omit<
  CatalogEntry<E>,
  'subject' | 'explanation' | 'confusedWith' | 'references' | 'severity'
> &
  Partial<Pick<CatalogEntry<E>, 'distinctBy' | 'confusedWith'>> & {
    /** For `explain`: how it is seen on a server, in a sentence. */
    readonly provenBy: string;
  };

/**
 * What can stand in a configuration file and be seen on a server that runs: one code for both, each with its own
 * evidence, proof and fix.
 */
function alsoSeen<F extends { readonly file: string }, S extends ServerEvidence>(
  inFile: CatalogEntry<F>,
  seen: SeenWords<S>,
): CatalogEntry<F | S> {
  const isOfFile = (e: F | S): e is F => 'file' in e;
  return {
    severity: inFile.severity,
    subject: (e) => (isOfFile(e) ? inFile.subject(e) : server(e)),
    // A file has a fault once, unless its own entry says otherwise; so has a server.
    ...(inFile.distinctBy === undefined && seen.distinctBy === undefined
      ? {}
      : { distinctBy: [...(inFile.distinctBy ?? []), ...(seen.distinctBy ?? [])] as never }),
    example: inFile.example,
    otherExample: seen.example,
    title: (e) => (isOfFile(e) ? inFile.title(e) : seen.title(e)),
    cause: (e) => (isOfFile(e) ? inFile.cause(e) : seen.cause(e)),
    proof: (e) => (isOfFile(e) ? inFile.proof(e) : seen.proof(e)),
    fix: (e) => (isOfFile(e) ? inFile.fix(e) : seen.fix(e)),
    explanation: `${inFile.explanation} ${seen.provenBy}`,
    confusedWith: [...inFile.confusedWith, ...(seen.confusedWith ?? [])],
    references: inFile.references,
  };
}

const provenByPermission =
  'On a server that runs, an audit asks for a permission for such addresses (CreatePermission), which sends nothing to them.';
const notSent = [
  'A server that grants every permission and drops what is sent to such a peer: nothing tells it from outside.',
];

const permissionProof = (e: Omit<PeersEvidence, 'alsoAs'>): string =>
  `${serverName(e)} granted a permission for ${listed(e.allowed)} (CreatePermission through ${listed(e.through)}, which sends nothing there).`;

function denied(...ranges: readonly string[]): readonly string[] {
  return [...ranges.map((range) => inConfig(`denied-peer-ip=${range}`)), restart];
}

/** What `audit` sees on a server and `lint` in its file. */
export const seenCatalog = {
  LOOPBACK_PEERS_ALLOWED: alsoSeen(configAccessCatalog.LOOPBACK_PEERS_ALLOWED, {
    provenBy: provenByPermission,
    confusedWith: notSent,
    example: { ...examplePeers, allowed: ['127.0.0.1', '::1'] },
    title: () => 'The server itself is allowed as a peer',
    cause: (e: PeersEvidence) =>
      `${listed(e.allowed)} ${e.allowed.length === 1 ? 'is' : 'are'} allowed as peers: every service that listens on loopback there can be sent to.`,
    proof: permissionProof,
    fix: (e) => [
      onServer("sudo sed -i '/^allow-loopback-peers/d' /etc/turnserver.conf"),
      ...denied(...rangesAround([...e.allowed, ...e.alsoAs])),
    ],
  }),
  PRIVATE_PEERS_ALLOWED: alsoSeen(configAccessCatalog.PRIVATE_PEERS_ALLOWED, {
    provenBy: provenByPermission,
    confusedWith: notSent,
    example: { ...examplePeers, allowed: ['10.0.0.1', '192.168.0.1'] },
    title: () => 'Private networks are allowed as peers',
    cause: (e: PeersEvidence) =>
      `${listed(e.allowed)} ${e.allowed.length === 1 ? 'is' : 'are'} allowed as peers: a user sends to whatever is there beside the server.`,
    proof: permissionProof,
    fix: (e) => denied(...rangesAround([...e.allowed, ...e.alsoAs])),
  }),
  METADATA_PEER_ALLOWED: alsoSeen(configAccessCatalog.METADATA_PEER_ALLOWED, {
    provenBy: provenByPermission,
    confusedWith: notSent,
    example: { ...examplePeers, allowed: ['169.254.169.254'] },
    title: () => 'Link-local and metadata addresses are allowed as peers',
    cause: (e: PeersEvidence) =>
      `${listed(e.allowed)} ${e.allowed.length === 1 ? 'is' : 'are'} allowed as peers. A cloud gives its machines their keys and passwords at such an address.`,
    proof: permissionProof,
    fix: (e) => denied(...rangesAround([...e.allowed, ...e.alsoAs])),
  }),
  MULTICAST_PEERS_ALLOWED: alsoSeen(configAccessCatalog.MULTICAST_PEERS_ALLOWED, {
    provenBy: provenByPermission,
    confusedWith: notSent,
    example: { ...examplePeers, allowed: ['224.0.0.1'] },
    title: () => 'Multicast groups are allowed as peers',
    cause: (e: PeersEvidence) =>
      `${listed(e.allowed)} ${e.allowed.length === 1 ? 'is' : 'are'} allowed: one packet of a user becomes one for every machine of the group in the network of the server.`,
    proof: permissionProof,
    fix: (e) => [inConfig('no-multicast-peers'), ...denied(...rangesAround([...e.allowed, ...e.alsoAs]))],
  }),
  MAPPED_IPV6_BYPASS: alsoSeen(configAccessCatalog.MAPPED_IPV6_BYPASS, {
    provenBy: provenByPermission,
    confusedWith: notSent,
    example: {
      ...exampleServer,
      through: ['turn:turn.example.com:3478'],
      allowed: ['::ffff:10.0.0.1'],
      denied: ['10.0.0.1'],
    },
    title: () => 'Denied IPv4 addresses are allowed by their IPv6 names',
    cause: (e: Omit<PeersEvidence, 'alsoAs'> & { denied: readonly string[] }) =>
      `${listed(e.denied)} ${e.denied.length === 1 ? 'is' : 'are'} refused, and ${listed(e.allowed)} ${e.allowed.length === 1 ? 'is' : 'are'} not, which ${e.allowed.length === 1 ? 'names the same host' : 'name the same hosts'}${e.allowed.some(isTranslated) ? ', those with 64:ff9b and 2002 where the network of the server translates them' : ''}.`,
    proof: permissionProof,
    fix: (e) => [
      ...denied(...rangesAround(e.allowed)),
      'or run coturn 4.13.1 or newer, which takes them for what they are',
    ],
  }),
  TCP_RELAY_ENABLED: alsoSeen(configAccessCatalog.TCP_RELAY_ENABLED, {
    provenBy:
      'On a server that runs, an audit asks for an allocation for TCP (REQUESTED-TRANSPORT 6), and frees it; no connection to a peer is asked for.',
    confusedWith: ['TCP between client and server, which firewalls make necessary: turn:HOST?transport=tcp.'],
    example: exampleServer,
    title: () => 'Users may open TCP connections through the relay',
    cause: () =>
      'Relaying to peers over TCP is on. No browser uses it; with it a user reaches web servers and databases in the name of the server.',
    proof: (e: ServerEvidence) => `${serverName(e)} granted an Allocate for TCP (REQUESTED-TRANSPORT 6).`,
    fix: () => [inConfig('no-tcp-relay'), restart],
  }),
  VERSION_EXPOSED: alsoSeen(configExposureCatalog.VERSION_EXPOSED, {
    provenBy: 'On a server that runs, it stands in the SOFTWARE attribute of every answer.',
    confusedWith: ['VERSION_VULNERABLE: that the version has holes, told or not.'],
    distinctBy: ['software'],
    example: { ...exampleServer, software: "Coturn-4.6.1 'Gorst'" },
    title: () => 'coturn tells everyone its version',
    cause: (e: ServerEvidence & { software: string }) =>
      `It calls itself ${e.software} in every answer, which saves an attacker the search and makes answers larger.`,
    proof: (e) => `The SOFTWARE attribute of an answer of ${serverName(e)} is ${e.software}.`,
    fix: () => [inConfig('no-software-attribute'), restart],
  }),
  VERSION_VULNERABLE: alsoSeen(configExposureCatalog.VERSION_VULNERABLE, {
    provenBy: `On a server that runs, an audit goes by what the server calls itself, and cannot see what its package has closed: then it is a note. The list of holes, and of what packages have closed, is of ${advisoriesAsOf}; of a package that is not in it nothing is known.`,
    confusedWith: ['A server in front of the one that counts: each names itself.'],
    distinctBy: ['version'],
    example: {
      ...exampleServer,
      version: '4.6.1',
      advisories: ['CVE-2026-40613'],
      fixedIn: '4.17.0',
      date: '2026-08',
      packages: [examplePackage],
    },
    title: (e: VersionEvidence) =>
      `coturn ${e.version} has ${e.advisories.length === 1 ? 'a known hole' : `${e.advisories.length} known holes`}, unless its package has ${e.advisories.length === 1 ? 'it' : 'them'} closed`,
    cause: (e: VersionEvidence) =>
      `${listed(e.advisories)}, the last of them known since ${e.date}. Which of them the configuration has open cannot be seen from here, nor what package it is.${e.packages.map(packageSentence).join('')}`,
    proof: (e) => `Its answers say ${e.version}; the last fix came with ${e.fixedIn}.`,
    fix: (e) => [
      onServer('dpkg-query --show coturn'),
      onServer('rtc-ops lint'),
      `run coturn ${e.fixedIn} or newer, or a package that has the fixes`,
    ],
  }),
  LEGACY_TLS: alsoSeen(configTlsCatalog.LEGACY_TLS, {
    provenBy:
      'On a server that runs, an audit offers each old version alone, and the server completes its part of the handshake. Silence counts as a refusal only when the same listener answers what clients offer today, before and after.',
    confusedWith: ['WEAK_CIPHERS: the ciphers, whatever the version.'],
    distinctBy: listenerKeys,
    example: { ...exampleTls, versions: ['TLS 1.0'] },
    title: (e) => `${listed(e.versions)} ${e.versions.length === 1 ? 'is' : 'are'} offered`,
    cause: () => 'Both have been deprecated since 2021, and no client of today needs them.',
    proof: (e: ListenerEvidence & { versions: readonly string[] }) =>
      `A handshake that offers ${listed(e.versions)} alone is answered by ${serverName(e)} ${listenerName(e)}.`,
    fix: () => [inConfig('no-tlsv1'), inConfig('no-tlsv1_1'), restart],
  }),
  ADMIN_EXPOSED: alsoSeen(configExposureCatalog.ADMIN_EXPOSED, {
    provenBy:
      'On a server that runs, an audit connects to TCP ports 5766, 9641 and 8080 and asks the TCP and TLS listeners for a page, and knows coturn by what it says. Asked from the server itself it is unknown, as others may be kept out by a firewall.',
    confusedWith: [
      'Another web server on port 8080, or in front of the listener: it does not say that it is coturn.',
    ],
    distinctBy: ['port'],
    example: { ...exampleServer, what: 'the command line of coturn', port: 5766, banner: 'TURN Server' },
    title: (e) => `Others reach ${e.what}`,
    cause: (e: ServerEvidence & { what: string; port: number; banner: string }) =>
      `It answers on TCP port ${e.port} to whoever asks, unencrypted or with a password alone in front of it.`,
    proof: (e) => `${serverName(e)}, TCP port ${e.port}, answered: ${e.banner}.`,
    fix: (e) => [
      ...(adminFixes[e.port] ?? [inConfig('web-admin-ip=127.0.0.1')]),
      restart,
      `and have a firewall keep others from TCP port ${e.port} if it is for nobody else`,
    ],
  }),
  NO_QUOTAS: alsoSeen<PlaceEvidence, QuotaEvidence>(configExposureCatalog.NO_QUOTAS, {
    provenBy:
      'On a server that runs, an audit asks for up to 20 allocations of one user name and frees them. Where they end, a second user name tells whether that is the quota of a user, which is as it should be, or all that the server has.',
    confusedWith: [
      'A quota above 20: the audit stops there, and says so.',
      'QUOTA_TOO_SMALL: a quota that a call of one user exceeds.',
    ],
    example: { ...exampleServer, granted: 20, refusedWith: null },
    title: (e) =>
      e.refusedWith === null
        ? `No quota showed in ${e.granted} allocations of one user`
        : 'One user took all that the server gives',
    cause: (e) =>
      e.refusedWith === null
        ? `One user name got ${e.granted} allocations at once, and a browser needs about four. Its quota is higher than that, or there is none, and one leaked credential takes every port.`
        : `After ${e.granted} allocations of one user nobody gets another one: one leaked credential keeps all users out.`,
    proof: (e) =>
      e.refusedWith === null
        ? `${serverName(e)} granted ${e.granted} of ${e.granted} allocations to one user name; all were freed.`
        : `${serverName(e)} granted ${e.granted} allocations to one user name, and then ${e.refusedWith === 486 ? 'refused one to another user as well (486)' : `had no more (${e.refusedWith})`}; all were freed.`,
    fix: () => [inConfig('user-quota=12'), inConfig('total-quota=1200'), restart],
  }),
} as const;

function packageSentence({
  packaged,
  distribution,
  made,
  closed,
}: VersionEvidence['packages'][number]): string {
  return ` ${packaged} (${distribution}, made in ${made}) has ${closed.length === 0 ? 'none of them closed' : `closed ${listed(closed)}`}.`;
}

const adminFixes: Readonly<Record<number, readonly string[]>> = {
  5766: [inConfig('no-cli')],
  9641: [inConfig('prometheus-address=127.0.0.1')],
};

/** NAT64 and 6to4 need a gateway; a mapped address needs nothing. */
function isTranslated(address: string): boolean {
  return /^(?:64:ff9b|2002):/.test(address);
}
