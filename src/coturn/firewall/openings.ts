import { configOfHost, type CertbotChallenge, type Config, type Host } from '../../config/config.ts';
import { familyOf, type Family } from '../../model/endpoint.ts';
import type { Opening, OpeningPurpose } from '../../model/firewall.ts';
import { hostNamed } from '../host-addresses.ts';

/**
 * Everything that the firewalls in front of a host have to let in, the one source of every rule. The figures for
 * Prometheus are for the owner alone, and no part of it.
 * @throws RtcOpsError `usage` for a name that is no host, or when several differ and none is named
 */
export function openingsOf(shared: Config, name?: string): Opening[] {
  const { config, host } = ofHost(shared, name);
  const { listen, relay, profile, tls } = config;
  const families = familiesOf(config, host);
  const at = (
    protocol: Opening['protocol'],
    ports: readonly (number | null)[],
    purpose: OpeningPurpose,
  ): Opening[] =>
    ports
      .filter((port) => port !== null)
      .map((port) => ({ protocol, ports: { first: port, last: port }, purpose, families }));
  // A further port serves each transport that is on, TCP and TLS at once.
  const extra = listen.extraPorts;
  const stream = streams(listen);
  return [
    ...at('udp', [listen.udp, ...(listen.udp === null ? [] : extra)], 'listener-udp'),
    ...at('tcp', [listen.tcp], 'listener-tcp'),
    ...at('tcp', [listen.tls], 'listener-tls'),
    ...(stream === null ? [] : at('tcp', extra, stream)),
    ...(profile === 'turn'
      ? [
          {
            protocol: 'udp',
            ports: { first: relay.ports.min, last: relay.ports.max },
            purpose: 'relay',
            families,
          } as const,
        ]
      : []),
    ...at('tcp', isProvenByWeb(tls?.certbot?.challenge) ? [80] : [], 'certificate'),
  ];
}

/** What a further port serves over TCP. */
function streams({ tcp, tls }: Config['listen']): OpeningPurpose | null {
  if (tcp !== null && tls !== null) return 'listener-stream';
  if (tcp === null && tls === null) return null;
  return tls === null ? 'listener-tcp' : 'listener-tls';
}

function ofHost(shared: Config, name: string | undefined): { config: Config; host: Host | null } {
  const host = hostNamed(shared.hosts, name);
  return { config: host === null ? shared : configOfHost(shared, host), host };
}

/** Those of the addresses that the config names; where it names none, coturn takes what is there. */
function familiesOf(config: Config, host: Host | null): Family[] {
  const named = addressesOf(config, host).map(familyOf);
  const { families } = config.listen;
  return ([4, 6] as const).filter(
    (family) => families.includes(family) && (named.length === 0 || named.includes(family)),
  );
}

/** The addresses of the host itself that clients are sent to; empty when the config names none. */
export function ownAddressesOf(shared: Config, name?: string): string[] {
  const { config, host } = ofHost(shared, name);
  return addressesOf(config, host).filter((address) => config.listen.families.includes(familyOf(address)));
}

function addressesOf({ listen }: Config, host: Host | null): string[] {
  if (listen.addresses.length > 0) return [...listen.addresses];
  return (host?.addresses ?? []).map((pair) => pair.private);
}

/** The addresses under which clients know the host; empty when the config names none. */
export function publicAddressesOf(shared: Config, name?: string): string[] {
  return (ofHost(shared, name).host?.addresses ?? []).map((pair) => pair.public);
}

/** By certbot itself or by a web server, the authority comes to port 80 (RFC 8555 §8.3). */
function isProvenByWeb(challenge: CertbotChallenge | undefined): boolean {
  return challenge !== undefined && !(typeof challenge === 'object' && 'dns' in challenge);
}
