import { fileURLToPath } from 'node:url';
import { certificateDirectory, putCertificate, relayPorts, type Box, type CertificateName } from './box.ts';
import { edited, onServer, roamed, type Breakage } from './breakage.ts';
import { publishing, startContainer } from './container.ts';

const restart = 'timeout 3 systemctl restart coturn || true';
const project = (path: string): string => fileURLToPath(new URL(`../../../${path}`, import.meta.url));

function certified(name: CertificateName) {
  return async (box: Box): Promise<void> => {
    await putCertificate(box, name);
    await box.onServer(restart);
  };
}

/** Another user of the server takes a relay and keeps it, from where the operator is. */
async function held({ onOperator, directory, server }: Box, user: string): Promise<void> {
  const typescript = `--import ${project('test/support/typescript-loader.js')}`;
  const holder = `${typescript} ${project('test/lab/holder.ts')} ${server.ipv4} ${user} secret.txt`;
  await onOperator(`setsid ${process.execPath} ${holder} >holder.log 2>&1 & echo $! >${directory}/holder.pid
    for i in $(seq 400); do grep -q ready holder.log && exit 0; sleep 0.05; done; cat holder.log; exit 1`);
}

const released = async ({ onOperator }: Box): Promise<unknown> =>
  onOperator('kill $(cat holder.pid); rm holder.pid');

const strangerOn443 = `cat >/tmp/stranger.py <<'PROGRAM'
import socket, ssl, threading
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain('${certificateDirectory}/chain.pem', '${certificateDirectory}/key.pem')
def answer(connection):
    try:
        with context.wrap_socket(connection, server_side=True) as stream:
            stream.recv(100); stream.sendall(b'HTTP/1.1 400 Bad Request\\r\\n\\r\\n')
    except OSError:
        pass
listener = socket.create_server(('', 443))
while True:
    threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()
PROGRAM
systemd-run --quiet --unit=lab-stranger python3 /tmp/stranger.py
until ss -Hltn 'sport = :443' | grep -q .; do sleep 0.05; done`;

const dropIn = '/etc/systemd/system/coturn.service.d/00-lab.conf';

export const serviceBreakages: readonly Breakage[] = [
  {
    cause: 'tls-key-unreadable',
    broken: 'the user of the service may not read the key',
    breakIt: onServer(
      `chown root:root ${certificateDirectory}/key.pem; chmod 600 ${certificateDirectory}/key.pem; ${restart}`,
    ),
    headline: 'TLS_FILE_UNREADABLE',
    fix: 'printed',
  },
  {
    cause: 'cert-renewed-not-reloaded',
    broken: 'the certificate has expired; a new one is on the disk, and coturn has not read it',
    breakIt: async (box) => {
      await certified('expired')(box);
      await putCertificate(box, 'renewed');
    },
    headline: 'TLS_CERT_NOT_RELOADED',
    fix: 'printed',
  },
  {
    cause: 'cert-chain-or-name',
    broken: 'cert has the leaf without its intermediate',
    breakIt: certified('leaf'),
    headline: 'TLS_FILE_LEAF_ONLY',
    fix: { words: 'cert gets the full chain', apply: certified('good') },
  },
  {
    cause: 'cert-chain-or-name',
    broken: 'the certificate has another name',
    breakIt: certified('other name'),
    headline: 'TLS_NAME_MISMATCH',
    fix: { words: 'a certificate of that name is issued', apply: certified('good') },
  },
  {
    cause: 'native-sdk-root-store',
    broken: 'the root of the certificate is one that browsers know and an app does not, as ISRG Root X1',
    breakIt: async (box) => {
      await certified('unknown to apps')(box);
      await roamed(box, 'leaves');
      const app = `openssl s_client -connect ${box.server.ipv4}:5349 -no-CAfile -no-CApath -verify_return_error`;
      await box.onOperator(`for i in 1 2; do ${app} </dev/null >/dev/null 2>&1 && exit 1; done; true`);
      // An allocation that was freed ends a second later.
      await box.onServer(
        `until [ $(journalctl -u coturn | grep -c 'closed (2nd stage)') -ge 3 ]; do sleep 0.1; done`,
      );
    },
    headline: 'NATIVE_ROOT_MISSING',
    fix: { words: 'a certificate of another CA is taken', apply: certified('good') },
  },
  {
    cause: 'privileged-port-denied',
    broken: 'tls-listening-port=443, and the service may not bind ports below 1024',
    breakIt: edited('s/^tls-listening-port=.*/tls-listening-port=443/'),
    ask: { urls: ['turn:one.lab.test', 'turns:one.lab.test:443'] },
    headline: 'PORT_NEEDS_PRIVILEGE',
    fix: 'printed',
  },
  {
    cause: 'port-taken-or-double-instance',
    broken: 'a second coturn with another secret runs on the same ports',
    breakIt:
      onServer(`sed 's/^static-auth-secret=.*/static-auth-secret=another-secret-of-the-second/' /etc/turnserver.conf >/etc/turnserver-second.conf
      chown root:turnserver /etc/turnserver-second.conf; chmod 640 /etc/turnserver-second.conf
      systemd-run --quiet --unit=lab-second -p User=turnserver turnserver -c /etc/turnserver-second.conf --pidfile=
      until [ $(pgrep -cx turnserver) = 2 ]; do sleep 0.05; done; sleep 0.5`),
    headline: 'DAEMONS_SHARE_PORT',
    fix: { words: 'one of them is stopped', apply: onServer('systemctl stop lab-second') },
  },
  {
    cause: 'quota-486',
    broken: 'user-quota=1, and the user has a relay already',
    breakIt: async (box) => {
      await edited('s/^user-quota=.*/user-quota=1/')(box);
      await held(box, 'rtc-ops-probe');
    },
    headline: 'QUOTA_REACHED',
    fix: {
      words: 'the quota is raised',
      apply: async (box) => {
        await edited('s/^user-quota=.*/user-quota=20/')(box);
        await released(box);
      },
    },
  },
  {
    cause: 'port-pool-exhausted-508',
    broken: 'the range has one relay port, and another user has it',
    breakIt: async (box) => {
      await edited('s/^max-port=.*/max-port=49152/')(box);
      await held(box, 'somebody');
    },
    headline: 'RELAY_PORTS_FEW',
    fix: 'printed',
  },
  {
    cause: 'min-max-port-inverted',
    broken: 'min-port is above max-port',
    breakIt: edited('s/^min-port=.*/min-port=49600/'),
    headline: 'RELAY_PORTS_INVERTED',
    fix: 'printed',
  },
  {
    cause: 'reverse-proxy-breaks-turn',
    broken: 'what ends TLS on 443 speaks HTTP',
    breakIt: onServer(strangerOn443),
    ask: { urls: ['turn:one.lab.test', 'turns:one.lab.test:443'] },
    askAfter: {},
    headline: 'NOT_A_TURN_SERVER',
    fix: {
      words: 'users are sent to the port that coturn has',
      apply: onServer('systemctl stop lab-stranger'),
    },
  },
  {
    cause: 'host-limits',
    broken: 'the service may open 64 files',
    breakIt: onServer(
      `printf '[Service]\\nLimitNOFILE=64\\n' >${dropIn}; systemctl daemon-reload; ${restart}`,
    ),
    headline: 'FILE_LIMIT_REACHED',
    fix: 'printed',
  },
  {
    cause: 'docker-bridge-networking',
    broken: 'coturn is in a container behind a bridge, and its relay ports are not published',
    breakIt: startContainer,
    headline: 'CONTAINER_NETWORK',
    fix: { words: 'the relay ports are published too', apply: publishing(relayPorts) },
  },
];
