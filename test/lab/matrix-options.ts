import {
  everywhere,
  healthy,
  relayNotKnown,
  silent,
  untold,
  type Case,
  type Expected,
  type ExpectedNat,
} from './matrix-case.ts';
import type { ScenarioName } from './scenarios.ts';

/*
 * What --control, --peer and --nat add to what the probe says without them. Written, as the rest, from what is true in each
 * network.
 */

// --- --control: another server is known to work, so what is silent there too ends in this network ---

const udpAndTcp = ['udp 3478', 'tcp 3478'] as const;

/** The server is not blamed. Calls run over TCP and TLS; where the relay's packets arrive, cannot be seen without UDP. */
const udpEndsHere: Expected = {
  verdict: 'unknown',
  causes: { UDP_BLOCKED_HERE: ['udp 3478'] },
  says: ['UDP 3478 of 203.0.113.130'],
  checks: {
    'udp 3478': untold,
    'tcp 3478': relayNotKnown,
    'tls 5349': relayNotKnown,
    'tls 443': relayNotKnown,
  },
};

const behindTls443 = { 'udp 3478': untold, 'tcp 3478': untold, 'tls 5349': untold };

/** The control has no port 5349. That only TLS 443 leaves is known by its others, and explains that silence too. */
const onlyTls443: Expected = {
  verdict: 'unknown',
  causes: { ONLY_TLS_443_LEAVES: ['udp 3478', 'tcp 3478', 'tls 5349'] },
  says: ['UDP 3478 of 203.0.113.130', 'TCP 3478 of 203.0.113.130', 'TLS 443 of 203.0.113.10'],
  checks: { ...behindTls443, 'tls 443': relayNotKnown },
};

const controlCases: Readonly<Record<string, Case>> = {
  'a control, where UDP is dropped': {
    network: 'udp-dropped',
    control: udpAndTcp,
    expected: { ...udpEndsHere, says: ['drops', 'UDP 3478 of 203.0.113.130'] },
  },
  'a control, where UDP is rejected': {
    network: 'udp-rejected',
    control: udpAndTcp,
    expected: { ...udpEndsHere, says: ['rejects', 'UDP 3478 of 203.0.113.130'] },
  },
  'a control, where only TLS 443 leaves': {
    network: 'corporate',
    control: udpAndTcp,
    expected: onlyTls443,
  },
  'a control, where the server itself drops UDP 3478': {
    network: 'server-udp-3478-blocked',
    control: udpAndTcp,
    expected: {
      verdict: 'degraded',
      causes: { UDP_BLOCKED: ['udp 3478'] },
      says: ['UDP 3478 of 203.0.113.130 answers from here', 'a firewall at the server'],
      checks: { 'udp 3478': silent },
    },
  },
  // Calls over TCP are all that is wanted, and they work.
  'a control and --require tcp,call, where UDP is dropped': {
    network: 'udp-dropped',
    control: udpAndTcp,
    ask: udpAndTcp,
    require: ['tcp', 'call'],
    expected: { ...udpEndsHere, verdict: 'healthy' },
  },
  // Whether a peer outside is reached, is wanted too, and is not known.
  'a control and --require tcp,relay, where UDP is dropped': {
    network: 'udp-dropped',
    control: udpAndTcp,
    ask: udpAndTcp,
    require: ['tcp', 'relay'],
    expected: udpEndsHere,
  },
};

// --- --peer: the relay is proven by a third network, whatever this one lets through ---

const udpAndTls = ['udp 3478', 'tls 443'] as const;

const peerCases: Readonly<Record<string, Case>> = {
  'a peer, for clients behind a cone NAT': { network: 'cone', ask: udpAndTls, peer: true, expected: healthy },
  'a peer, for clients behind a symmetric NAT': {
    network: 'symmetric',
    ask: udpAndTls,
    peer: true,
    expected: healthy,
  },
  'a peer, where of UDP only port 3478 leaves': {
    network: 'udp-3478-only',
    ask: udpAndTls,
    peer: true,
    expected: healthy,
  },
  'a peer, where only TLS 443 leaves': {
    network: 'corporate',
    ask: ['tls 443'],
    peer: true,
    expected: healthy,
  },
  'a peer, a control and --require tls,relay,call, where only TLS 443 leaves': {
    network: 'corporate',
    peer: true,
    control: udpAndTcp,
    require: ['tls', 'relay', 'call'],
    expected: { ...onlyTls443, verdict: 'healthy', checks: behindTls443 },
  },
  'a peer, where relay ports are blocked': {
    network: 'relay-ports-blocked',
    ask: udpAndTls,
    peer: true,
    expected: {
      verdict: 'broken',
      causes: { RELAY_PORTS_BLOCKED: udpAndTls },
      says: ['203.0.113.10'],
      checks: everywhere({ 'relay-inbound': 'failed', 'relay-reply': 'failed' }),
    },
  },
  'a peer, where relay ports let only answers in': {
    network: 'relay-ports-stateful',
    ask: udpAndTls,
    peer: true,
    expected: {
      verdict: 'degraded',
      causes: { RELAY_PORTS_STATEFUL_ONLY: udpAndTls },
      says: ['203.0.113.10'],
      checks: everywhere({ 'relay-inbound': 'failed' }),
    },
  },
  'a peer, where the server does not know its public address': {
    network: 'server-behind-nat',
    ask: udpAndTls,
    peer: true,
    expected: {
      verdict: 'broken',
      causes: { RELAY_ADDRESS_PRIVATE: udpAndTls },
      says: ['external-ip=203.0.113.10/172.16.0.10'],
      checks: everywhere({
        'relay-address': 'failed',
        'relay-inbound': 'failed',
        'relay-outbound': 'failed',
        'relay-reply': 'failed',
      }),
    },
  },
};

// --- --nat: the words of RFC 4787, and unknown with its reason ---

function natCase(network: ScenarioName, nat: ExpectedNat, more: Partial<Case> = {}): Case {
  const expected = { ...healthy, ...more.expected, nat };
  return { network, ask: ['udp 3478'], nat: true, ...more, expected };
}

const natCases: Readonly<Record<string, Case>> = {
  'the NAT of a client behind a cone NAT': natCase('cone', {
    present: true,
    mapping: 'endpoint-independent',
    filtering: 'address-and-port-dependent',
    hairpin: false,
  }),
  'the NAT of a client behind a full cone NAT': natCase('full-cone', {
    present: true,
    mapping: 'endpoint-independent',
    filtering: 'endpoint-independent',
    hairpin: false,
  }),
  // What one socket sends to the mapped address of another gets a mapping of its own, and the other's filter drops that: it
  // is the same to see as no hairpinning.
  'the NAT of a client behind a symmetric NAT': natCase(
    'symmetric',
    {
      present: true,
      mapping: 'address-and-port-dependent',
      filtering: 'address-and-port-dependent',
      hairpin: null,
      because: { 'nat-hairpin': 'a filter explains too' },
    },
    { expected: { ...healthy, causes: { NAT_SYMMETRIC: ['udp 3478'] } } },
  ),
  'no NAT and no filter': natCase('open', {
    present: false,
    mapping: null,
    filtering: 'endpoint-independent',
    hairpin: null,
    because: { 'nat-hairpin': 'there is no NAT' },
  }),
  // Port 3478 of both addresses of the server shows the mapping. Whether the server ever sent from port 3479 cannot be seen,
  // as no filter can be opened for it.
  'the NAT of a client of whose UDP only port 3478 leaves': natCase(
    'udp-3478-only',
    {
      present: true,
      mapping: 'endpoint-independent',
      filtering: null,
      hairpin: null,
      because: {
        'nat-filtering': 'not known whether it sends from there',
        'nat-hairpin': 'UDP to other ports',
      },
    },
    { expected: { verdict: 'unknown', causes: {}, checks: everywhere(relayNotKnown) } },
  ),
  // The router translates nothing and lets in what was asked for.
  'the firewall of a client with IPv6 only': natCase('ipv6-only', {
    present: false,
    mapping: null,
    filtering: 'address-and-port-dependent',
    hairpin: null,
    because: { 'nat-hairpin': 'there is no NAT' },
  }),
  // coturn then has two ports of one address. The mapping cannot be told by these where they see the same; that a filter
  // keeps even the other port out, can.
  'the NAT as a server with one address sees it': natCase(
    'cone',
    {
      present: true,
      mapping: null,
      filtering: 'address-and-port-dependent',
      hairpin: null,
      because: {
        'nat-mapping': 'its OTHER-ADDRESS is 203.0.113.10:3479',
        'nat-hairpin': 'a filter explains too',
      },
    },
    { server: { config: ['-listening-ip=203.0.113.11'] } },
  ),
};

export const optionCases: Readonly<Record<string, Case>> = { ...controlCases, ...peerCases, ...natCases };
