import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Box } from './box.ts';
import { configured, edited, onServer, type Breakage } from './breakage.ts';

const nobodyElse = async (): Promise<void> => {};

/** A credential that an application made. */
function credential(
  username: (seconds: number) => string,
  digest: (secret: string, username: string) => string,
) {
  return ({ secret }: Box): string[] => {
    const name = username(Math.floor(Date.now() / 1000));
    return ['--username', name, '--password', digest(secret, name)];
  };
}

const hmac = (secret: string, username: string): string =>
  createHmac('sha1', secret).update(username).digest('base64');

// What the log has of users who were refused is as true as before, until coturn is started again.
const goodAgain = {
  words: 'a credential as it should be is taken',
  apply: onServer('systemctl restart coturn'),
};

// coturn and what is run over ssh have the other time; the kernel keeps its own.
const clockAhead = `dpkg-deb --extract /srv/packages/libfaketime_*.deb /opt/faketime
  printf 'LD_PRELOAD=%s\\nFAKETIME=+2h\\n' /opt/faketime/usr/lib/*/faketime/libfaketime.so.1 >/etc/environment
  mkdir -p /etc/systemd/system/coturn.service.d
  printf '[Service]\\nEnvironmentFile=/etc/environment\\n' >/etc/systemd/system/coturn.service.d/clock.conf
  systemctl daemon-reload; systemctl restart coturn`;
const clockRight =
  ': >/etc/environment; rm /etc/systemd/system/coturn.service.d/clock.conf; systemctl daemon-reload; systemctl restart coturn';

/** What the application hands out, with a credential that the server takes. */
async function iceServers({ directory, secret }: Box, url: string): Promise<void> {
  const username = `${Math.floor(Date.now() / 1000) + 3600}:alice`;
  const list = [{ urls: [url], username, credential: hmac(secret, username) }];
  await writeFile(join(directory, 'ice-servers.json'), JSON.stringify(list));
}

const ofApplication = {
  ask: { urls: [], credential: () => ['--ice-servers', 'ice-servers.json'] },
} as const;

export const accessBreakages: readonly Breakage[] = [
  {
    cause: 'secret-mismatch',
    broken: 'the server has another secret than the application',
    breakIt: edited('s/^static-auth-secret=.*/static-auth-secret=5b1e0f6c5c0b4b3f8a7d8f0e0d5f3c77/'),
    headline: 'CREDENTIAL_SECRET_MISMATCH',
    fix: {
      words: 'both get the same secret',
      apply: async (box) => edited(`s/^static-auth-secret=.*/static-auth-secret=${box.secret}/`)(box),
    },
  },
  {
    cause: 'credential-expired-or-clock-skew',
    broken: 'the credential ended an hour ago',
    breakIt: nobodyElse,
    ask: { credential: credential((now) => `${now - 3600}:alice`, hmac) },
    askAfter: {},
    headline: 'CREDENTIAL_EXPIRED',
    fix: goodAgain,
  },
  {
    cause: 'credential-expired-or-clock-skew',
    broken: 'the clock of the server is two hours ahead, and the credential is good for half an hour',
    breakIt: onServer(clockAhead),
    ask: { credential: credential((now) => `${now + 1800}:alice`, hmac) },
    headline: 'CLOCK_SKEW',
    fix: { words: 'the clock is set right', apply: onServer(clockRight) },
  },
  {
    cause: 'credential-format-wrong',
    broken: 'the username has a lifetime in the place of a time',
    breakIt: nobodyElse,
    ask: { credential: credential(() => '3600:alice', hmac) },
    askAfter: {},
    headline: 'CREDENTIAL_FORMAT',
    fix: goodAgain,
  },
  {
    cause: 'iceservers-payload-wrong',
    broken: 'the application gives its browsers turn://HOST:3478',
    breakIt: async (box) => iceServers(box, `turn://${box.server.host}:3478`),
    ...ofApplication,
    headline: 'ICE_SERVERS_REFUSED',
    fix: {
      words: 'the URL is written as it is printed',
      apply: async (box) => iceServers(box, `turn:${box.server.host}:3478`),
    },
  },
  {
    cause: 'turns-over-udp-dtls',
    broken: 'the application gives its browsers turns: with transport=udp alone',
    breakIt: async (box) => iceServers(box, `turns:${box.server.host}:5349?transport=udp`),
    ...ofApplication,
    headline: 'ICE_SERVERS_DTLS',
    fix: {
      words: 'the URL is written as it is printed',
      apply: async (box) => iceServers(box, `turns:${box.server.host}:5349?transport=tcp`),
    },
  },
  {
    cause: 'auth-mechanism-mixed',
    broken: 'user= and lt-cred-mech stand beside use-auth-secret',
    breakIt: configured('lt-cred-mech', 'user=alice:a-long-password-of-alice'),
    ask: { credential: () => ['--username', 'alice', '--password', 'a-long-password-of-alice'] },
    headline: 'AUTH_MECHANISMS_MIXED',
    askAfter: {},
    fix: { words: 'one of them is taken out', apply: edited('/^lt-cred-mech/d', '/^user=/d') },
  },
  {
    cause: 'denylist-covers-needed-peer',
    broken: 'denied-peer-ip covers the network of a peer',
    breakIt: configured('denied-peer-ip=198.51.100.0-198.51.100.255'),
    headline: 'PEER_DENIED',
    fix: 'printed',
  },
  {
    cause: 'own-relay-denied-behind-nat',
    broken: 'denied-peer-ip covers the relay address of the server itself',
    breakIt: configured('denied-peer-ip=203.0.113.0-203.0.113.255'),
    ask: { call: true },
    headline: 'OWN_RELAY_DENIED',
    fix: 'printed',
  },
  {
    cause: 'denylist-blocks-everything',
    broken: 'denied-peer-ip=:: stands in the configuration',
    breakIt: configured('denied-peer-ip=::'),
    headline: 'DENIED_RANGE_BOUNDLESS',
    fix: { words: 'the line is taken out', apply: edited('/^denied-peer-ip=::$/d') },
  },
  {
    cause: 'denied-peer-cidr',
    broken: 'a denied range is written as CIDR, which this coturn leaves out',
    breakIt: configured('denied-peer-ip=198.18.0.0/15'),
    headline: 'DENIED_RANGE_CIDR',
    fix: 'printed',
  },
  {
    cause: 'config-not-read',
    broken: 'the user of the service may not read turnserver.conf',
    breakIt: onServer(
      'chown root:root /etc/turnserver.conf; chmod 600 /etc/turnserver.conf; systemctl restart coturn || true',
    ),
    headline: 'CONFIG_UNREADABLE',
    fix: 'printed',
  },
  {
    cause: 'unknown-or-removed-option',
    broken: 'an option is misspelled',
    breakIt: edited('s/^user-quota=/user-qouta=/'),
    headline: 'CONFIG_OPTION_UNKNOWN',
    fix: 'printed',
  },
  {
    cause: 'empty-realm',
    broken: 'there is no realm, and the machine has no domain',
    breakIt: async (box) => {
      await box.onServer(`printf '127.0.0.1 localhost\\n203.0.113.11 one\\n' >/etc/hosts`);
      await edited('/^realm=/d')(box);
    },
    headline: 'REALM_MISSING',
    fix: 'printed',
  },
  {
    cause: 'no-udp-relay-or-transport-off',
    broken: 'no-udp-relay stands in the configuration',
    breakIt: edited('s/^no-tcp-relay/no-udp-relay/'),
    headline: 'ALLOCATION_REFUSED',
    fix: { words: 'the line is taken out', apply: edited('s/^no-udp-relay/no-tcp-relay/') },
  },
];
