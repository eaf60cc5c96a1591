import { createSocket } from 'node:dgram';
import { familyOf } from '../model/endpoint.ts';
import { AttemptError, systemFailure } from '../model/failure.ts';
import type { Transport, ConnectOptions } from './transport.ts';

// Room for a burst of a few hundred packets while the event loop is busy; the kernel caps it at net.core.rmem_max.
const receiveBufferBytes = 1 << 20;

// What befell one packet and says nothing of the next: too large for the path (Linux reports it for a packet that was
// sent before, and fragments from then on), or no room in the queue of the network card.
const lossOfOnePacket: ReadonlySet<string> = new Set(['EMSGSIZE', 'ENOBUFS']);

const softErrors: ReadonlySet<string> = new Set(['EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']);

/**
 * A connected UDP socket: the kernel drops datagrams of others, and ICMP errors become visible (an unconnected
 * socket of Node never reports them). Connecting sends nothing, so success proves nothing about the remote side.
 * @throws AttemptError when there is no route or no address of that family
 */
export async function openUdp({ remote, signal }: Omit<ConnectOptions, 'timeoutMs'>): Promise<Transport> {
  signal.throwIfAborted();
  const socket = createSocket({
    type: familyOf(remote.address) === 6 ? 'udp6' : 'udp4',
    recvBufferSize: receiveBufferBytes,
  });
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      // An error of connect(2) comes as the argument, one of bind(2) as an event; @types/node knows only the latter.
      socket.connect(remote.port, remote.address, (error?: Error) => (error ? reject(error) : resolve()));
    });
    signal.throwIfAborted();
  } catch (error) {
    socket.close();
    if (signal.aborted) throw error;
    throw new AttemptError(systemFailure(error as NodeJS.ErrnoException));
  }
  socket.removeAllListeners('error');
  const { address, port } = socket.address();
  let open = true;
  let hasReceived = false;
  const close = (): void => {
    if (!open) return;
    open = false;
    socket.close();
  };
  const fail = (error: NodeJS.ErrnoException): void => {
    if (!open || lossOfOnePacket.has(error.code ?? '')) return;
    // RFC 1122 §4.2.3.9: a route that is lost for a moment. Once the path has been seen to work, only silence counts.
    if (hasReceived && softErrors.has(error.code ?? '')) return;
    close();
    transport.onClosed(systemFailure(error));
  };
  const transport: Transport = {
    kind: 'udp',
    local: { address, port },
    remote,
    send(bytes) {
      // A refusal of the local firewall (EPERM) arrives here, an ICMP error of an earlier packet too.
      if (open) socket.send(bytes, (error) => (error ? fail(error) : undefined));
    },
    onBytes: () => {},
    onClosed: () => {},
    close,
  };
  socket.on('message', (bytes) => {
    hasReceived = true;
    if (open) transport.onBytes(bytes);
  });
  socket.on('error', fail);
  return transport;
}
