import {
  callEntry,
  exampleCall,
  inApplication,
  probeServer,
  seconds,
  type CallEvidence,
} from './analysis-entry.ts';
import { inConfig, listed, restart } from './entry.ts';

interface ServerEvidence extends CallEvidence {
  readonly url: string;
}

const exampleServer: ServerEvidence = { ...exampleCall, url: 'turn:turn.example.com:3478' };
const exampleFailure = {
  ...exampleCall,
  state: 'failed',
  local: ['host', 'srflx'],
  remote: ['host'],
} as const;

/** What the log of the server or a capture beside it says of it, a sentence without its full stop; null without one. */
interface SeenAtServer {
  readonly server: string | null;
}

function seenText({ server }: SeenAtServer): string {
  return server === null ? '' : ` On the side of the server: ${server}.`;
}

interface FailureEvidence extends CallEvidence {
  /** The state in which ICE ended. */
  readonly state: string;
  /** The types of the candidates of each side. */
  readonly local: readonly string[];
  readonly remote: readonly string[];
}

function iceProof(e: FailureEvidence): string {
  return `ICE ended ${e.state}; local candidates: ${listed(e.local) || 'none'}, remote ones: ${listed(e.remote) || 'none'}.`;
}

const turnUrls =
  "{ urls: ['turn:TURN_SERVER:3478', 'turns:TURN_SERVER:443?transport=tcp'], username, credential }";

/** ICE and DTLS: why no path was found, or did not hold. */
export const analysisConnectivityCatalog = {
  RELAY_POLICY_NO_TURN: callEntry<CallEvidence>({
    severity: 'error',
    example: exampleCall,
    title: () => 'Only relays are allowed, and no TURN server is configured',
    cause: () => "With iceTransportPolicy 'relay' and no TURN server there can be no candidate at all.",
    proof: (e) =>
      `The configuration of connection ${e.connection} has the policy and no turn: or turns: URL.`,
    fix: () => [inApplication(`iceServers: [${turnUrls}]`)],
    explanation: 'The policy drops every candidate but relays, and relays come from TURN servers alone.',
    confusedWith: ['RELAY_NOT_GATHERED: there a TURN server is configured, and gave no relay.'],
    references: ['RFC 8828 §5.2', 'RFC 8829 §4.1.1'],
  }),
  ICE_URL_INVALID: callEntry<ServerEvidence & { problem: string }>({
    severity: 'error',
    example: { ...exampleServer, url: 'turn:<your-server>', problem: 'it is a placeholder' },
    title: () => 'The URL of an ICE server is no real one',
    cause: (e) => `${e.url}: ${e.problem}.`,
    proof: (e) => `The configuration of connection ${e.connection} has it.`,
    fix: () => [inApplication(`iceServers: [${turnUrls}]`)],
    explanation:
      'A template whose value was never put in, or a spelling that RFC 7064 and RFC 7065 do not know.',
    confusedWith: [
      'RELAY_NOT_GATHERED: there the URL is sound, and the server did not answer.',
      'DNS_NOT_FOUND: there it is a name that does not resolve.',
    ],
    references: ['RFC 7064', 'RFC 7065'],
  }),
  TURN_AUTH_FAILED: callEntry<
    ServerEvidence & SeenAtServer & { username: string; expiredForMs: number | null; code: number }
  >({
    severity: 'error',
    example: {
      ...exampleServer,
      ...{ username: '1795260000:alice', expiredForMs: 6_000_000, code: 401, server: null },
    },
    title: () => 'The TURN server refused the credentials',
    cause: (e) =>
      e.expiredForMs === null
        ? 'User name, password or realm are not those that the server expects.'
        : `The user name tells its own end, which was ${seconds(e.expiredForMs)} past: the credential had expired.`,
    proof: (e) =>
      `${e.url} answered ${e.code}${e.username === '' ? '' : ` to ${e.username}`}, and gave no relay address.${seenText(e)}`,
    fix: () => [
      'here:  rtc-ops credentials check USERNAME PASSWORD --secret-file FILE',
      'give the server and what issues credentials the same secret, and clocks that agree',
    ],
    explanation:
      'The first answer of a TURN server is always 401, a challenge that a browser answers by itself. It tells of an error when the answer to that is refused as well.',
    confusedWith: ['TURN_QUOTA: the credentials are right, and the server has no room.'],
    references: ['RFC 8489 §9.2.4', 'W3C webrtc §4.8.1.3'],
  }),
  TURN_UNREACHABLE: callEntry<ServerEvidence & SeenAtServer & { text: string; count: number }>({
    severity: 'error',
    example: { ...exampleServer, text: 'TURN allocate request timed out.', count: 2, server: null },
    title: () => 'The TURN server did not answer',
    cause: () => 'A firewall on the way, a wrong host or port, or a server that does not run.',
    proof: (e) =>
      (e.count === 0
        ? `${e.url} gave no relay address and no error: ${e.text}.`
        : `The browser tells error 701 of ${e.url}${e.text === '' ? '' : ` (“${e.text}”)`}, and got no relay address from it.`) +
      seenText(e),
    fix: (e) => [
      `here:  rtc-ops probe ${/^turns?:[^\s'"`$\\;&|<>]+$/.test(e.url) ? `'${e.url}'` : 'TURN_SERVER'}`,
      'open 3478 over udp and tcp, and 443 over tls',
    ],
    explanation:
      'Code 701 is no answer of a server but the browser that says that none came. It is normal for single interfaces (IPv6, VPN); here no interface got through.',
    confusedWith: ['TURN_AUTH_FAILED: the server answers, and refuses.'],
    references: ['W3C webrtc §4.8.1.3'],
  }),
  TURN_QUOTA: callEntry<ServerEvidence & SeenAtServer & { code: number }>({
    severity: 'error',
    example: { ...exampleServer, code: 486, server: null },
    title: () => 'The TURN server had no room for another relay',
    cause: (e) =>
      e.code === 486
        ? 'The user has as many allocations as the quota allows.'
        : 'No relay port or no bandwidth was left.',
    proof: (e) => `${e.url} answered ${e.code}.${seenText(e)}`,
    fix: () => [inConfig('user-quota=12'), inConfig('total-quota=1200'), restart],
    explanation: '486 is a quota (user-quota, total-quota), 508 is capacity (min-port to max-port).',
    confusedWith: [
      'QUOTA_REACHED, RELAY_CAPACITY_EXHAUSTED: the same, as a probe meets it.',
      'Refused credentials: those are 401, and no room helps.',
    ],
    references: ['RFC 8656 §7.4'],
  }),
  TURN_NOT_CONFIGURED: callEntry<CallEvidence>({
    severity: 'warning',
    example: exampleCall,
    title: () => 'The application knows no TURN server',
    cause: () => 'Users behind a firewall or a strict NAT cannot be reached without a relay.',
    proof: (e) => `The configuration of connection ${e.connection} has no turn: or turns: URL.`,
    fix: () => [inApplication(`iceServers: [${turnUrls}]`)],
    explanation:
      'About one call in ten needs a relay. A server with a public address (an SFU) can do without.',
    confusedWith: ['RELAY_NOT_GATHERED: there one is configured, and gave nothing.'],
    references: ['RFC 8827 §6.2'],
  }),
  RELAY_NOT_GATHERED: callEntry<ServerEvidence & { because: string }>({
    severity: 'warning',
    example: { ...exampleServer, because: 'the server did not answer' },
    title: () => 'TURN is configured, and gave no relay candidate',
    cause: (e) => `No relay was there to fall back on: ${e.because}.`,
    proof: () => 'Gathering came to its end, and no local candidate is of type relay.',
    fix: () => [probeServer],
    explanation: 'Without a relay candidate of either side a call works only where a direct path does.',
    confusedWith: [
      'TURN_NOT_CONFIGURED: there the application knows none.',
      'TURN_QUOTA: there the server said why.',
    ],
    references: ['RFC 8445 §5.1.1'],
  }),
  RELAY_ADDR_PRIVATE: callEntry<CallEvidence & { address: string; side: 'local' | 'remote'; scope: string }>({
    severity: 'error',
    example: { ...exampleCall, address: '172.16.0.10', side: 'local', scope: 'private' },
    title: () => 'The TURN server hands out an address that no one outside can reach',
    cause: (e) =>
      `The ${e.side} relay candidate is ${e.address}, a ${e.scope} address: the server does not know its public one.`,
    proof: (e) => `The candidates of connection ${e.connection}.`,
    fix: (e) => [inConfig(`external-ip=PUBLIC_ADDRESS/${e.address}`), restart, probeServer],
    explanation:
      'Behind a NAT, as in most clouds, coturn sees its private address alone and needs external-ip.',
    confusedWith: ['A server in the same private network as both callers: there it is right.'],
    references: ['coturn README.turnserver'],
  }),
  NO_UDP_CANDIDATES: callEntry<CallEvidence & { count: number }>({
    severity: 'error',
    example: { ...exampleCall, count: 2 },
    title: () => 'The browser may not use UDP',
    cause: () => 'An extension, a policy or a proxy keeps it from UDP; ICE has nothing to try.',
    proof: (e) =>
      e.count === 0
        ? 'Gathering came to its end without a single candidate.'
        : `All ${e.count} local candidates are of TCP.`,
    fix: () => [
      'look for privacy extensions, a VPN, and the policies WebRtcIPHandling and WebRtcUdpPortRange',
      inApplication("iceServers: [{ urls: 'turns:TURN_SERVER:443?transport=tcp', username, credential }]"),
    ],
    explanation:
      'With the handling policy disable_non_proxied_udp a browser gathers TCP candidates alone (RFC 8828 §5.2, mode 4).',
    confusedWith: ['UDP_BLOCKED_HERE: there the browser tries UDP, and the network drops it.'],
    references: ['RFC 8828 §5.2'],
  }),
  NO_REMOTE_CANDIDATES: callEntry<CallEvidence>({
    severity: 'error',
    example: exampleCall,
    title: () => 'No candidate of the other side ever arrived',
    cause: () => 'Its candidates were lost in signaling, or came before the description and were dropped.',
    proof: (e) =>
      `The remote description of connection ${e.connection} has none, and addIceCandidate was never called.`,
    fix: () => [
      'keep candidates that come before setRemoteDescription, and add them afterwards',
      'a server has to announce its public address (mediasoup: announcedAddress)',
    ],
    explanation: 'With trickle ICE candidates travel one by one, beside the description (RFC 8838).',
    confusedWith: ['REMOTE_UNREACHABLE_ADDR, MDNS_ONLY: there some came, and lead nowhere.'],
    references: ['RFC 8838 §11'],
  }),
  REMOTE_UNREACHABLE_ADDR: callEntry<CallEvidence & { addresses: readonly string[]; isCertain: boolean }>({
    severity: 'error',
    example: { ...exampleCall, addresses: ['127.0.0.1'], isCertain: true },
    title: () => 'The other side gives only addresses that cannot be reached from here',
    cause: (e) =>
      e.isCertain
        ? 'They mean the machine itself, or nothing: the other side does not know its public address.'
        : 'They are private, and this side is in another network; there is no relay to bridge them.',
    proof: (e) => `All remote candidates: ${listed(e.addresses)}.`,
    fix: () => [
      'tell the server its public address (announcedAddress, nat_1_1_mapping), or give both sides TURN',
    ],
    explanation:
      'Loopback, link-local and unspecified addresses never lead elsewhere; private ones only within one network.',
    confusedWith: [
      'MDNS_ONLY: there they are names in place of addresses.',
      'Two in one network: private addresses reach each other there.',
    ],
    references: ['RFC 1918', 'RFC 8445 §5.1.1'],
  }),
  MDNS_ONLY: callEntry<FailureEvidence & { side: 'local' | 'remote' }>({
    severity: 'error',
    example: { ...exampleFailure, side: 'remote', remote: ['host'] },
    title: () => 'One side has only names that are known in its own network',
    cause: (e) =>
      `All ${e.side} candidates are mDNS names (.local); beyond one network, and in many Wi-Fis, they lead nowhere.`,
    proof: iceProof,
    fix: () => [
      inApplication(`iceServers: [${turnUrls}]`),
      'ask for the microphone before the call: addresses are shown after that',
    ],
    explanation:
      'Browsers hide private addresses behind random names until the user has allowed the microphone (RFC 8828).',
    confusedWith: [
      'REMOTE_UNREACHABLE_ADDR: there they are addresses, of no use here.',
      'mDNS names beside candidates of a relay or with a public address: those are normal.',
    ],
    references: ['draft-ietf-mmusic-mdns-ice-candidates'],
  }),
  ICE_FAILED_NO_RELAY: callEntry<FailureEvidence & { hint: string }>({
    severity: 'error',
    example: { ...exampleFailure, hint: '' },
    title: () => 'No direct path was found, and there was no relay',
    cause: (e) =>
      `A NAT or a firewall between the two lets nothing through, and neither side had a relay.${e.hint === '' ? '' : ` ${e.hint}`}`,
    proof: iceProof,
    fix: () => [
      'run a TURN server that serves udp, tcp and tls; rtc-ops render makes its configuration',
      inApplication(`iceServers: [${turnUrls}]`),
    ],
    explanation: 'ICE tried every pair of candidates, and none got an answer. A relay is what is left.',
    confusedWith: [
      'ICE_FAILED_WITH_RELAY: there a relay was there, and did not help.',
      'TURN_NOT_CONFIGURED: what is behind it, mostly.',
    ],
    references: ['RFC 8445 §6'],
  }),
  ICE_FAILED_WITH_RELAY: callEntry<FailureEvidence & { because: string }>({
    severity: 'error',
    example: {
      ...exampleFailure,
      local: ['host', 'relay'],
      because: 'no check of the other side ever arrived',
    },
    title: () => 'No path was found, although there was a relay',
    cause: (e) => `Even through the relay no check was answered: ${e.because}.`,
    proof: iceProof,
    fix: () => [
      probeServer,
      'open the relay ports of the TURN server (49152 to 65535 over udp) in its firewall',
    ],
    explanation:
      'A relay that is there and does not help is one whose ports are closed, that gives a wrong address, or that refuses the peer; or the other side never got the candidates.',
    confusedWith: [
      'ICE_FAILED_NO_RELAY: there the call had none.',
      'CONNECTION_LOST: there a path was found first.',
    ],
    references: ['RFC 8445 §6', 'RFC 8656 §9'],
  }),
  TURN_PERMISSION_DENIED: callEntry<FailureEvidence & { peers: readonly string[]; server: string }>({
    severity: 'error',
    example: {
      ...exampleFailure,
      ...{ local: ['relay'], remote: ['relay'], peers: ['203.0.113.10'] },
      server:
        'coturn answered 4 requests for a permission with 403, session 001000000000000001 in turnserver.log',
    },
    title: () => 'The TURN server forbids the address of the other side',
    cause: (e) =>
      `The relay may not send to ${listed(e.peers) || 'any address of the other side'}, and no other path was left.`,
    proof: (e) => `${iceProof(e)} On the side of the server: ${e.server}.`,
    fix: (e) => [
      inConfig(`allowed-peer-ip=${e.peers[0] ?? 'PEER_ADDRESS'}`),
      restart,
      'where it is the relay address of the server itself: set external-ip=PUBLIC/PRIVATE, which allows it',
    ],
    explanation:
      'denied-peer-ip keeps a relay out of networks that are none of its business. Where two callers use relays of one server, each is a peer of the other, and the address of the server must not be denied.',
    confusedWith: [
      'RELAY_ADDR_PRIVATE: the address is wrong, and is often denied as well.',
      'A 403 for private host candidates of the other side, which is as it should be.',
    ],
    references: ['RFC 8656 §9', 'coturn README.turnserver'],
  }),
  TURN_RELAY_SILENT: callEntry<FailureEvidence & { packets: number; server: string }>({
    severity: 'error',
    example: {
      ...exampleFailure,
      ...{ local: ['relay'], remote: ['relay'], packets: 42 },
      server: '42 packets went to peers and none came back, session 001000000000000001 in turnserver.log',
    },
    title: () => 'The relay sent to the other side, and nothing came back',
    cause: () =>
      'A firewall keeps packets from the relay ports of the server, or the other side is not where its candidates say.',
    proof: (e) => `${iceProof(e)} On the side of the server: ${e.server}.`,
    fix: () => [
      'on the server and in the firewall of its cloud: open min-port to max-port over udp (49152 to 65535)',
      probeServer,
    ],
    explanation:
      'The client reached its relay and got permissions, so what is missing is behind the relay: packets of peers come to the relay ports and not to 3478.',
    confusedWith: ['TURN_PERMISSION_DENIED: the server does not send at all.'],
    references: ['RFC 8656 §3'],
  }),
  ICE_NEVER_STARTED: callEntry<FailureEvidence & { families: Readonly<Record<'local' | 'remote', string>> }>({
    severity: 'error',
    example: { ...exampleFailure, state: 'new', families: { local: 'IPv4', remote: 'IPv6' } },
    title: () => 'ICE never began to check',
    cause: ({ families: { local, remote } }) =>
      local !== '' && remote !== '' && local !== remote
        ? `No pair of candidates could be made: this side has ${local}, the other ${remote}.`
        : 'No pair of candidates could be made: one side has none, or they are of different families.',
    proof: iceProof,
    fix: () => ['look at the candidates of both sides: each needs one of the same family (IPv4 or IPv6)'],
    explanation: 'The descriptions are exchanged, gathering is done, and ICE stays new.',
    confusedWith: [
      'SIGNALING_STUCK: there the answer is missing.',
      'NO_REMOTE_CANDIDATES: there ICE waits for the other side.',
    ],
    references: ['RFC 8445 §6.1.2'],
  }),
  CONNECTION_LOST: callEntry<
    CallEvidence & { state: string; afterMs: number; forMs: number | null; path: string; hint: string }
  >({
    severity: 'error',
    example: {
      ...exampleCall,
      state: 'failed',
      afterMs: 183_000,
      forMs: null,
      path: 'srflx to host over udp',
      hint: '',
    },
    title: (e) =>
      e.forMs === null ? 'The connection was up, and then its path died' : 'The connection was interrupted',
    cause: (e) =>
      `${e.forMs === null ? 'It did not come back' : `It came back after ${seconds(e.forMs)}`}.${e.hint === '' ? ' A change of network, a NAT that forgot, or a server that was restarted.' : ` ${e.hint}`}`,
    proof: (e) =>
      `${e.state} ${seconds(e.afterMs)} after it had connected${e.path === '' ? '' : `, over ${e.path}`}.`,
    fix: () => [inApplication("if (pc.iceConnectionState === 'failed') pc.restartIce()")],
    explanation:
      'A browser sends checks over the path for as long as the call lasts; without answers it is disconnected after some 5 s and failed after some 15 s more.',
    confusedWith: [
      'TURN_ALLOC_EXPIRED: there the relay was given up by its server.',
      'TRACK_ENDED: there the path is up, and its sound is gone.',
      'Somebody who hung up: then the connection was closed, and is not failed.',
    ],
    references: ['RFC 7675 §5.1'],
  }),
  TURN_ALLOC_EXPIRED: callEntry<CallEvidence & SeenAtServer & { afterMs: number }>({
    severity: 'error',
    example: { ...exampleCall, afterMs: 601_000, server: null },
    title: () => 'The relay was given up in the middle of the call',
    cause: () => 'The allocation was not refreshed, and the server took it back at the end of its lifetime.',
    proof: (e) =>
      e.server === null
        ? `The path through the relay died ${seconds(e.afterMs)} after it was made; an allocation lasts 600 s without a refresh.`
        : `The path through the relay died with its allocation, ${seconds(e.afterMs)} after that was made.${seenText(e)}`,
    fix: () => [
      'see in the log of the server whether Refresh requests came, and with which code they were answered',
      probeServer,
    ],
    explanation:
      'A client refreshes its allocation before its end. A machine that sleeps, a NAT that gives it a new port, or a stale nonce that is not renewed end it.',
    confusedWith: [
      'CONNECTION_LOST: there the path died, with or without a relay.',
      'CREDENTIAL_EXPIRED: a credential that ends during a call, so that its refreshes are refused.',
    ],
    references: ['RFC 8656 §8'],
  }),
} as const;
