import { bracketed } from '../model/endpoint.ts';
import { RtcOpsError } from '../model/error.ts';
import { fillTemplate, readTemplate } from '../model/template.ts';
import { formatTurnUri, isTurn, type TurnUri } from '../model/turn-uri.ts';
import { validityOf, type ServerCredential } from './server-credential.ts';

/*
 * Applications that make credentials for their users by themselves. They get the shared secret; where there is none, as
 * with a hosted provider, the credential.
 */

/** turn_* of the homeserver.yaml of Synapse. */
export function synapse(credential: ServerCredential): string {
  const { username, password, ttlSeconds, sharedSecret, uris } = credential;
  const authentication =
    sharedSecret === null
      ? [`turn_username: ${yaml(username)}`, `turn_password: ${yaml(password.reveal())}`]
      : [
          `turn_shared_secret: ${yaml(sharedSecret.reveal())}`,
          `turn_user_lifetime: ${yaml(`${ttlSeconds}s`)}`,
        ];
  return fillTemplate(readTemplate('credentials/synapse.yaml'), {
    origin: originOf(credential),
    uris: uris
      .filter(isTurn)
      .map((each) => `  - ${yaml(formatTurnUri(each))}`)
      .join('\n'),
    authentication: authentication.join('\n'),
  });
}

/** rtc.turn_servers of the config.yaml of LiveKit. */
export function livekit(credential: ServerCredential): string {
  const { username, password, ttlSeconds, sharedSecret, uris } = credential;
  const authentication =
    sharedSecret === null
      ? [`username: ${yaml(username)}`, `credential: ${yaml(password.reveal())}`]
      : [`secret: ${yaml(sharedSecret.reveal())}`, `ttl: ${ttlSeconds}`];
  const servers = uris.filter(isTurn).map(({ host, port, transport }) => {
    const lines = [`host: ${yaml(host)}`, `port: ${port}`, `protocol: ${transport}`, ...authentication];
    return `    - ${lines.join('\n      ')}`;
  });
  return fillTemplate(readTemplate('credentials/livekit.yaml'), {
    origin: originOf(credential),
    servers: servers.join('\n'),
  });
}

/** mod_external_services of Prosody, as Jitsi Meet uses it. */
export function jitsi(credential: ServerCredential): string {
  const { username, password, ttlSeconds, sharedSecret, uris } = credential;
  const authentication =
    sharedSecret === null
      ? `username = ${lua(username)}, password = ${lua(password.reveal())}`
      : `secret = true, ttl = ${ttlSeconds}, algorithm = "turn"`;
  const services = uris.map((each) => {
    // XEP-0215 has types of their own for TLS, and no transport but udp and tcp.
    const transport = each.transport === 'udp' ? 'udp' : 'tcp';
    const fields = `type = ${lua(each.scheme)}, host = ${lua(each.host)}, port = ${each.port}, transport = "${transport}"`;
    return `    { ${fields}${isTurn(each) ? `, ${authentication}` : ''} };`;
  });
  return fillTemplate(readTemplate('credentials/jitsi.lua'), {
    origin: originOf(credential),
    secret: sharedSecret === null ? '' : `external_service_secret = ${lua(sharedSecret.reveal())};\n`,
    services: services.join('\n'),
  });
}

/**
 * The settings of Nextcloud Talk, for `occ config:import`: with `occ talk:turn:add` the secret would be an argument, which
 * every user of a machine sees.
 * @throws RtcOpsError `usage` without a shared secret: Talk takes nothing else
 */
export function nextcloud({ uris, sharedSecret }: ServerCredential): string {
  if (sharedSecret === null) {
    throw new RtcOpsError(
      'usage',
      'Nextcloud Talk takes a shared secret and no credential, and a hosted provider has none',
    );
  }
  const turn = uris.filter(isTurn);
  const servers = turn.filter(
    (each, index) => turn.findIndex((other) => isSameServer(each, other)) === index,
  );
  const turnServers = servers.map((server) => {
    // A turns server is one over TCP: Talk knows no DTLS.
    const protocols = turn
      .filter((each) => isSameServer(each, server))
      .map(({ transport }) => (transport === 'udp' ? 'udp' : 'tcp'));
    return {
      schemes: server.scheme,
      server: hostPort(server),
      secret: sharedSecret.reveal(),
      protocols: [...new Set(protocols)].join(','),
    };
  });
  const stunServers = uris.filter(({ scheme }) => scheme === 'stun').map(hostPort);
  // Talk keeps both lists as JSON in a text.
  const spreed = {
    turn_servers: JSON.stringify(turnServers),
    ...(stunServers.length > 0 && { stun_servers: JSON.stringify(stunServers) }),
  };
  return `${JSON.stringify({ apps: { spreed } }, null, 2)}\n`;
}

function isSameServer(a: TurnUri, b: TurnUri): boolean {
  return a.scheme === b.scheme && a.host === b.host && a.port === b.port;
}

function hostPort({ host, port }: TurnUri): string {
  return `${bracketed(host)}:${port}`;
}

function originOf(credential: ServerCredential): string {
  return credential.sharedSecret === null
    ? `It is ${validityOf(credential)}.`
    : 'It makes credentials for its users from the shared secret.';
}

/** JSON is YAML: a flow scalar between double quotes. */
function yaml(value: string): string {
  return JSON.stringify(value);
}

/** Lua 5.4 manual §3.1. Line breaks, which would need more, are in no value. */
function lua(value: string): string {
  return `"${value.replaceAll(/[\\"]/g, (sign) => `\\${sign}`)}"`;
}
