import type { TurnUri } from '../model/turn-uri.ts';
import { configOfHost, type Config } from './config.ts';

/** The URIs under which clients reach the hosts of a config. */
export function urisOfHosts(config: Config): TurnUri[] {
  return config.hosts.flatMap((host) => urisOfHost(host.name, configOfHost(config, host)));
}

/** The URIs under which clients reach a host that runs this config. */
export function urisOfHost(host: string, { profile, listen }: Config): TurnUri[] {
  const [plain, secure] = profile === 'turn' ? (['turn', 'turns'] as const) : (['stun', 'stuns'] as const);
  const listeners = [
    { scheme: plain, transport: 'udp', port: listen.udp },
    { scheme: plain, transport: 'tcp', port: listen.tcp },
    { scheme: secure, transport: 'tls', port: listen.tls },
  ] as const;
  const ports = { udp: listen.udp, tcp: listen.tcp, tls: listen.tls };
  const extra = listen.extraPorts.flatMap((port) =>
    listeners
      .filter(({ transport }) => ports[transport] !== null)
      .map((listener) => ({ ...listener, host, port })),
  );
  return [
    ...listeners.flatMap(({ port, ...listener }) => (port === null ? [] : [{ ...listener, host, port }])),
    ...extra,
  ];
}
