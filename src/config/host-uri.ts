import type { TurnUri } from '../model/turn-uri.ts';
import type { Config } from './config.ts';

/** The URIs under which clients reach a host that runs this config. */
export function urisOfHost(host: string, { profile, listen }: Config): TurnUri[] {
  const [plain, secure] = profile === 'turn' ? (['turn', 'turns'] as const) : (['stun', 'stuns'] as const);
  const listeners = [
    { scheme: plain, transport: 'udp', port: listen.udp },
    { scheme: plain, transport: 'tcp', port: listen.tcp },
    { scheme: secure, transport: 'tls', port: listen.tls },
  ] as const;
  return listeners.flatMap(({ port, ...listener }) => (port === null ? [] : [{ ...listener, host, port }]));
}
