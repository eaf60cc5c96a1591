import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { FirewallReport } from '../../src/model/firewall-report.ts';
import { directoryWith } from '../support/temporary.ts';

const bin = fileURLToPath(new URL('../../bin/rtc-ops.js', import.meta.url));

/** The server's address, and that of the client, who stands for the internet. */
export const serverAddress = '198.51.100.10';

/** UDP and TCP ports that are tried with real packets. */
const triedPorts = { udp: [3478, 49_152, 50_000, 65_535], tcp: [3478, 5349] } as const;

export interface FirewallRun {
  readonly report: FirewallReport;
  /** The ports at which a packet of the client arrived: `udp 3478`. */
  readonly arrived: readonly string[];
}

/** Sends to each port from outside, and prints those where it arrived. */
const sender = `
import socket, subprocess, sys, time
udp, tcp, server, pid = eval(sys.argv[1]), eval(sys.argv[2]), sys.argv[3], sys.argv[4]
program = """
import socket, select, sys, time
udp, tcp = eval(sys.argv[1]), eval(sys.argv[2])
socks = {}
for p in udp:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('0.0.0.0', p)); socks[s] = 'udp %d' % p
for p in tcp:
    s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', p)); s.listen(); socks[s] = 'tcp %d' % p
print('ready', flush=True)
end = time.time() + 0.6
while time.time() < end:
    for s in select.select(list(socks), [], [], 0.1)[0]:
        print(socks.pop(s), flush=True)
"""
server_process = subprocess.Popen(['nsenter', '-t', pid, '-n', 'python3', '-c', program, sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE, text=True)
server_process.stdout.readline()
keep = []
for p in udp:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'x', (server, p)); keep.append(s)
for p in tcp:
    s = socket.socket(); s.setblocking(False); s.connect_ex((server, p)); keep.append(s)
print(server_process.stdout.read(), end='')
`;

export interface FirewallSite {
  /** Lines of a shell outside of the server: a firewall in front of it. With them, an `rtc-ops peer` is there too. */
  readonly front?: string;
  /** Whether the coturn of the config runs there. */
  readonly coturn?: boolean;
}

const startCoturn = `openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 9 -subj /CN=a 2>/dev/null
    "$1" "$2" render --out rendered > /dev/null
    sed -i "s,^cert=.*,cert=$PWD/cert.pem,;s,^pkey=.*,pkey=$PWD/key.pem," rendered/turnserver.conf
    nsenter --target "$server" --net turnserver -c rendered/turnserver.conf --log-file=stdout > coturn.log 2>&1 & coturn=$!
    until on ss -lntu | grep -q :5349; do sleep 0.05; done`;

const startPeer = `"$1" "$2" peer --listen 198.51.100.2:3479 --secret-file peer > peer.log & peer=$!
    until grep -q listening peer.log; do sleep 0.05; done`;

/**
 * A server with these rules, in a network of its own, with a client at its other end. The rules are lines of a shell
 * within the server; what it says of its firewall stands beside what really comes through.
 */
export async function checkedFirewall(
  rules: string,
  yaml: string,
  { front = 'true', coturn = false }: FirewallSite = {},
): Promise<FirewallRun> {
  const peerSecret = 'a secret that both ends know';
  const files = {
    'rtc-ops.yaml': yaml,
    rules,
    front,
    'sender.py': sender,
    secret: 'x'.repeat(32),
    peer: peerSecret,
  };
  const directory = await directoryWith(files);
  const withPeer = front === 'true' ? '' : '--from-peer udp://198.51.100.2:3479 --peer-secret-file peer';
  const script = `set -e
    ip link set lo up
    unshare --net sleep 60 & server=$!
    peer=; trap 'kill $server $peer' EXIT
    while [ "$(readlink /proc/$server/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    on() { nsenter --target "$server" --net "$@"; }
    ip link add client type veth peer name eth0 netns "$server"
    ip address add 198.51.100.2/24 dev client; ip link set client up
    on ip link set lo up
    # What asks from here must not ask from a relay port, which a firewall in front may keep from its answers.
    on sysctl -qw net.ipv4.ip_local_port_range="32768 49151"
    on ip address add ${serverAddress}/24 dev eth0; on ip link set eth0 up
    on ip route add default via 198.51.100.2
    until on ip link show eth0 | grep -q LOWER_UP; do sleep 0.01; done
    on sh -e rules >&2
    ${coturn ? startCoturn : ''}
    ${withPeer === '' ? '' : startPeer}
    sh -e front >&2
    on "$1" "$2" firewall check --format json ${withPeer} > report.json || [ $? = 1 ]
    ${coturn ? 'kill $coturn; wait $coturn || true' : ''}
    ${coturn ? ': > arrived' : `python3 sender.py '${JSON.stringify(triedPorts.udp)}' '${JSON.stringify(triedPorts.tcp)}' ${serverAddress} "$server" > arrived`}
    cat report.json; echo; echo ======; cat arrived`;
  const { stdout } = await execa('unshare', ['--net', 'bash', '-c', script, 'bash', process.execPath, bin], {
    cwd: directory,
  });
  const [json = '', arrived = ''] = stdout.split('======');
  return {
    report: JSON.parse(json) as FirewallReport,
    arrived: arrived.trim().split('\n').toSorted(),
  };
}
