import { createSocket } from 'node:dgram';
import { familyOf, sameEndpoint, type Endpoint, type Family } from '../model/endpoint.ts';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Transport } from './transport.ts';

/**
 * A UDP socket that plays the other end of a relay: it talks to a relay address and, from the very same port, to a
 * STUN server. Not connected, so it hears no ICMP.
 */
export interface PeerSocket {
  readonly local: Endpoint;
  send(bytes: Uint8Array, to: Endpoint): void;
  /** The one receiver of what no transport of `transportTo` takes. */
  onBytes: (bytes: Uint8Array, from: Endpoint) => void;
  /** This socket as a transport to one endpoint; closing that leaves the socket open. */
  transportTo(remote: Endpoint): Transport;
  close(): void;
}

/**
 * The address from which packets of this machine to `remote` leave; null when there is no way there. Asks the routing
 * table by connecting a socket, which sends nothing.
 */
export async function sourceAddressTowards({ address, port }: Endpoint): Promise<string | null> {
  const socket = createSocket(familyOf(address) === 6 ? 'udp6' : 'udp4');
  try {
    return await new Promise<string | null>((resolve) => {
      socket.once('error', () => resolve(null));
      // The port does not matter, but must be one.
      socket.connect(port || 9, address, (error?: Error) =>
        resolve(error ? null : socket.address().address.replace(/%.*$/, '')),
      );
    });
  } finally {
    socket.close();
  }
}

/** @throws AttemptError when this machine has no address of that family */
export async function openPeerSocket(family: Family, signal: AbortSignal): Promise<PeerSocket> {
  signal.throwIfAborted();
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(0, () => {
        socket.off('error', reject);
        resolve();
      });
    });
  } catch (error) {
    socket.close();
    throw new AttemptError(systemFailure(error as NodeJS.ErrnoException));
  }
  const { address, port } = socket.address();
  const transports = new Set<Transport>();
  let open = true;
  const peer: PeerSocket = {
    local: { address, port },
    send(bytes, to) {
      // A send that fails (no route, a local firewall) shows as a packet that does not arrive: that is what is tested.
      // Port 0, which a broken server can name, is refused by Node with an exception.
      if (!open || to.port === 0 || familyOf(to.address) !== family) return;
      socket.send(bytes, to.port, to.address, () => {});
    },
    onBytes: () => {},
    transportTo(remote) {
      const transport: Transport = {
        kind: 'udp',
        local: peer.local,
        remote,
        send(bytes) {
          if (transports.has(transport)) peer.send(bytes, remote);
        },
        onBytes: () => {},
        onClosed: () => {},
        close: () => void transports.delete(transport),
      };
      transports.add(transport);
      return transport;
    },
    close() {
      if (!open) return;
      open = false;
      socket.close();
    },
  };
  socket.on('message', (bytes, { address: from, port: fromPort }) => {
    const sender = { address: from, port: fromPort };
    const transport = [...transports].find(({ remote }) => sameEndpoint(remote, sender));
    if (transport) transport.onBytes(bytes);
    else peer.onBytes(bytes, sender);
  });
  // An unconnected socket reports no error of the network; one that appears nevertheless ends it like a close.
  socket.on('error', () => peer.close());
  return peer;
}
