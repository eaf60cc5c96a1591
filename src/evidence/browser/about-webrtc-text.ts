import { turnErrors } from './about-webrtc-log.ts';
import type { FirefoxReport } from './firefox-report.ts';

/** The text of about:webrtc, line by line, as far as it is told of one connection. */
interface Draft {
  readonly pcid: string;
  readonly timestamp: number | null;
  readonly closed: boolean;
  readonly configuration: { iceServers: { urls: unknown }[]; iceTransportPolicy: string | null };
  readonly statistics: Record<string, unknown>[];
  readonly raw: { readonly local: string[]; readonly remote: string[] };
  readonly descriptions: { isLocal: boolean | null; timestamp: number | null; sdp: string }[];
  offerer: boolean;
  /** What stands behind its candidates was there as well. */
  hasEnd: boolean;
}

interface Place {
  side: 'local' | 'remote' | null;
  timestamp: number | null;
  kind: string | null;
  codec: string | null;
  ssrc: number | null;
}

const mostRows = 5000;

const connectionId = /^[^(\t]{0,80}?((?:\{[\da-f-]{36}\} )?\d{13,17} \(id=\d+ url=[^)]*\)(?: ?\S{1,100})?)$/i;
const heading = /^\[ (?:\d+ \| )?\d+ \] \S+ (\([^)]{1,60}\))?\s*(.*)$/;

/**
 * The connections of a page of about:webrtc (Firefox 45 to 153), as a person copies it, or as the lines of a saved one. The
 * columns of tables have changed their order; what a cell is, is seen from what is in it.
 */
export function pageReports(lines: readonly string[]): FirefoxReport[] {
  const drafts: Draft[] = [];
  let head: { timestamp: number | null; closed: boolean } = { timestamp: null, closed: false };
  let place = nowhere();
  let logFrom = lines.length;
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if (line.startsWith('Connection Log')) {
      logFrom = at;
      break;
    }
    const [, closed, time] = heading.exec(line) ?? [];
    if (time !== undefined) {
      head = { timestamp: timeOf(time), closed: closed !== undefined };
      continue;
    }
    const [, pcid] = connectionId.exec(line) ?? [];
    if (pcid !== undefined) {
      drafts.push(draftOf(pcid, head));
      place = nowhere();
      continue;
    }
    const draft = drafts.at(-1);
    if (draft === undefined) continue;
    // Behind the candidates stand the descriptions, or the log.
    if (/SDP/.test(line)) draft.hasEnd = true;
    if (/^v=0\s*$/.test(line)) {
      const end = endOfDescription(lines, at);
      addDescription(draft, place, lines.slice(at, end));
      at = end - 1;
    } else takeLine(draft, place, line);
  }
  const errors = turnErrors(lines.slice(logFrom));
  return drafts.map((draft) => ({
    ...reportOf(draft),
    turnErrors: errors.filter(({ pcid }) => pcid === draft.pcid),
  }));
}

function nowhere(): Place {
  return { side: null, timestamp: null, kind: null, codec: null, ssrc: null };
}

function draftOf(pcid: string, head: { timestamp: number | null; closed: boolean }): Draft {
  return {
    pcid,
    ...head,
    configuration: { iceServers: [], iceTransportPolicy: null },
    statistics: [],
    raw: { local: [], remote: [] },
    descriptions: [],
    offerer: true,
    hasEnd: false,
  };
}

function endOfDescription(lines: readonly string[], from: number): number {
  const length = lines.slice(from + 1).findIndex((line) => !/^[a-uw-z]=/.test(line));
  return length === -1 ? lines.length : from + 1 + length;
}

function addDescription(draft: Draft, place: Place, lines: readonly string[]): void {
  if (draft.descriptions.length >= 100) return;
  const sdp = `${lines.join('\r\n')}\r\n`;
  const { side, timestamp } = place;
  draft.descriptions.push({ isLocal: side === null ? null : side === 'local', timestamp, sdp });
  place.timestamp = null;
}

function takeLine(draft: Draft, place: Place, line: string): void {
  const [, offering] = /(Local|Remote) SDP \(Offer\)/.exec(line) ?? [];
  if (offering !== undefined) draft.offerer = offering === 'Local';
  const [, side] = /^(?:Raw )?(Local|Remote) (?:SDP|Candidate)/.exec(line) ?? [];
  if (side !== undefined) place.side = side === 'Local' ? 'local' : 'remote';
  const [, time] = /^Timestamp (\d{13})/.exec(line) ?? [];
  if (time !== undefined) place.timestamp = Number(time);
  takeStream(place, line);
  takeConfiguration(draft, line);
  if (draft.statistics.length >= mostRows) return;
  const figures = rtpFigures(line, place, draft.timestamp);
  if (figures !== null) draft.statistics.push(figures);
  else takeCandidates(draft, place, line);
}

/** `audio/opus - SSRC 1214105333`; `inbound_rtp_audio_1`. */
function takeStream(place: Place, line: string): void {
  const [, kind, codec, ssrc] = /^(?:(audio|video)\/(\S+) - )?SSRC (\d+)$/.exec(line) ?? [];
  const [, oldKind] = /^(?:in|out)bound_rtp_(audio|video)/.exec(line) ?? [];
  if (ssrc === undefined && oldKind === undefined) return;
  place.kind = kind ?? oldKind ?? null;
  place.codec = codec === undefined ? null : `${kind ?? ''}/${codec}`;
  place.ssrc = ssrc === undefined ? null : Number(ssrc);
}

function takeConfiguration({ configuration }: Draft, line: string): void {
  const [, policy] = /^iceTransportPolicy: (\w+)/.exec(line) ?? [];
  if (policy !== undefined) configuration.iceTransportPolicy = policy;
  const [, urls] = /\burls: (\[.*?\]|".*?")/.exec(line) ?? [];
  if (urls !== undefined && configuration.iceServers.length < 100)
    configuration.iceServers.push({ urls: urls.match(/(?<=")[^"]+(?=")/g) ?? [] });
}

const rtpLine = /\d\d:\d\d:\d\d GMT[+-]\d{4}.*? ((?:remote-)?(?:in|out)bound-?rtp)(?: SSRC: (\d+))?(.*)$/;

/** `Local: 15:44:45 GMT+0000 (…) inbound-rtp Received 449 packets (66.82 Kb) Lost 0 packets Jitter 0.006`. */
function rtpFigures(line: string, place: Place, dayMs: number | null): Record<string, unknown> | null {
  const [, type, told, rest = ''] = rtpLine.exec(line) ?? [];
  if (type === undefined) return null;
  const isRemote = type.startsWith('remote-') || line.startsWith('Remote');
  const figure = (pattern: RegExp): number | undefined => {
    const text = pattern.exec(rest)?.[1]?.replaceAll(',', '');
    return text === undefined || Number.isNaN(Number(text)) ? undefined : Number(text);
  };
  const ssrc = told === undefined ? place.ssrc : Number(told);
  const isOutbound = type.includes('outbound');
  const packets = figure(/(?:Sent|Received):? ([\d,]+)/) ?? 0;
  const bytes = figure(/\(([\d.]+) Kb/) ?? 0;
  const roundTripMs = figure(/RTT: ([\d.]+) ms/);
  const named = type.replace(/^(in|out)boundrtp$/, '$1bound-rtp');
  return {
    id: `${isRemote ? 'remote ' : ''}${named} ${ssrc ?? ''}`,
    type: isRemote && !named.startsWith('remote-') ? `remote-${named}` : named,
    timestamp: timeOfDay(line, dayMs),
    ssrc,
    kind: place.kind,
    ...(place.codec === null ? {} : { codecId: place.codec }),
    // What has no packets is written without a figure.
    ...(isOutbound ? { packetsSent: packets, bytesSent: bytes * 1024 } : { packetsReceived: packets }),
    ...(isOutbound ? {} : { bytesReceived: bytes * 1024, packetsLost: figure(/Lost:? ([\d,]+)/) ?? 0 }),
    jitter: figure(/Jitter:? ([\d.]+)/),
    ...(roundTripMs === undefined ? {} : { roundTripTime: roundTripMs / 1000 }),
  };
}

/** The time of a line, on the day of the report or the one before. */
function timeOfDay(line: string, reportMs: number | null): number | null {
  const [, hours, minutes, seconds, zone = '+0000'] = /(\d\d):(\d\d):(\d\d) GMT([+-]\d{4})/.exec(line) ?? [];
  if (hours === undefined || reportMs === null) return reportMs;
  const offsetMin = (Number(zone.slice(0, 3)) * 60 + Number(zone[0] + zone.slice(3))) % 1440;
  const ofDayMs = ((Number(hours) * 60 + Number(minutes) - offsetMin) * 60 + Number(seconds)) * 1000;
  const dayMs = 86_400_000;
  const atMs = Math.floor(reportMs / dayMs) * dayMs + (((ofDayMs % dayMs) + dayMs) % dayMs);
  return atMs > reportMs + 60_000 ? atMs - dayMs : atMs;
}

const candidate = /^(\S+):(\d+)\/(\w+)\((\w+?)(?:-(udp|tcp|tls))?\)/;
const states: ReadonlySet<string> = new Set([
  ...['frozen', 'waiting', 'inprogress', 'in-progress', 'failed', 'succeeded', 'cancelled'],
]);

function takeCandidates(draft: Draft, place: Place, line: string): void {
  const cells = line.split('\t', 20).map((cell) => cell.trim());
  if (cells.some((cell) => candidate.test(cell)) && cells.some((cell) => states.has(cell))) {
    takePair(draft, cells);
    return;
  }
  for (const [index, cell] of cells.slice(0, 2).entries()) {
    const isLabel = /^(?:host|srflx|prflx|relay|turn[\w-]*)\(IP[46]:/i.test(cell);
    if (!isLabel && !/^(?:a=)?candidate:/.test(cell)) continue;
    // The labels are its own; in the two columns of Firefox before 74 the second one is the other side's.
    const side = isLabel ? 'local' : cells.length > 1 ? (index === 0 ? 'local' : 'remote') : place.side;
    draft.raw[side ?? 'remote'].push(cell);
  }
}

/** A row of pairs: both candidates, the state, and in each version at the same places from it what was chosen. */
function takePair({ statistics }: Draft, cells: readonly string[]): void {
  const ends = cells.filter((cell) => candidate.test(cell) || cell === '*');
  const stateAt = cells.findIndex((cell) => states.has(cell));
  const [nominatedAt, sentAt] = stateAt === 0 ? [1, 7] : [stateAt + 2, stateAt + 4];
  const sides = ['local-candidate', 'remote-candidate'] as const;
  for (const [index, type] of sides.entries()) {
    const [, address, port, protocol, candidateType, relayProtocol] = candidate.exec(ends[index] ?? '') ?? [];
    if (address === undefined) continue;
    const known = { address, port: Number(port), protocol, candidateType };
    const id = `${type} ${ends[index]}`;
    statistics.push({ id, type, ...known, ...(relayProtocol === undefined ? {} : { relayProtocol }) });
  }
  const figure = (cell: string | undefined): number | undefined =>
    cell === undefined || !/^\d+$/.test(cell) ? undefined : Number(cell);
  statistics.push({
    id: `pair ${cells.join(' ').slice(0, 300)}`,
    type: 'candidate-pair',
    localCandidateId: `local-candidate ${ends[0] ?? ''}`,
    remoteCandidateId: `remote-candidate ${ends[1] ?? ''}`,
    state: cells[stateAt],
    nominated: cells[nominatedAt] === 'true',
    selected: cells[nominatedAt + 1] === 'true',
    bytesSent: figure(cells[sentAt]),
    bytesReceived: figure(cells[sentAt + 1]),
  });
}

/** ISO 8601, or what `Date.prototype.toString` writes (ECMA-262 §21.4.4.41). */
function timeOf(text: string): number | null {
  const [iso] = /\d{4}-\d\d-\d\dT[\d:.]+Z/.exec(text) ?? [];
  const [long] = /\w{3} \w{3} \d\d \d{4} [\d:]{8} GMT[+-]\d{4}/.exec(text) ?? [];
  const atMs = Date.parse(iso ?? long ?? '');
  return Number.isNaN(atMs) ? null : atMs;
}

/** As “Copy Report” would have given it. */
function reportOf({ statistics, raw, descriptions, timestamp, ...draft }: Draft): FirefoxReport {
  const codecs = [
    ...new Set(statistics.flatMap(({ codecId }) => (typeof codecId === 'string' ? codecId : []))),
  ];
  return {
    pcid: draft.pcid,
    closed: draft.closed,
    // Older pages have none.
    ...(draft.hasEnd && draft.configuration.iceTransportPolicy !== null
      ? { configuration: draft.configuration }
      : {}),
    ...(timestamp === null ? {} : { timestamp }),
    statistics: [...statistics, ...codecs.map((id) => ({ id, type: 'codec', mimeType: id }))],
    ...(draft.hasEnd ? { rawLocalCandidates: raw.local, rawRemoteCandidates: raw.remote } : rest(raw)),
    offerer: draft.offerer,
    ...descriptionsOf(descriptions, draft.offerer),
  };
}

/** Those of a page that ends early; a name of its own, so that they do not pass for all. */
function rest({ local, remote }: Draft['raw']): object {
  return { someLocalCandidates: local, someRemoteCandidates: remote };
}

/** The history where there is one; else the last ones, of which an answer takes a DTLS role (RFC 8842 §5.3). */
function descriptionsOf(all: Draft['descriptions'], isOffering: boolean): object {
  const dated = all.filter(({ timestamp, isLocal }) => timestamp !== null && isLocal !== null);
  if (dated.length > 0) return { sdpHistory: dated };
  const isOffer = ({ sdp }: { readonly sdp: string }): boolean => /^a=setup:actpass/m.test(sdp);
  const offer = all.find(isOffer)?.sdp ?? '';
  const answer = all.find((each) => !isOffer(each))?.sdp ?? '';
  return isOffering ? { localSdp: offer, remoteSdp: answer } : { localSdp: answer, remoteSdp: offer };
}
