import type { ListenerAuditFacts, ServerAuditFacts } from '../model/audit.ts';
import type { Outcome } from '../model/check.ts';
import { finding, type Finding } from '../model/finding.ts';
import type { Target } from '../model/observations.ts';
import {
  brokenSuiteOffers,
  legacyTlsOffers,
  tlsOffers,
  type TlsAnswer,
  type TlsOfferFacts,
  type TlsOfferId,
} from '../model/tls-offer.ts';
import { outcomeOf, why } from './audit-outcome.ts';
import { judgeShown } from './certificate.ts';
import { listenerOf } from './listener-evidence.ts';
import { passed, skipped, unknown } from './outcome.ts';

type Listeners = readonly ListenerAuditFacts[];

/** `tls-versions`: SSL 3.0, TLS 1.0 and 1.1 (RFC 7568, RFC 8996). */
export function judgeTlsVersions(listeners: Listeners): Outcome {
  return judged(listeners, ({ target }, offers) => {
    const { accepted, open } = accepting(offers, legacyTlsOffers);
    const versions = accepted.map(({ offer }) => tlsOffers[offer]);
    const evidence = { ...listenerOf(target), versions };
    const findings =
      versions.length === 0 ? [] : [finding('LEGACY_TLS', evidence, { targets: [target.url] })];
    return { findings, open };
  });
}

/** `tls-certificate`: what whoever stands between could put in the place of the server. */
export function judgeAuditCertificates(listeners: Listeners, now: Date): Outcome {
  const tls = listeners.filter(({ target }) => target.transport === 'tls');
  if (tls.length === 0) return skipped('no listener over TLS was named');
  const outcomes = tls.map(({ target, tls: step }): { target: Target; outcome: Outcome } => ({
    target,
    outcome: step.state === 'done' ? judgeShown(step.value, target, now) : unknown(why(step)),
  }));
  const left = outcomes.flatMap(({ outcome }) =>
    outcome.status === 'passed' && outcome.detail !== undefined ? [outcome.detail] : [],
  );
  return outcomeOf(
    outcomes.flatMap(({ outcome }) => (outcome.status === 'failed' ? outcome.findings : [])),
    outcomes.flatMap(({ target, outcome }) =>
      outcome.status === 'unknown' ? [`${target.url}: ${outcome.because}`] : [],
    ),
    left[0],
  );
}

/** `dtls`: whether a UDP port speaks it (RFC 7350). */
export function judgeDtls({ host, address, listeners, dtls }: ServerAuditFacts): Outcome {
  if (dtls.state !== 'done') return unknown(why(dtls));
  const isThere = listeners.some(
    ({ challenge, software }) => challenge.state === 'done' || software.state === 'done',
  );
  const answering = dtls.value.filter(({ offers }) =>
    offers.some(({ answer }) => answer === 'accepted' || answer === 'refused'),
  );
  if (answering.length > 0) {
    const agreed = answering.flatMap(({ offers }) =>
      offers.flatMap(({ version, answer }) => (answer === 'accepted' ? [version] : [])),
    );
    const versions = [...new Set(agreed)];
    const evidence = { host, address, ports: answering.map(({ port }) => port), versions };
    const options = versions.includes('DTLS 1.0') ? { severity: 'warning' as const } : {};
    return outcomeOf([finding('DTLS_OFFERED', evidence, options)], []);
  }
  const silent = dtls.value.find(({ offers }) => offers.some(({ answer }) => answer === 'silent'));
  return isThere || silent === undefined
    ? passed()
    : unknown(`nothing comes from UDP port ${silent.port}, nor from any other`);
}

// RFC 9325 §4.4: groups of 1024 bits are within the reach of those who listen to whole countries.
const leastDhBits = 2048;

/** `tls-ciphers`: suites that RFC 9325 §4 rules out, and key exchanges whose sessions can be read later. */
export function judgeTlsCiphers(listeners: Listeners): Outcome {
  return judged(listeners, ({ target }, offers) => {
    const broken = accepting(offers, brokenSuiteOffers);
    const dhe = accepting(offers, ['dhe']);
    const rsa = accepting(offers, ['rsa-key-exchange']);
    const weak = [
      ...broken.accepted.map(({ offer, answer }) => `${tlsOffers[offer]} (${suiteName(answer.suite)})`),
      ...dhe.accepted.flatMap(({ answer: { dhBits } }) =>
        dhBits !== null && dhBits < leastDhBits ? [`Diffie-Hellman of ${dhBits} bits`] : [],
      ),
    ];
    const options = { targets: [target.url] };
    const evidence = listenerOf(target);
    return {
      findings: [
        ...(weak.length === 0 ? [] : [finding('WEAK_CIPHERS', { ...evidence, weak }, options)]),
        ...rsa.accepted.map(({ answer }) =>
          finding('NO_FORWARD_SECRECY', { ...evidence, suite: suiteName(answer.suite) }, options),
        ),
      ],
      open: [...broken.open, ...dhe.open, ...rsa.open],
    };
  });
}

interface Judged {
  readonly findings: readonly Finding[];
  readonly open: readonly string[];
}

function judged(
  listeners: Listeners,
  judge: (listener: ListenerAuditFacts, offers: readonly TlsOfferFacts[]) => Judged,
): Outcome {
  const tls = listeners.filter(({ target }) => target.transport === 'tls');
  if (tls.length === 0) return skipped('no listener over TLS was named');
  const all = tls.map((listener): Judged => {
    const { target, tlsOffers: step } = listener;
    if (step.state !== 'done') return { findings: [], open: [`${target.url}: ${why(step)}`] };
    const { findings, open } = judge(listener, step.value);
    return { findings, open: open.map((because) => `${target.url}: ${because}`) };
  });
  return outcomeOf(
    all.flatMap(({ findings }) => findings),
    all.flatMap(({ open }) => open),
  );
}

interface Accepted {
  readonly offer: TlsOfferId;
  readonly answer: Extract<TlsAnswer, { kind: 'accepted' }>;
}

/** Which of `wanted` were accepted, and why it is not known of others. */
function accepting(
  offers: readonly TlsOfferFacts[],
  wanted: readonly TlsOfferId[],
): { accepted: Accepted[]; open: string[] } {
  const asked = offers.filter(({ offer }) => wanted.includes(offer));
  const accepted: Accepted[] = [];
  const open: string[] = [];
  for (const { offer, answer } of asked) {
    if (answer.kind === 'accepted') accepted.push({ offer, answer });
    else if (answer.kind === 'unclear') open.push(`${tlsOffers[offer]}: ${answer.because}`);
    // An alert is a refusal of that offer where there is one that is accepted; silence, where that holds before it and after.
    else if (!offers.some((each) => each.answer.kind === 'accepted')) open.push(refusesAll(offers));
    else if (answer.kind !== 'refused' && !isAlive(offers)) {
      open.push(`no answer to ${tlsOffers[offer]}, and none to ${tlsOffers.today}`);
    }
  }
  if (asked.length < wanted.length) open.push('not everything was offered');
  return { accepted, open };
}

/** Of a listener that agrees to nothing: one that wants another name, or a certificate, or is no server. */
function refusesAll(offers: readonly TlsOfferFacts[]): string {
  const today = offers.find(({ offer }) => offer === 'today')?.answer;
  return today?.kind === 'refused'
    ? `it refuses ${tlsOffers.today} as well (TLS alert ${today.alert}): by its name and port it may be meant for another`
    : `no answer to ${tlsOffers.today}`;
}

function isAlive(offers: readonly TlsOfferFacts[]): boolean {
  const today = offers.filter(({ offer }) => offer === 'today');
  return today.length > 0 && today.every(({ answer: { kind } }) => kind === 'accepted' || kind === 'refused');
}

/** `0x000A`, as the IANA registry has it. */
function suiteName(suite: number): string {
  return `0x${suite.toString(16).toUpperCase().padStart(4, '0')}`;
}
