import { portsPerUser } from '../../config/relay-range.ts';
import type { Capacity, Formula, Usage } from '../../model/plan-report.ts';
import { allocationBytes, overheadBytes, packetsPerCore, rtcpFactor } from './capacity.ts';

/** How each figure of a plan comes about, with the numbers put in, for those who want to check or to change them. */
export function formulasOf(usage: Usage, capacity: Capacity): Formula[] {
  const { users, minutes, relayedRatio, bitrateBps } = usage;
  const { relay, stream, peak, month, machine } = capacity;
  const share = `${percent(relayedRatio)} relayed`;
  const { rtp, srtp, udp, ipv4, channelData } = overheadBytes;
  const around = rtp + srtp + udp + ipv4;
  const perUser = stream.clientBps + stream.peerBps;
  return [
    {
      name: 'relay ports',
      text: `${grouped(users)} users × ${portsPerUser} allocations (udp, tcp, tls, and one that a lost network left behind), at least 40 = ${grouped(relay.ports)}`,
    },
    {
      name: 'one stream',
      text: `(${kilobits(bitrateBps)} of media + ${stream.packetsPerSecond} packets/s × ${around} bytes of RTP, SRTP, UDP and IPv4, ${channelData} more to a client) × ${rtcpFactor} for RTCP = ${kilobits(stream.clientBps)} to a client, ${kilobits(stream.peerBps)} to the other side`,
    },
    {
      name: 'bandwidth',
      text: `${grouped(users)} users × ${share} = ${grouped(peak.relayedUsers)}; each ${kilobits(perUser)} in and as much out, what it sends and what it gets`,
    },
    {
      name: 'traffic',
      text: `${grouped(minutes)} minutes × ${share} = ${grouped(Math.round(month.relayedMinutes))} minutes × 60 s × ${kilobits(perUser)} / 8, in each direction`,
    },
    {
      name: 'cores',
      text: `${grouped(peak.relayedUsers)} users × 2 streams × ${stream.packetsPerSecond} = ${grouped(peak.packetsPerSecond)} packets/s / ${grouped(packetsPerCore)} for a core at half load (20 µs a packet, measured on coturn 4.6.1) = ${machine.cores}`,
    },
    {
      name: 'memory',
      text: `512 MiB for the system + ${grouped(users)} users × ${portsPerUser} allocations × ${allocationBytes / 1024} KiB`,
    },
  ];
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function percent(ratio: number): string {
  return `${Math.round(ratio * 1000) / 10} %`;
}

function kilobits(bps: number): string {
  return `${Math.round(bps / 100) / 10} kbit/s`;
}
