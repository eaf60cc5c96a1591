import type {
  ApiFailure,
  CandidateError,
  CandidateFacts,
  ConnectionFacts,
  Description,
  History,
  IceConfiguration,
  Side,
  StateChange,
  StateMachine,
  TransceiverFacts,
} from '../../model/call-recording.ts';
import { parseCandidate } from './candidate-line.ts';
import { asText, field, member, opened, stateName, type EventValue } from './event-value.ts';
import { readDescription } from './session-description.ts';
import { iceConfiguration, withoutPassword } from './ice-configuration.ts';
import { readTransceiver } from './transceiver.ts';
import { transportsOf, statesOfTransports } from './transport-statistics.ts';
import { candidatesWith, pairsOf } from './pair-statistics.ts';
import { playoutOf, sourcesOf, streamsOf } from './stream-statistics.ts';
import { StatisticsTable } from './statistics.ts';

/** Events that only a recorder sees that was there when the connection was made. */
const ofTheBeginning: ReadonlySet<string> = new Set([
  'createoffer',
  'createanswer',
  'transceiveradded',
  'addtrack',
  'addstream',
  'addtransceiver',
  'icecandidate',
  'addicecandidate',
  'createdatachannel',
  'create',
]);

const machines: Readonly<Record<string, StateMachine>> = {
  signalingstatechange: 'signaling',
  icegatheringstatechange: 'gathering',
  iceconnectionstatechange: 'ice',
  legacyiceconnectionstatechange: 'ice',
  connectionstatechange: 'connection',
};

// A connection that restarts ICE each second for a day.
const mostOfAKind = 5000;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Makes one connection of the events and the figures of whatever recorder. */
export class ConnectionBuilder {
  readonly statistics = new StatisticsTable();
  readonly #id: string;
  #url: string | null = null;
  #configuration: IceConfiguration | null = null;
  #isFromTheBeginning = false;
  #events = 0;
  #firstAtMs = Number.POSITIVE_INFINITY;
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #closedAtMs: number | null = null;
  readonly #states: StateChange[] = [];
  #descriptions: Mutable<Description>[] = [];
  readonly #pending: Record<Side, Mutable<Description> | null> = { local: null, remote: null };
  readonly #failures: Mutable<ApiFailure>[] = [];
  readonly #transceivers = new Map<string, TransceiverFacts>();
  readonly #candidates = new Map<string, CandidateFacts>();
  readonly #errors: CandidateError[] = [];
  readonly #channels = new Set<string>();

  constructor(id: string) {
    this.#id = id;
  }

  get hasFacts(): boolean {
    return this.#events > 0 || this.statistics.objects().length > 0;
  }

  setUrl(url: string): void {
    this.#url ??= url;
  }

  setConfiguration(value: EventValue): void {
    this.#configuration = iceConfiguration(value) ?? this.#configuration;
  }

  /** A moment at which the connection was seen. */
  seenAt(atMs: number): void {
    if (!Number.isFinite(atMs)) return;
    this.#firstAtMs = Math.min(this.#firstAtMs, atMs);
    this.#lastAtMs = Math.max(this.#lastAtMs, atMs);
  }

  /** @param type the event or the call, in the spelling of its recorder */
  event(type: string, value: EventValue, atMs: number | null): void {
    this.#events++;
    if (atMs !== null) this.seenAt(atMs);
    const name = type.toLowerCase().replace(/^on(?=[a-z])/, '');
    const [, operation = name, ending = ''] = /^(.*?)(onsuccess|onfailure|failed)?$/.exec(name) ?? [];
    if (ofTheBeginning.has(operation)) this.#isFromTheBeginning = true;
    const machine = Object.hasOwn(machines, name) ? machines[name] : undefined;
    if (machine !== undefined) this.#state({ atMs, machine, state: stateName(value) });
    else if (ending === 'onfailure' || ending === 'failed') this.#failure(type, operation, value, atMs);
    else this.#action(operation, ending === 'onsuccess', value, atMs);
  }

  #state(change: StateChange): void {
    const last = this.#states.findLast(({ machine }) => machine === change.machine);
    if (last?.state !== change.state && this.#states.length < mostOfAKind) this.#states.push(change);
  }

  #failure(type: string, operation: string, value: EventValue, atMs: number | null): void {
    if (operation === 'setlocaldescription' || operation === 'setremotedescription') {
      const side = operation === 'setlocaldescription' ? 'local' : 'remote';
      const refused = this.#pending[side];
      this.#descriptions = this.#descriptions.filter((each) => each !== refused);
      this.#pending[side] = null;
    }
    if (this.#failures.length >= mostOfAKind) return;
    const message = field(value, 'message', 'error') ?? asText(opened(value));
    const called = type.replace(/(?:OnFailure|Failed)$/i, '');
    this.#failures.push({
      atMs,
      operation: called,
      message: withoutPassword(message.slice(0, 500)),
      isMended: false,
    });
  }

  #action(operation: string, isSuccess: boolean, value: EventValue, atMs: number | null): void {
    if (isSuccess || operation === 'addicecandidate') this.#mend(operation);
    switch (operation) {
      case 'setlocaldescription':
        this.#description('local', isSuccess, value, atMs);
        return;
      case 'setremotedescription':
        this.#description('remote', isSuccess, value, atMs);
        return;
      case 'icecandidate':
        this.#candidate('local', value, atMs);
        return;
      case 'addicecandidate':
        this.#candidate('remote', value, atMs);
        return;
      case 'icecandidateerror':
        this.#candidateError(value, atMs);
        return;
      case 'transceiveradded':
      case 'transceivermodified':
        this.#transceiver(value);
        return;
      case 'createdatachannel':
      case 'datachannel':
        if (this.#channels.size < 100)
          this.#channels.add((field(value, 'label') ?? asText(value)).slice(0, 100));
        return;
      case 'setconfiguration':
        this.setConfiguration(value);
        return;
      case 'close':
      case 'stop':
        this.#closedAtMs = atMs ?? this.#closedAtMs;
        this.#state({ atMs, machine: 'signaling', state: 'closed' });
        return;
      default:
    }
  }

  #mend(operation: string): void {
    for (const each of this.#failures) if (each.operation.toLowerCase() === operation) each.isMended = true;
  }

  #description(side: Side, isSuccess: boolean, value: EventValue, atMs: number | null): void {
    const { type, sdp } = descriptionOf(value);
    // An implicit setLocalDescription() tells what it made when it has succeeded.
    if (type === null) return;
    const pending = this.#pending[side];
    this.#pending[side] = null;
    const text = readDescription(sdp, { side, atMs });
    for (const each of text?.candidates ?? []) this.#keep(each);
    const sections = text?.sections ?? null;
    if (isSuccess && pending?.type === type) {
      pending.sections = sections ?? pending.sections;
      return;
    }
    if (this.#descriptions.length >= mostOfAKind) return;
    const description = { atMs, side, type, sections };
    this.#descriptions.push(description);
    if (!isSuccess) this.#pending[side] = description;
  }

  #candidate(side: Side, value: EventValue, atMs: number | null): void {
    const candidate = parseCandidate(asText(value).replaceAll('\\"', '"'), { atMs, side, from: 'event' });
    if (candidate !== null) this.#keep(candidate);
  }

  #keep(candidate: CandidateFacts): void {
    const { side, type, protocol, address, port, relatedPort } = candidate;
    const key = JSON.stringify([side, type, protocol, address, port, relatedPort]);
    if (!this.#candidates.has(key) && this.#candidates.size < mostOfAKind)
      this.#candidates.set(key, candidate);
  }

  #candidateError(value: EventValue, atMs: number | null): void {
    if (this.#errors.length >= mostOfAKind) return;
    const address = field(value, 'address') ?? '';
    const port = Number(field(value, 'port') ?? Number.NaN);
    const [, host = address, hostPort] =
      /^\[?([^\]]+?)\]?:(\d+)$/.exec(field(value, 'host_candidate', 'hostCandidate') ?? '') ?? [];
    const localPort = Number.isFinite(port) ? port : Number(hostPort ?? 0);
    this.#errors.push({
      atMs,
      url: field(value, 'url') ?? '',
      code: Number(field(value, 'error_code', 'errorCode') ?? 0) || 0,
      text: (field(value, 'error_text', 'errorText') ?? '').slice(0, 200),
      local: host === '' || /x\.x|redacted/i.test(host) ? null : { address: host, port: localPort },
    });
  }

  #transceiver(value: EventValue): void {
    const read = readTransceiver(value);
    if (read !== null && this.#transceivers.size < 1000) this.#transceivers.set(read.key, read.facts);
  }

  facts(): ConnectionFacts {
    const objects = this.statistics.objects();
    for (const { lastAtMs } of objects) if (lastAtMs !== null) this.seenAt(lastAtMs);
    for (const { series } of objects) {
      for (const { atMs } of series.values()) this.seenAt(atMs[0] ?? Number.NaN);
    }
    const known = new Set(this.#states.map(({ machine }) => machine));
    const states = [...this.#states, ...statesOfTransports(objects, known)];
    return {
      id: this.#id,
      url: this.#url,
      history: this.#history(),
      hasAllCandidates: this.#history() === 'whole',
      firstAtMs: Number.isFinite(this.#firstAtMs) ? this.#firstAtMs : null,
      lastAtMs: Number.isFinite(this.#lastAtMs) ? this.#lastAtMs : null,
      closedAtMs: this.#closedAtMs,
      configuration: this.#configuration,
      states: states.toSorted((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0)),
      descriptions: this.#descriptions,
      failures: this.#failures,
      transceivers: [...this.#transceivers.values()],
      candidates: candidatesWith([...this.#candidates.values()], objects),
      candidateErrors: this.#errors,
      pairs: pairsOf(objects),
      transports: transportsOf(objects),
      streams: streamsOf(objects),
      sources: sourcesOf(objects),
      playout: playoutOf(objects),
      dataChannels: [...this.#channels],
    };
  }

  #history(): History {
    if (this.#events === 0) return 'none';
    return this.#isFromTheBeginning ? 'whole' : 'late';
  }
}

/** `{"type":"offer","sdp":"…"}`, `type: offer, sdp: …`, or nothing. */
function descriptionOf(value: EventValue): { type: Description['type'] | null; sdp: string } {
  const data = opened(value);
  const [, oldType, oldSdp] = typeof data === 'string' ? (/^type: (\w+), sdp: ([^]*)$/.exec(data) ?? []) : [];
  const type = oldType ?? member(data, 'type');
  const sdp = oldSdp ?? member(data, 'sdp');
  const isKnown = type === 'offer' || type === 'answer' || type === 'pranswer' || type === 'rollback';
  return { type: isKnown ? type : null, sdp: typeof sdp === 'string' ? sdp : '' };
}
