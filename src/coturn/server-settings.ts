import { isIP } from 'node:net';
import { familyOf, type Family } from '../model/endpoint.ts';
import type { Opening, OpeningPurpose } from '../model/firewall.ts';
import type { ServerSettings } from '../model/server-facts.ts';
import { allOf, isSet, lastOf, portOf, sourceOf, textOf, valueOf, type Source } from './lint/source.ts';
import { speaksTls } from './lint/tls.ts';
import type { CoturnVersion } from './versions.ts';

const databases = ['userdb', 'psql-userdb', 'mysql-userdb', 'mongo-userdb', 'redis-userdb'] as const;

/** What a configuration asks of the machine, read as this version of coturn reads it. */
export function serverSettings(text: string, version: CoturnVersion): ServerSettings {
  const source = sourceOf({
    file: '',
    text,
    coturn: { version, release: version, from: 'given', packaged: null },
    users: null,
    host: null,
    now: '',
  });
  const listening = addressesIn(source, 'listening-ip');
  const given = addressesIn(source, 'relay-ip');
  const relay = given.length > 0 ? given : listening;
  const hasTls = !isSet(source, 'no-tls') && speaksTls(source);
  const file = (name: string): string | null => textOf(lastOf(source, name) ?? { value: '' }) || null;
  return {
    openings: openingsIn(source, listening, relay, hasTls),
    listeningAddresses: listening,
    relayAddresses: relay.filter((each) => each !== '0.0.0.0' && each !== '::'),
    relayPorts: { min: portOf(source, 'min-port'), max: portOf(source, 'max-port') },
    externalAddresses: allOf(source, 'external-ip').flatMap((directive) => {
      const [outside = '', inside = null] = textOf(directive).split('/');
      return isIP(outside) ? [{ outside, inside }] : [];
    }),
    tlsPort: hasTls ? portOf(source, 'tls-listening-port') : null,
    cert: file('cert'),
    key: file('pkey'),
    realm: file('realm'),
    logsTo: isSet(source, 'syslog') ? 'syslog' : file('log-file'),
    isVerbose: isSet(source, 'verbose') || isSet(source, 'Verbose'),
    relays: !isSet(source, 'stun-only'),
    users: {
      areOwn: allOf(source, 'static-auth-secret', 'user').length > 0,
      hasDatabase: allOf(source, ...databases).length > 0,
    },
  };
}

function addressesIn(source: Source, name: string): string[] {
  return allOf(source, name)
    .map(textOf)
    .filter((text) => isIP(text) !== 0);
}

function openingsIn(
  source: Source,
  listening: readonly string[],
  relay: readonly string[],
  hasTls: boolean,
): Opening[] {
  const opening = (
    protocol: Opening['protocol'],
    first: number,
    purpose: OpeningPurpose,
    last = first,
  ): Opening => ({
    protocol,
    ports: { first, last },
    purpose,
    families: familiesOf(purpose === 'relay' ? relay : listening),
  });
  const plain = portOf(source, 'listening-port');
  const { min, max } = { min: portOf(source, 'min-port'), max: portOf(source, 'max-port') };
  const relays = !isSet(source, 'stun-only') && !isSet(source, 'no-udp-relay') && min <= max;
  const tls = portOf(source, 'tls-listening-port');
  return [
    ...(isSet(source, 'no-udp') ? [] : [opening('udp', plain, 'listener-udp')]),
    ...(isSet(source, 'no-tcp') ? [] : [opening('tcp', plain, 'listener-tcp')]),
    // Plain TCP and TLS share a listener where they share a port.
    ...(hasTls && (tls !== plain || isSet(source, 'no-tcp')) ? [opening('tcp', tls, 'listener-tls')] : []),
    ...(relays ? [opening('udp', min, 'relay', max)] : []),
  ].filter(({ ports }) => ports.first > 0 && valueOf(source, 'listening-port') !== undefined);
}

/** Those of the addresses; where there are none, coturn takes what the machine has. */
function familiesOf(addresses: readonly string[]): Family[] {
  const isThere = (family: Family): boolean =>
    addresses.length === 0 || addresses.some((address) => familyOf(address) === family);
  return ([4, 6] as const).filter(isThere);
}
