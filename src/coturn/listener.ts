import type { Endpoint } from '../model/endpoint.ts';
import type { TransportKind } from '../model/turn-uri.ts';
import { isOn, lastValueOf, valuesOf, type PlainDirective } from './directive.ts';

/** A socket that a coturn opens for its clients. */
export interface Listener {
  readonly transport: TransportKind;
  readonly endpoint: Endpoint;
}

/**
 * The sockets that a coturn with these directives opens for its clients. Without `listening-ip` coturn listens
 * on every address of the machine, loopback among them; 127.0.0.1 stands for those. Where TLS is on but the
 * certificate or its key is not named, coturn opens no TLS listener. A port of `aux-server` serves each transport that is on.
 */
export function listenersOf(directives: readonly PlainDirective[]): Listener[] {
  const named = valuesOf(directives, 'listening-ip');
  const addresses = named.length === 0 ? ['127.0.0.1'] : named;
  const port = Number(lastValueOf(directives, 'listening-port') ?? 3478);
  const tlsPort = Number(lastValueOf(directives, 'tls-listening-port') ?? 5349);
  const transports: [TransportKind, number][] = [];
  if (!isOn(directives, 'no-udp')) transports.push(['udp', port]);
  if (!isOn(directives, 'no-tcp')) transports.push(['tcp', port]);
  const hasCertificate = lastValueOf(directives, 'cert') && lastValueOf(directives, 'pkey');
  if (!isOn(directives, 'no-tls') && hasCertificate) transports.push(['tls', tlsPort]);
  const listeners = addresses.flatMap((address) =>
    transports.map(([transport, number]) => ({ transport, endpoint: { address, port: number } })),
  );
  const auxiliary = valuesOf(directives, 'aux-server').flatMap((value) => {
    const endpoint = endpointOf(value);
    return endpoint === null ? [] : transports.map(([transport]) => ({ transport, endpoint }));
  });
  return [...listeners, ...auxiliary];
}

/** `192.0.2.1:443`, `[2001:db8::1]:443`; null for what coturn takes for something else. */
function endpointOf(text: string): Endpoint | null {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = bracketed ?? plain;
  return address === undefined ? null : { address, port: Number(port) };
}

/** Where a client on this machine reaches a listener that is bound to all addresses. */
export function dialled(endpoint: Endpoint): Endpoint {
  if (endpoint.address === '0.0.0.0') return { address: '127.0.0.1', port: endpoint.port };
  if (endpoint.address === '::') return { address: '::1', port: endpoint.port };
  return endpoint;
}
