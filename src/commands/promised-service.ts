import { isIP } from 'node:net';
import { issueCredential } from '../credentials/issue.ts';
import { parseDirectives } from '../coturn/parse.ts';
import { scopeOf } from '../model/endpoint.ts';
import { Secret } from '../model/secret.ts';
import { ownUsers } from '../model/own-user.ts';
import type { ConfigurationFacts, ServerFacts, ServerSettings } from '../model/server-facts.ts';
import { isHost, type TurnUri } from '../model/turn-uri.ts';
import type { ProbeOptions } from '../probes/probe.ts';
import { probeTtlSeconds } from './probe-credential.ts';

/** What a server promises by its own configuration, as a client would be told it. */
export interface PromisedService {
  readonly uris: readonly TurnUri[];
  /** The name in its certificate, where no name is known by which clients dial it; null where one is, or none is needed. */
  readonly servername: string | null;
}

/** The configuration that counts: of a process that runs, else that of the next start. */
export function countingConfiguration({ configurations }: ServerFacts): ConfigurationFacts | null {
  const readable = configurations.filter(({ settings }) => settings !== null);
  return readable.find(({ pids }) => pids.length > 0) ?? readable[0] ?? null;
}

/**
 * Every listener of a server. Null where its configuration is not known.
 * @param dialled what ssh was told to get there; null for this machine
 */
export function promisedService(facts: ServerFacts, dialled: string | null): PromisedService | null {
  const settings = countingConfiguration(facts)?.settings ?? null;
  if (settings === null) return null;
  const host = hostFor(facts, settings, dialled);
  const uris = settings.openings.flatMap(({ purpose, ports }): TurnUri[] => {
    const uri = { scheme: 'turn', host, port: ports.first } as const;
    switch (purpose) {
      case 'listener-udp':
        return [{ ...uri, transport: 'udp' }];
      case 'listener-tcp':
        return [{ ...uri, transport: 'tcp' }];
      case 'listener-tls':
        return [{ ...uri, scheme: 'turns', transport: 'tls' }];
      case 'listener-stream':
        return [
          { ...uri, transport: 'tcp' },
          { ...uri, scheme: 'turns', transport: 'tls' },
        ];
      default:
        return [];
    }
  });
  const known = new Map(uris.map((uri) => [`${uri.transport} ${uri.port}`, uri]));
  const needsName = isIP(host) !== 0 && uris.some(({ transport }) => transport === 'tls');
  return { uris: [...known.values()], servername: needsName ? nameInCertificate(facts) : null };
}

/** Where clients find it: by the name that it was reached by, else by the address that it says that it has. */
function hostFor(
  { firewall }: ServerFacts,
  { externalAddresses, listeningAddresses }: ServerSettings,
  dialled: string | null,
): string {
  const own = [...listeningAddresses, ...firewall.addresses].find(
    (address) => !['loopback', 'unspecified', 'link-local'].includes(scopeOf(address)),
  );
  // A machine may not come back to itself by the address of a NAT before it.
  if (dialled === null)
    return listeningAddresses.length === 1 ? (listeningAddresses[0] ?? '') : (own ?? '127.0.0.1');
  if (isIP(dialled) === 0 && dialled.includes('.')) return dialled;
  const [outside] = externalAddresses.map((each) => each.outside);
  return outside ?? (isIP(dialled) === 0 ? (own ?? dialled) : dialled);
}

function nameInCertificate({ served }: ServerFacts): string | null {
  for (const each of served) {
    if (each.served.state === 'unknown') continue;
    const [, name = ''] = /(?:^|[\n,/])\s*CN\s*=\s*([^\n,/]+)/.exec(each.served.value.subject) ?? [];
    if (isHost(name.trim()) && isIP(name.trim()) === 0) return name.trim();
  }
  return null;
}

/**
 * A credential that the server itself must accept: made from its secret, or that of its first user with a password in its
 * file. Null where it has neither. The secret is used here, and kept nowhere.
 */
export function ownCredential(facts: ServerFacts, now: Date): ProbeOptions['credential'] {
  const configuration = countingConfiguration(facts);
  if (configuration?.text.state !== 'seen') return null;
  const { text, argumentLines } = configuration;
  const directives = parseDirectives(`${text.value.reveal()}\n${argumentLines.reveal()}`);
  const valueOf = (name: string): string | null => {
    const value = directives.findLast((each) => each.name === name)?.value;
    return typeof value === 'string' && value !== '' ? value : null;
  };
  const secret = valueOf('static-auth-secret');
  if (secret !== null) {
    const issued = issueCredential({
      secret: new Secret(secret),
      user: ownUsers.doctor,
      ttlSeconds: probeTtlSeconds,
      now,
    });
    return { source: 'secret', username: issued.username, password: issued.password };
  }
  // A user with a key (0x…) in place of a password cannot be logged in as.
  const [, username, password] = /^([^:]+):(?!0x)(.+)$/.exec(valueOf('user') ?? '') ?? [];
  if (username === undefined || password === undefined) return null;
  return { source: 'given', username, password: new Secret(password) };
}
