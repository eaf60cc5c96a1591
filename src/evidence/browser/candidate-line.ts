import type { CandidateFacts, CandidateType, Side } from '../../model/call-recording.ts';

// RFC 8839 §5.1: foundation, component, transport, priority, address, port, "typ" type, then pairs of names and values.
const pattern =
  /candidate:\s*(\S{1,64}) (\d{1,5}) (\w{2,8}) (\d{1,12}) (\S{0,255}) (\d{1,5}) typ (host|srflx|prflx|relay)\b([^\r\n]{0,1024})/i;

/** How libwebrtc's priority tells the transport to the TURN server: its type preference is 2, 1 or 0 for relays. */
const relayProtocols = ['tls', 'tcp', 'udp'] as const;

/**
 * Reads the `candidate:…` line that stands in `text`; null when none does.
 * @param context who has it, when and where it was seen
 */
export function parseCandidate(
  text: string,
  context: Pick<CandidateFacts, 'atMs' | 'side' | 'from'>,
): CandidateFacts | null {
  const [, , , protocol = '', priority = '', address = '', port = '', type = '', rest = ''] =
    pattern.exec(text) ?? [];
  if (type === '') return null;
  const transport = protocol.toLowerCase();
  if (transport !== 'udp' && !/^(?:tcp|ssltcp)$/.test(transport)) return null;
  const extension = (name: string): string | null =>
    new RegExp(`\\s${name}\\s+(\\S+)`, 'i').exec(rest)?.[1] ?? null;
  const kind = type.toLowerCase() as CandidateType;
  return {
    ...context,
    id: null,
    type: kind,
    protocol: transport === 'udp' ? 'udp' : 'tcp',
    tcpType: extension('tcptype'),
    address: shownAddress(address),
    port: Number(port),
    relatedAddress: shownAddress(extension('raddr') ?? ''),
    relatedPort: numberOrNull(extension('rport')),
    priority: Number(priority),
    relayProtocol: kind === 'relay' ? relayProtocolOf(text, context.side, Number(priority)) : null,
    url: /["\s,]url"?:\s*"?([^",\s]+)/.exec(text)?.[1] ?? null,
    networkType: null,
  };
}

/** An address as it is of use; null for the texts that stand where one was taken out. */
export function shownAddress(text: string): string | null {
  const bare = text.replace(/^\[(.*)\]$/, '$1');
  return bare === '' || /redacted|^x+[.:]|x\.x|^\?+$/i.test(bare) ? null : bare;
}

function numberOrNull(text: string | null): number | null {
  return text !== null && /^\d{1,6}$/.test(text) ? Number(text) : null;
}

function relayProtocolOf(text: string, side: Side, priority: number): CandidateFacts['relayProtocol'] {
  const told = /relayProtocol"?:\s*"?(udp|tcp|tls)/i.exec(text)?.[1]?.toLowerCase();
  if (told !== undefined) return told as CandidateFacts['relayProtocol'];
  if (side === 'remote') return null;
  return relayProtocols[priority >>> 24] ?? null;
}
