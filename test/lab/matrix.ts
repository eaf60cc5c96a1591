import type { FindingCode } from '../../src/model/finding.ts';
import {
  badCertificate,
  everywhere,
  healthy,
  listeners,
  notAllocated,
  notChallenged,
  relayNotKnown,
  silent,
  type Case,
  type Expected,
} from './matrix-case.ts';
import { optionCases } from './matrix-options.ts';
import { firstClosedRelayPort, type ScenarioName } from './scenarios.ts';

/*
 * What the probe has to say in each network and of each fault, from client a. It is written from what is true there, and
 * never from what the probe said.
 *
 * Each probe asks four listeners of one server: UDP 3478, TCP 3478, TLS 5349, and TLS 443.
 */

// --- what is expected more than once ---

/**
 * Calls run over the other listeners. Whether relayed packets reach a peer outside cannot be seen without UDP of one's own, so
 * the rest is not known; a server that only this client cannot reach by UDP is not broken.
 */
const noUdpHere: Expected = {
  verdict: 'unknown',
  causes: { UDP_BLOCKED: ['udp 3478'] },
  says: ['203.0.113.10', '3478'],
  checks: {
    'udp 3478': silent,
    'tcp 3478': relayNotKnown,
    'tls 5349': relayNotKnown,
    'tls 443': relayNotKnown,
  },
};

/** Users of UDP are not served; all others are. */
const udpBlockedThere: Expected = {
  verdict: 'degraded',
  causes: { UDP_BLOCKED: ['udp 3478'] },
  says: ['203.0.113.10', '3478', 'at the server or in this network'],
  checks: { 'udp 3478': silent },
};

/** Users of TLS are not served; all others are. */
function refusedCertificate(code: FindingCode, says: readonly string[]): Expected {
  return {
    verdict: 'degraded',
    causes: { [code]: ['tls 5349', 'tls 443'] },
    says,
    checks: { 'tls 5349': badCertificate, 'tls 443': badCertificate },
  };
}

function refusedAllocation(code: FindingCode, says: readonly string[]): Expected {
  return { verdict: 'broken', causes: { [code]: listeners }, says, checks: everywhere(notAllocated) };
}

// --- the networks ---

export const networkCases: Readonly<Record<ScenarioName, Case>> = {
  // What NAT a client is behind makes no difference to a relay, which is what it is for.
  open: { network: 'open', expected: healthy },
  lan: { network: 'lan', expected: healthy },
  cone: { network: 'cone', expected: healthy },
  'full-cone': { network: 'full-cone', expected: healthy },
  symmetric: { network: 'symmetric', expected: healthy },
  'symmetric-one-side': { network: 'symmetric-one-side', expected: healthy },
  'ipv6-only': { network: 'ipv6-only', expected: healthy },

  corporate: {
    network: 'corporate',
    expected: {
      ...noUdpHere,
      causes: { UDP_BLOCKED: ['udp 3478'], PORT_BLOCKED: ['tcp 3478', 'tls 5349'] },
      checks: { 'udp 3478': silent, 'tcp 3478': silent, 'tls 5349': silent, 'tls 443': relayNotKnown },
    },
  },
  // All listeners answer, and no relayed packet gets through: by the firewall of the client or by that of the server.
  'udp-3478-only': {
    network: 'udp-3478-only',
    expected: { verdict: 'unknown', causes: {}, checks: everywhere(relayNotKnown) },
  },
  'udp-dropped': { network: 'udp-dropped', expected: noUdpHere },
  'udp-rejected': { network: 'udp-rejected', expected: noUdpHere },

  // Nothing can be sent to a private address from outside. A call between two of its relay addresses still succeeds.
  'server-behind-nat': {
    network: 'server-behind-nat',
    expected: {
      verdict: 'broken',
      causes: { RELAY_ADDRESS_PRIVATE: listeners },
      says: ['external-ip=203.0.113.10/172.16.0.10'],
      checks: everywhere({
        'relay-address': 'failed',
        'relay-inbound': 'failed',
        'relay-outbound': 'failed',
        'relay-reply': 'failed',
      }),
    },
  },
  'server-behind-nat-external-ip': { network: 'server-behind-nat-external-ip', expected: healthy },

  // What the relay sends gets out; nobody gets in.
  'relay-ports-blocked': {
    network: 'relay-ports-blocked',
    expected: {
      verdict: 'broken',
      causes: { RELAY_PORTS_BLOCKED: listeners },
      says: ['203.0.113.10'],
      checks: everywhere({ 'relay-inbound': 'failed', 'relay-reply': 'failed' }),
    },
  },
  // A peer gets in once the relay has sent to it, which in ICE it does; the first packets of a peer are lost.
  'relay-ports-stateful': {
    network: 'relay-ports-stateful',
    expected: {
      verdict: 'degraded',
      causes: { RELAY_PORTS_STATEFUL_ONLY: listeners },
      says: ['203.0.113.10'],
      checks: everywhere({ 'relay-inbound': 'failed' }),
    },
  },

  // Whoever is given a port of the closed part hears nothing, and which of the listeners that is, is chance. Of 24 ports a
  // part is closed, and a part is open, practically always: 101 of the 241 are closed.
  'relay-ports-partly-blocked': {
    network: 'relay-ports-partly-blocked',
    ports: 24,
    expected: {
      verdict: 'degraded',
      causes: { RELAY_PORTS_PARTLY_BLOCKED: 'varies' },
      says: ['203.0.113.10'],
      checks: 'varies',
      closedFrom: firstClosedRelayPort,
    },
  },
  // Calls run over TCP and TLS, and the relay works.
  'server-udp-3478-blocked': {
    network: 'server-udp-3478-blocked',
    expected: udpBlockedThere,
  },

  // Each packet of a call crosses the line twice: 10 % are lost over UDP. TCP loses none, and waits for each instead.
  lossy: {
    network: 'lossy',
    ask: ['udp 3478', 'tcp 3478', 'tls 5349'],
    // So many packets that at 10 % more than 3 % of them are lost, practically always.
    durationMs: 3000,
    expected: {
      verdict: 'degraded',
      causes: { LOSS_HIGH: ['udp 3478'] },
      perhaps: ['LOSS_HIGH', 'JITTER_HIGH', 'RTT_HIGH', 'MOS_LOW'],
      says: ['203.0.113.10'],
      checks: {
        'udp 3478': { 'call-quality': 'failed' },
        'tcp 3478': { 'call-quality': ['passed', 'failed'] },
        'tls 5349': { 'call-quality': ['passed', 'failed'] },
      },
    },
  },

  'no-route': { network: 'no-route', expected: healthy },
  'output-dropped': { network: 'output-dropped', expected: healthy },
  'peers-denied': { network: 'peers-denied', expected: healthy },
};

// --- the faults ---

export const faultCases: Readonly<Record<string, Case>> = {
  'the certificate has expired': {
    network: 'cone',
    server: { certificate: 'expired' },
    expected: refusedCertificate('TLS_CERT_EXPIRED', ['203.0.113.10']),
  },
  'the certificate has another name': {
    network: 'cone',
    server: { certificate: 'of another name' },
    expected: refusedCertificate('TLS_NAME_MISMATCH', ['203.0.113.10', 'other.lab.test']),
  },
  'the intermediate certificate is missing': {
    network: 'cone',
    server: { certificate: 'without its chain' },
    expected: refusedCertificate('TLS_CHAIN_INCOMPLETE', ['Lab Intermediate']),
  },
  'the certificate is self-signed': {
    network: 'cone',
    server: { certificate: 'self-signed' },
    expected: refusedCertificate('TLS_UNTRUSTED', ['203.0.113.10']),
  },

  'the secret is another one': {
    network: 'cone',
    client: { credential: 'from another secret' },
    expected: refusedAllocation('CREDENTIAL_SECRET_MISMATCH', ['lab.test', 'rtc-ops-probe']),
  },
  'the credential has expired': {
    network: 'cone',
    client: { credential: 'expired an hour ago' },
    expected: refusedAllocation('CREDENTIAL_EXPIRED', ['lab-user']),
  },

  // No matter for the server; and the password is still good there.
  'the clock of the client is an hour behind': {
    network: 'cone',
    client: { clockMs: -3_600_000 },
    expected: healthy,
  },
  'the clock of the client is an hour ahead': {
    network: 'cone',
    client: { clockMs: 3_600_000 },
    expected: healthy,
  },

  'the quota of the user is reached': {
    network: 'cone',
    server: { config: ['user-quota=1'] },
    held: 'by the same user',
    expected: refusedAllocation('QUOTA_REACHED', ['rtc-ops-probe']),
  },
  'the relay ports are used up': {
    network: 'cone',
    server: { config: ['-max-port', 'max-port=49160'] },
    held: 'by another user',
    expected: refusedAllocation('RELAY_CAPACITY_EXHAUSTED', ['203.0.113.10']),
  },
  'anyone gets a relay': {
    network: 'cone',
    server: { config: ['-use-auth-secret', '-static-auth-secret', 'no-auth'] },
    expected: {
      verdict: 'broken',
      causes: { ANONYMOUS_RELAY: listeners },
      says: ['use-auth-secret', '203.0.113.10'],
      checks: everywhere(notChallenged),
    },
  },
  'it answers STUN but not TURN': {
    network: 'cone',
    server: { config: ['stun-only'] },
    expected: {
      verdict: 'broken',
      causes: { NOT_A_TURN_SERVER: listeners },
      says: ['203.0.113.10'],
      checks: everywhere(notChallenged),
    },
  },

  'a TCP port accepts and never answers': {
    network: 'cone',
    standIn: 'accepts TCP and never answers',
    ask: ['tcp 3478'],
    expected: {
      verdict: 'broken',
      causes: { LISTENER_SILENT: ['tcp 3478'] },
      says: ['203.0.113.10', '3478'],
      checks: { 'tcp 3478': silent },
    },
  },
  'a UDP port echoes what it gets': {
    network: 'cone',
    standIn: 'echoes UDP',
    ask: ['udp 3478'],
    expected: {
      verdict: 'broken',
      causes: { NOT_A_TURN_SERVER: ['udp 3478'] },
      says: ['203.0.113.10', '3478'],
      checks: { 'udp 3478': silent },
    },
  },
  // Each listener may be at another step when it happens.
  'the server stops in the middle': {
    network: 'cone',
    stops: true,
    expected: {
      verdict: 'broken',
      causes: { SERVER_STOPPED: 'varies' },
      says: ['203.0.113.10'],
      checks: 'varies',
    },
  },
};

export const cases: Readonly<Record<string, Case>> = { ...networkCases, ...faultCases, ...optionCases };
