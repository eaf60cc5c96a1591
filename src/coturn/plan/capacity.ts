import { mostUsersPerAddress, portsPerUser, relayPortsFor, relayRangeFor } from '../../config/relay-range.ts';
import type { Capacity, StreamSize, Usage } from '../../model/plan-report.ts';

/** Bytes around the media of each packet. */
export const overheadBytes = {
  // RFC 3550 §5.1; RFC 3711 §4.2 with the authentication tag of 80 bits that WebRTC uses.
  rtp: 12,
  srtp: 10,
  udp: 8,
  ipv4: 20,
  // RFC 8656 §12.4, between client and server alone.
  channelData: 4,
} as const;

/** RTCP may take a twentieth of what the media takes (RFC 3550 §6.2). */
export const rtcpFactor = 1.05;

// What browsers put into a packet of video at most.
const mostMediaBytes = 1100;

/** Measured on coturn 4.6.1: 20 µs of one core for a packet that is relayed. Planned for half of that core. */
export const packetsPerCore = 25_000;

/** Measured on coturn 4.6.1: 44 KiB for an allocation. */
export const allocationBytes = 64 * 1024;

const systemBytes = 512 * 1024 * 1024;

/** What a service needs for what it is expected to carry. */
export function capacityFor(usage: Usage): Capacity {
  const { users, minutes, relayedRatio } = usage;
  const stream = streamSize(usage);
  const relayedUsers = Math.ceil(users * relayedRatio);
  // A relayed user sends one stream and gets one: each comes in on one side and leaves on the other.
  const bpsPerUser = stream.clientBps + stream.peerBps;
  const packetsPerSecond = relayedUsers * 2 * stream.packetsPerSecond;
  const relayedMinutes = minutes * relayedRatio;
  const bytesOf = (bps: number): number => (relayedMinutes * 60 * bps) / 8;
  return {
    relay: {
      ports: relayPortsFor(users),
      range: relayRangeFor(users),
      addresses: Math.ceil(users / mostUsersPerAddress),
    },
    stream,
    peak: { relayedUsers, bps: relayedUsers * bpsPerUser, packetsPerSecond },
    month: { relayedMinutes, bytes: bytesOf(bpsPerUser), clientBytes: bytesOf(stream.clientBps) },
    machine: {
      cores: Math.max(1, Math.ceil(packetsPerSecond / packetsPerCore)),
      memoryBytes: systemBytes + users * portsPerUser * allocationBytes,
    },
  };
}

function streamSize({ bitrateBps, frameMs }: Usage): StreamSize {
  const packetsPerSecond = Math.max(1000 / frameMs, Math.ceil(bitrateBps / 8 / mostMediaBytes));
  const { rtp, srtp, udp, ipv4, channelData } = overheadBytes;
  const onWire = (overhead: number): number => (bitrateBps + packetsPerSecond * overhead * 8) * rtcpFactor;
  const around = rtp + srtp + udp + ipv4;
  return { packetsPerSecond, clientBps: onWire(around + channelData), peerBps: onWire(around) };
}
