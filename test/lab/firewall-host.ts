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

/**
 * A server with these rules, in a network of its own, with a client at its other end. The rules are lines of a shell
 * within the server; what it says of its firewall stands beside what really comes through.
 */
export async function checkedFirewall(rules: string, yaml: string, ...args: string[]): Promise<FirewallRun> {
  const directory = await directoryWith({ 'rtc-ops.yaml': yaml, rules, 'sender.py': sender });
  const script = `set -e
    ip link set lo up
    unshare --net sleep 60 & server=$!
    trap 'kill $server' EXIT
    while [ "$(readlink /proc/$server/ns/net)" = "$(readlink /proc/self/ns/net)" ]; do sleep 0.01; done
    on() { nsenter --target "$server" --net "$@"; }
    ip link add client type veth peer name eth0 netns "$server"
    ip address add 198.51.100.2/24 dev client; ip link set client up
    on ip link set lo up
    on ip address add ${serverAddress}/24 dev eth0; on ip link set eth0 up
    on ip route add default via 198.51.100.2
    until on ip link show eth0 | grep -q LOWER_UP; do sleep 0.01; done
    on sh -e rules >&2
    on "$1" "$2" firewall check --format json ${args.join(' ')} > report.json || [ $? = 1 ]
    python3 sender.py '${JSON.stringify(triedPorts.udp)}' '${JSON.stringify(triedPorts.tcp)}' ${serverAddress} "$server" > arrived
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
