import { LogAssembly } from '../../coturn/log/assembly.ts';
import { sameAddress } from '../../model/endpoint.ts';
import type { Seen } from '../../model/firewall-facts.ts';
import type { EvidenceSection } from '../../model/server-evidence.ts';
import type { LogSession } from '../../model/server-log-facts.ts';
import type { TracedLog, TrackedFlow, UntakenPackets, WitnessTrace } from '../../model/witness-facts.ts';
import { seen, unknown } from './section.ts';

export interface TraceQuestion {
  readonly lacks: WitnessTrace['lacks'];
  /** Addresses of the client. */
  readonly clients: readonly string[];
  /** Names under which it logged in. */
  readonly users: readonly string[];
  /** When it was read. */
  readonly readAtMs: number;
}

type Sections = Readonly<Record<string, EvidenceSection>>;

/** What the sections that templates/server-witness.sh prints without a capture say. What others did there is left out. */
export function witnessTrace(sections: Sections, question: TraceQuestion): WitnessTrace {
  return {
    lacks: question.lacks,
    log: tracedLog(sections, question),
    tracked: trackedFlows(sections, question),
    untaken: untakenPackets(sections),
  };
}

function textOf(sections: Sections, name: string): string | null {
  const section = Object.hasOwn(sections, name) ? sections[name] : undefined;
  return section?.status === '0' ? section.text : null;
}

function tracedLog(sections: Sections, { clients, users, readAtMs }: TraceQuestion): Seen<TracedLog> {
  const text = textOf(sections, 'log') ?? '';
  if (text.trim() === '') return unknown('the log of coturn has nothing of that time, or may not be read');
  // By its own word, journald leaves out what is too much at once.
  if (/ systemd-journald\[\d+\]: Suppressed \d+ messages from /.test(text))
    return unknown('lines of the log of coturn were left out by journald');
  const assembly = new LogAssembly(readAtMs);
  for (const line of text.split('\n')) assembly.push({ text: line, isCut: false });
  const { tellsSessions, sessions } = assembly.finish('the log', null);
  if (!tellsSessions) return unknown('the log of coturn tells of no session');
  const isOwn = ({ client, user }: LogSession): boolean => {
    const address = client?.replace(/:\d+$/, '') ?? '';
    return clients.some((each) => sameAddress(each, address)) || users.includes(user);
  };
  return seen({
    sessions: sessions.last.filter(isOwn).map(({ server, transport, relay, peerUsage }) => ({
      listener: server === null ? null : { port: portOf(server), isUdp: transport === 'udp' },
      relayPort: relay === null ? null : portOf(relay),
      fromPeers: peerUsage?.receivedPackets ?? null,
    })),
    unnamed: sessions.last.filter((each) => each.client === null && each.user === '').length,
  });
}

/** Of `203.0.113.10:3478`. */
function portOf(endpoint: string): number {
  return Number(/(\d+)$/.exec(endpoint)?.[1] ?? 0);
}

/** Lines of nf_conntrack, and of conntrack -L: the first tuple is that of who began. */
function trackedFlows(sections: Sections, { clients }: TraceQuestion): Seen<readonly TrackedFlow[]> {
  const text = textOf(sections, 'tracked');
  if (text === null) return unknown('the connection table of the kernel may not be read, or is not kept');
  const flows = text.split('\n').flatMap((line): TrackedFlow[] => {
    const [, transport, source = '', port] =
      /\b(udp|tcp)\b.*? src=(\S+) dst=\S+ sport=\d+ dport=(\d+)/.exec(line) ?? [];
    if (transport !== 'udp' && transport !== 'tcp') return [];
    if (!clients.some((each) => sameAddress(each, source))) return [];
    return [{ transport, hostPort: Number(port), isAnswered: !line.includes('[UNREPLIED]') }];
  });
  return seen(flows);
}

/** proc_net(5): `SL: ADDRESS:PORT REMOTE STATE TX:RX … INODE … DROPS`, in hexadecimal but for the last two. */
function untakenPackets(sections: Sections): Seen<readonly UntakenPackets[]> {
  const [before, after] = [textOf(sections, 'udp before'), textOf(sections, 'udp after')];
  if (before === null || after === null) return unknown('the sockets of the server may not be read');
  const known = new Map(socketsIn(before).map((each) => [each.inode, each.drops]));
  return seen(
    socketsIn(after).flatMap(({ inode, port, drops, waiting }): UntakenPackets[] => {
      const dropped = drops - (known.get(inode) ?? drops);
      return dropped > 0 || waiting > 0 ? [{ port, dropped, waiting }] : [];
    }),
  );
}

function socketsIn(text: string): { inode: string; port: number; drops: number; waiting: number }[] {
  return text.split('\n').flatMap((line) => {
    const words = line.trim().split(/\s+/);
    const [, local = '', , , queues = ''] = words;
    const [inode, drops] = [words[9], words.at(-1)];
    if (!/^[0-9A-F]+:[0-9A-F]{4}$/.test(local) || inode === undefined || drops === undefined) return [];
    const [port, waiting] = [local, queues].map((each) => Number.parseInt(each.split(':')[1] ?? '', 16));
    return [{ inode, port: port ?? 0, drops: Number(drops), waiting: waiting ?? 0 }];
  });
}
