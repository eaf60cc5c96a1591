import type { CaptureFacts } from '../../model/capture-facts.ts';
import type { ByteSource } from '../byte-source.ts';
import { CaptureFileReader, type CapturedPacket } from './capture-file.ts';
import { FlowTable } from './flow-table.ts';
import { PacketParser, protocolNumber } from './packet.ts';

const mostLinkTypes = 8;

/**
 * Reads a capture of packets in one pass: pcap or pcapng, Ethernet with VLAN and PPPoE, Linux cooked, raw IP and loopback.
 * `file` is how the facts name it. With `every`, five-tuples that say nothing about calls are told as well.
 * @throws RtcOpsError `configuration` when it is no capture, and what `source` throws
 */
export async function readCapture(
  source: ByteSource,
  file: string,
  options: { readonly every?: boolean } = {},
): Promise<CaptureFacts> {
  const counter = new PacketCounter(options);
  const reader = new CaptureFileReader((packet) => counter.take(packet));
  for await (const chunk of source.chunks) reader.push(chunk);
  const damage = reader.end();
  return counter.finish({
    file,
    format: reader.format,
    dropped: reader.dropped,
    cutShort: source.cutShort() ?? damage,
  });
}

class PacketCounter {
  readonly #parser = new PacketParser();
  readonly #flows: FlowTable;
  readonly #unknownLinkTypes = new Set<number>();
  readonly #counts = { total: 0, udp: 0, tcp: 0, icmp: 0, other: 0, fragments: 0, cut: 0, malformed: 0 };
  #firstAtMs: number | null = null;
  #lastAtMs: number | null = null;

  constructor(options: { readonly every?: boolean }) {
    this.#flows = new FlowTable(options);
  }

  take(captured: CapturedPacket): void {
    const counts = this.#counts;
    counts.total++;
    this.#firstAtMs ??= captured.atMs;
    this.#lastAtMs = captured.atMs ?? this.#lastAtMs;
    if (captured.end - captured.start < captured.originalLength) counts.cut++;
    const outcome = this.#parser.parse(captured);
    switch (outcome) {
      case 'packet':
        this.#packet();
        return;
      case 'fragment':
        counts.fragments++;
        return;
      case 'unknown-link':
        counts.other++;
        if (this.#unknownLinkTypes.size < mostLinkTypes) this.#unknownLinkTypes.add(captured.linkType);
        return;
      default:
        counts[outcome]++;
    }
  }

  #packet(): void {
    const { packet } = this.#parser;
    const counts = this.#counts;
    switch (packet.protocol) {
      case protocolNumber.udp:
        counts.udp++;
        break;
      case protocolNumber.tcp:
        counts.tcp++;
        break;
      case protocolNumber.icmp:
      case protocolNumber.icmp6:
        counts.icmp++;
        break;
      default:
        counts.other++;
        return;
    }
    if (!this.#flows.take(packet)) counts.malformed++;
  }

  finish(
    head: Pick<CaptureFacts, 'file' | 'format' | 'cutShort'> & { readonly dropped: number },
  ): CaptureFacts {
    const { flows, leftOut } = this.#flows.finish(this.#lastAtMs);
    return {
      file: head.file,
      format: head.format,
      firstAtMs: this.#firstAtMs,
      lastAtMs: this.#lastAtMs,
      packets: { ...this.#counts, incomplete: this.#parser.fragments.incomplete, dropped: head.dropped },
      unknownLinkTypes: [...this.#unknownLinkTypes],
      flowCount: this.#flows.flowCount,
      flowsBothWays: this.#flows.bothWays,
      flowsLeftOut: leftOut,
      flows,
      cutShort: head.cutShort,
    };
  }
}
