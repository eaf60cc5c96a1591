import type { Box } from './box.ts';

const name = 'docker-6f1c0b3e9a7d';
const inside = '172.17.0.2';

function published(protocol: 'udp' | 'tcp', port: string): { nat: string; filter: string } {
  const match = `-p ${protocol} -m ${protocol} --dport ${port.replace('-', ':')}`;
  return {
    nat: `-A DOCKER ! -i docker0 ${match} -j DNAT --to-destination ${inside}:${port}`,
    filter: `-A DOCKER -d ${inside}/32 ! -i docker0 -o docker0 ${match} -j ACCEPT`,
  };
}

const listeners = [published('udp', '3478'), published('tcp', '3478'), published('tcp', '5349')];

/**
 * Runs coturn behind a bridge as Docker does without its proxy processes: a network namespace with one end of a veth in it,
 * a scope of systemd, and the rules of its own that Docker writes. The listeners are published, the relay ports are not.
 */
export async function startContainer({ onServer, server: { ipv4 } }: Box): Promise<void> {
  await onServer(`systemctl stop coturn
    sed -i -e '/^\\(listening\\|relay\\)-ip=/d' /etc/turnserver.conf
    echo 'external-ip=${ipv4}/${inside}' >>/etc/turnserver.conf
    ip netns add container
    ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up
    ip link add veth6f1c type veth peer name eth0 netns container; ip link set veth6f1c master docker0 up
    ip -n container addr add ${inside}/16 dev eth0
    ip -n container link set lo up; ip -n container link set eth0 up
    ip -n container route add default via 172.17.0.1
    sysctl -qw net.ipv4.ip_forward=1
    iptables-restore --noflush <<'RULES'
*nat
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A OUTPUT ! -d 127.0.0.0/8 -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER -i docker0 -j RETURN
${listeners.map(({ nat }) => nat).join('\n')}
COMMIT
*filter
:FORWARD DROP [0:0]
:DOCKER - [0:0]
-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -o docker0 -j DOCKER
-A FORWARD -i docker0 ! -o docker0 -j ACCEPT
${listeners.map(({ filter }) => filter).join('\n')}
COMMIT
RULES
    setsid systemd-run --quiet --scope --unit=${name} ip netns exec container \\
      runuser -u turnserver -- turnserver -c /etc/turnserver.conf --pidfile= >/dev/null 2>&1 </dev/null &
    until ip netns exec container ss -Hltn 'sport = :5349' | grep -q .; do sleep 0.05; done`);
}

/** Publishes UDP ports of the container, `FIRST-LAST`, to the same ports of the machine. */
export function publishing(ports: string) {
  const { nat, filter } = published('udp', ports);
  return async ({ onServer }: Box): Promise<unknown> =>
    onServer(`iptables-restore --noflush <<'RULES'
*nat
${nat}
COMMIT
*filter
${filter}
COMMIT
RULES`);
}

/** What a server has to do so that nothing of it is left; the process of the container is ended by then. */
export const containerRemoved =
  'ip netns delete container 2>/dev/null; ip link delete docker0 2>/dev/null; sysctl -qw net.ipv4.ip_forward=0';
