import { formatEndpoint } from '../endpoint.ts';
import {
  exampleListener,
  grepConfig,
  here,
  journal,
  onServer,
  traceRoute,
  type ListenerEvidence,
  fault,
} from './entry.ts';
import { server } from '../subject.ts';

interface MeasuredEvidence extends ListenerEvidence {
  readonly measured: number;
  readonly limit: number;
}

export const callCatalog = {
  NO_HOST_CANDIDATE: fault<ListenerEvidence>()({
    severity: 'warning',
    subject: server,
    cell: '',
    headline: null,
    causes: [],
    example: exampleListener,
    title: () => 'ICE finds no address on this machine',
    cause: () => 'This machine has no network interface that ICE can use besides loopback.',
    proof: () => 'ICE gathering gave no host candidate.',
    fix: () => ['an interface besides loopback must be up and have an address:', here('ip address show')],
    explanation:
      'Host candidates are the addresses of the own interfaces; without one no UDP leaves this machine.',
    confusedWith: ['NO_SRFLX_CANDIDATE: there this machine has addresses, and learns no public one.'],
    references: ['RFC 8445 §5.1.1.1'],
  }),
  NO_SRFLX_CANDIDATE: fault<ListenerEvidence>()({
    severity: 'warning',
    subject: server,
    cell: '',
    headline: null,
    causes: [],
    example: exampleListener,
    title: (e) => `ICE learns no public address from ${e.host}`,
    cause: (e) =>
      `The server answers Binding requests of the probe, but ICE got no server-reflexive candidate from ${formatEndpoint(e)}.`,
    proof: () => 'ICE gathering gave no srflx candidate, while a plain Binding request was answered.',
    fix: () => [journal],
    explanation:
      'Direct calls between two NATs need server-reflexive candidates; calls through the relay do not.',
    confusedWith: [
      'A client without NAT: its mapped address is a host candidate already, and none is missing.',
    ],
    references: ['RFC 8445 §5.1.1.2'],
  }),
  NO_RELAY_CANDIDATE: fault<ListenerEvidence & { seen: string }>()({
    severity: 'error',
    subject: server,
    cell: '',
    headline: 'ICE gets no relay from this server',
    causes: [
      'QUOTA_REACHED',
      'QUOTA_TOO_SMALL',
      'RELAY_CAPACITY_EXHAUSTED',
      'TWO_SERVERS_ANSWER',
      'SERVER_STOPPED',
    ],
    example: { ...exampleListener, seen: 'error 486 Allocation Quota Reached' },
    title: (e) => `ICE gets no relay candidate from ${e.host}`,
    cause: (e) =>
      `A first allocation over ${e.transport} was granted, and the one for the ICE agent was not: ${e.seen}.`,
    proof: (e) => `ICE gathering ended without a relay candidate; the Allocate for it: ${e.seen}.`,
    fix: () => [journal, 'a quota of one allocation per user shows like this:', grepConfig('user-quota')],
    explanation: 'Without a relay candidate a call cannot use the relay at all.',
    confusedWith: ['ALLOCATION_REFUSED and the CREDENTIAL codes: there the allocation itself fails.'],
    references: ['RFC 8445 §5.1.1.2'],
  }),
  CALL_FAILED: fault<ListenerEvidence & { seen: string; lostHandshake: boolean }>()({
    severity: 'error',
    subject: server,
    cell: 'no call',
    headline: 'calls through the relay do not connect',
    causes: ['TWO_SERVERS_ANSWER', 'SERVER_STOPPED'],
    example: { ...exampleListener, seen: 'ICE failed', lostHandshake: false },
    title: (e) => `A call through the relay does not connect over ${e.transport}`,
    cause: (e) =>
      e.lostHandshake
        ? `Two peers, each with an allocation on ${e.host}, found each other through it by ICE, and the DTLS handshake that follows did not come through. Small packets pass, and large ones or many do not: packets are lost, or limited, or larger than what the path takes.`
        : `Two peers, each with an allocation on ${e.host}, did not come together through it. When both sides of a call use the relay, this is what users see.`,
    proof: (e) => `ICE and DTLS between two relay candidates over ${e.transport} ended with: ${e.seen}.`,
    fix: (e) =>
      e.lostHandshake
        ? [
            'a limit on the bandwidth drops what is beyond it:',
            grepConfig('max-bps|bps-capacity'),
            'whether large packets get through (1,200 bytes and headers):',
            here(`ping -c 3 -M do -s 1200 ${e.address}`),
            traceRoute(e),
          ]
        : [
            'the server must be allowed to send to its own relay address:',
            grepConfig('denied-peer-ip|allowed-peer-ip|external-ip'),
            'behind NAT write external-ip=PUBLIC/PRIVATE: the pair also allows the private address as a peer',
            journal,
          ],
    explanation:
      'The loopback call allocates twice on the same server and connects the two relay addresses with each other.',
    confusedWith: [
      'LOSS_HIGH: there the handshake came through.',
      'RELAY_PORTS_BLOCKED: relay to relay stays inside the server and passes nevertheless.',
    ],
    references: ['RFC 8445 §7.2', 'RFC 8656 §11'],
  }),
  CALL_NOT_RELAYED: fault<ListenerEvidence & { pairs: string }>()({
    severity: 'error',
    subject: server,
    cell: 'not relayed',
    headline: 'the call did not use the relay',
    causes: [],
    example: { ...exampleListener, pairs: 'host ↔ relay, relay ↔ host' },
    title: () => 'The call found a way around the relay',
    cause: (e) =>
      `The selected candidate pair was ${e.pairs}, so the call says nothing about the relay of ${e.host}.`,
    proof: (e) => `Selected pairs: ${e.pairs}.`,
    fix: () => ['probe again; if it stays so, please report it as a bug of rtc-ops, with --format json'],
    explanation: 'Both ends must have selected their relay addresses; this is asserted for every call.',
    confusedWith: ['CALL_FAILED: there no path was found, through the relay or past it.'],
    references: ['RFC 8445 §8.1.1'],
  }),
  AUDIO_SILENT: fault<ListenerEvidence & { sent: number }>()({
    severity: 'error',
    subject: server,
    cell: 'silent',
    headline: 'calls through the relay are silent',
    causes: ['SERVER_STOPPED'],
    example: { ...exampleListener, sent: 150 },
    title: () => 'The call connects and no audio arrives',
    cause: (e) =>
      `ICE and DTLS came about through ${e.host}, but none of the audio packets arrived in either direction.`,
    proof: (e) => `${e.sent} packets sent each way, 0 received.`,
    fix: () => ['a tiny bandwidth limit starves media:', grepConfig('max-bps|bps-capacity'), journal],
    explanation: 'Opus packets were sent 50 a second both ways; connectivity checks pass and media does not.',
    confusedWith: [
      'AUDIO_ONE_WAY: there one direction arrives.',
      'SERVER_STOPPED: audio flowed and then ended.',
    ],
    references: ['RFC 3550 §6.4.1'],
  }),
  AUDIO_ONE_WAY: fault<ListenerEvidence & { silent: string; sent: number }>()({
    severity: 'error',
    subject: server,
    cell: 'one way',
    headline: 'calls through the relay are heard on one side only',
    causes: ['SERVER_STOPPED'],
    example: { ...exampleListener, silent: 'callee-to-caller', sent: 150 },
    title: () => 'Audio flows in one direction only',
    cause: (e) =>
      `Through ${e.host}, audio arrives in one direction and not from ${e.silent.replaceAll('-', ' ')}.`,
    proof: (e) => `${e.silent.replaceAll('-', ' ')}: ${e.sent} packets sent, 0 received.`,
    fix: () => [
      'probe again; where it stays so, something between the relay ports of the server lets one way through:',
      onServer('sudo nft list ruleset'),
      journal,
    ],
    explanation: 'Opus packets were sent 50 a second both ways; all of one direction were lost.',
    confusedWith: [
      'AUDIO_SILENT: there neither direction arrives.',
      'CAPTURE_RTP_ONE_WAY: the same in a call of users, whose microphones may be muted as well.',
    ],
    references: ['RFC 3550 §6.4.1'],
  }),
  AUDIO_INTERRUPTED: fault<ListenerEvidence & { lastMs: number; durationMs: number }>()({
    severity: 'error',
    subject: server,
    cell: 'broke off',
    headline: 'calls through the relay break off',
    causes: ['SERVER_STOPPED'],
    example: { ...exampleListener, lastMs: 1200, durationMs: 3000 },
    title: () => 'Audio flows and then stops',
    cause: (e) =>
      `Through ${e.host} over ${e.transport}, audio arrived for ${seconds(e.lastMs)} of a call of ${seconds(e.durationMs)}, then no more.`,
    proof: (e) => `The last packet arrived ${seconds(e.lastMs)} after the first was sent.`,
    fix: () => ['the log tells when the session ended, and why:', journal],
    explanation: 'All packets after one moment were lost although the call went on.',
    confusedWith: ['LOSS_HIGH: there losses are spread over the call.'],
    references: ['RFC 3550 §6.4.1'],
  }),
  AUDIO_UNUSABLE: fault<ListenerEvidence & { mos: number; lossRatio: number; delayMs: number | null }>()({
    severity: 'error',
    subject: server,
    cell: 'unusable',
    headline: 'calls through the relay cannot be understood',
    causes: [],
    example: { ...exampleListener, mos: 1.4, lossRatio: 0.69, delayMs: 24 },
    title: (e) =>
      `Audio flows, and nobody ${isLost(e) ? 'understands it' : 'can talk by it'} (MOS ${mos(e.mos, 0)})`,
    cause: (e) =>
      isLost(e)
        ? `Of the audio through ${e.host} over ${e.transport}, ${percent(e.lossRatio, 0)} is lost. With a MOS of ${mos(e.mos, 0)} words do not get through.`
        : `Audio through ${e.host} over ${e.transport} arrives${e.delayMs === null ? ' too late' : ` ${ms(e.delayMs, 0)} after it was said`}. With a MOS of ${mos(e.mos, 0)} people talk into each other all the time.`,
    proof: () =>
      'E-model of ITU-T G.107 from one-way delay and loss, counted at the receivers, the worse direction.',
    fix: (e) => [
      ...(isLost(e)
        ? ['a limit on the bandwidth drops what is beyond it:', grepConfig('max-bps|bps-capacity')]
        : []),
      traceRoute(e),
      onServer('uptime'),
    ],
    explanation:
      'Packets flow, and the estimated quality is below a MOS of 2.6 (R of 50), which ITU-T G.109 does not recommend for any call. An error also when no limit was asked for.',
    confusedWith: [
      'LOSS_HIGH, MOS_LOW: there speech is worse than it should be, and is understood.',
      'AUDIO_INTERRUPTED: there audio was good, and ended.',
    ],
    references: ['ITU-T G.107', 'ITU-T G.109'],
  }),
  LOSS_HIGH: fault<MeasuredEvidence>()({
    severity: 'error',
    subject: server,
    cell: 'loss',
    headline: null,
    causes: ['AUDIO_UNUSABLE'],
    example: { ...exampleListener, measured: 0.052, limit: 0.03 },
    title: (e) => `${figures(e, percent).is} of the audio is lost`,
    cause: (e) =>
      `Of the packets sent through ${e.host} over ${e.transport}, ${figures(e, percent).is} did not arrive; the limit is ${figures(e, percent).limit}.`,
    proof: () => 'Counted by sequence number at the receiver (RFC 3550 A.3), both directions, the worse one.',
    fix: (e) => [traceRoute(e), grepConfig('max-bps|bps-capacity'), onServer('uptime')],
    explanation: 'Loss above about 3 % is heard; above 10 % speech is hard to follow.',
    confusedWith: ['AUDIO_INTERRUPTED: everything after one moment is lost.'],
    references: ['RFC 3550 §A.3', 'ITU-T G.107'],
  }),
  JITTER_HIGH: fault<MeasuredEvidence>()({
    severity: 'error',
    subject: server,
    cell: 'jitter',
    headline: null,
    causes: ['LOSS_HIGH'],
    example: { ...exampleListener, measured: 64, limit: 50 },
    title: (e) => `The jitter is ${figures(e, ms).is}`,
    cause: (e) =>
      `Packets through ${e.host} over ${e.transport} arrive unevenly: jitter ${figures(e, ms).is}, the limit is ${figures(e, ms).limit}.`,
    proof: () =>
      'The highest interarrival jitter J of RFC 3550 §6.4.1 during the call, of the worse direction.',
    fix: (e) => [traceRoute(e), onServer('uptime'), 'and look at the load of this machine'],
    explanation:
      'Jitter makes the receiver buffer more, which delays speech; beyond the buffer, packets count as lost.',
    confusedWith: ['RTT_HIGH: even, but late.'],
    references: ['RFC 3550 §6.4.1'],
  }),
  RTT_HIGH: fault<MeasuredEvidence & { by: 'binding' | 'rtcp' }>()({
    severity: 'error',
    subject: server,
    cell: 'slow',
    headline: null,
    causes: ['LOSS_HIGH'],
    example: { ...exampleListener, measured: 412, limit: 300, by: 'rtcp' },
    title: (e) => `The round trip is ${figures(e, ms).is}`,
    cause: (e) =>
      e.by === 'rtcp'
        ? `The round trip through the relay of ${e.host} over ${e.transport} takes ${figures(e, ms).is}; the limit is ${figures(e, ms).limit}.`
        : `A request to ${e.host} over ${e.transport} is answered after ${figures(e, ms).is}; the limit is ${figures(e, ms).limit}.`,
    proof: (e) =>
      e.by === 'rtcp'
        ? 'From RTCP sender and receiver reports of the call, both directions, the worse one.'
        : 'From a STUN Binding request to its answer.',
    fix: (e) => [
      traceRoute(e),
      'a server nearer to the users, and UDP instead of TCP or TLS where the network allows it',
    ],
    explanation: 'Above about 300 ms round trip people talk into each other.',
    confusedWith: ['JITTER_HIGH: there packets are uneven, and not late as a whole.'],
    references: ['RFC 3550 §6.4.1', 'ITU-T G.114'],
  }),
  MOS_LOW: fault<MeasuredEvidence>()({
    severity: 'error',
    subject: server,
    cell: 'poor',
    headline: null,
    // The E-model is made of delay and loss.
    causes: ['AUDIO_UNUSABLE', 'LOSS_HIGH', 'RTT_HIGH'],
    example: { ...exampleListener, measured: 3.1, limit: 3.6 },
    title: (e) => `The audio quality is low (MOS ${figures(e, mos).is})`,
    cause: (e) =>
      `Estimated from the measured delay and loss of the call through ${e.host} over ${e.transport}: MOS ${figures(e, mos).is}, the limit is ${figures(e, mos).limit}.`,
    proof: () => 'E-model of ITU-T G.107 from one-way delay and loss, both directions, the worse one.',
    fix: (e) => [traceRoute(e), 'a server nearer to the users'],
    explanation: 'A Mean Opinion Score of 4.0 and more satisfies; below 3.6 many users are dissatisfied.',
    confusedWith: ['LOSS_HIGH, RTT_HIGH: they name the part.'],
    references: ['ITU-T G.107', 'ITU-T G.109'],
  }),
} as const;

/** Whether losses are heard; else it is the delay. */
function isLost({ lossRatio }: { readonly lossRatio: number }): boolean {
  return lossRatio > 0.03;
}

type Format = (value: number, moreDigits: number) => string;

const percent: Format = (ratio, more) => `${Number((ratio * 100).toFixed((ratio < 0.1 ? 1 : 0) + more))} %`;
const ms: Format = (value, more) => `${Number(value.toFixed((value < 10 ? 1 : 0) + more))} ms`;
const mos: Format = (value, more) => value.toFixed(1 + more);

/** A figure and its limit, with as many digits as it takes to tell them apart. */
function figures({ measured, limit }: MeasuredEvidence, format: Format): { is: string; limit: string } {
  const texts = [0, 1, 2, 3].map((more) => ({ is: format(measured, more), limit: format(limit, more) }));
  return texts.find((text) => text.is !== text.limit) ?? { is: String(measured), limit: String(limit) };
}

function seconds(value: number): string {
  return `${(value / 1000).toFixed(1)} s`;
}
