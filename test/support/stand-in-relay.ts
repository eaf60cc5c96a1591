import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/model/endpoint.ts';
import type { Relay } from '../../src/probes/relay-probe.ts';

export interface StandInOptions {
  /** Gives the permission, or throws. */
  readonly permit?: (addresses: readonly string[]) => Promise<void>;
  /** Whether a packet to the relay address is let in. */
  readonly takes?: (from: Endpoint, bytes: Buffer) => boolean;
}

/** A relay address on 127.0.0.1 for one test, as a firewall and permissions would have it. */
export async function standInRelay({
  permit = () => Promise.resolve(),
  takes = () => true,
}: StandInOptions = {}): Promise<Relay> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  let isOpen = true;
  onTestFinished(() => {
    isOpen = false;
    socket.close();
  });
  const relay: Relay = {
    relayed: { address: '127.0.0.1', port: socket.address().port },
    permit,
    send(peer, bytes) {
      if (isOpen) socket.send(bytes, peer.port, peer.address);
    },
    onData: () => {},
  };
  socket.on('message', (bytes, { address, port }) => {
    const from = { address, port };
    if (takes(from, bytes)) relay.onData(from, bytes);
  });
  return relay;
}
