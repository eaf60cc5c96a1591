import type { ServerLab } from './server-lab.ts';
import type { Server } from './server.ts';

async function linesOf(server: Server, script: string): Promise<string[]> {
  const { stdout } = await server.console(script);
  return stdout.split('\n').filter((line) => line !== '');
}

/** Every file of a server that a deployment could have to do with, each with a digest of its content or what it leads to. */
export async function filesOf(server: Server): Promise<Map<string, string>> {
  const lines = await linesOf(
    server,
    `cd /; find etc usr/local var/log/coturn -xdev -type f ! -name '*-' ! -name ld.so.cache ! -name .pwd.lock ! -path 'etc/ssl/certs/*' \\
       -exec sha256sum {} + 2>/dev/null
     find etc usr/local -xdev -type l ! -path 'etc/ssl/certs/*' -printf '%l  %p\\n'`,
  );
  return new Map(
    lines.map((line) => {
      const [content = '', path = ''] = line.split('  ');
      return [`/${path}`, content];
    }),
  );
}

/** Of these files those that no package has brought. */
export async function unpackaged(server: Server, paths: readonly string[]): Promise<string[]> {
  const owned = await linesOf(server, `dpkg -S ${paths.join(' ')} 2>/dev/null`);
  return paths.filter((path) => !owned.some((line) => line.endsWith(` ${path}`)));
}

export async function packagesOf(server: Server): Promise<string[]> {
  const lines = await linesOf(server, `dpkg-query -W -f '\${db:Status-Status} \${Package}\\n'`);
  return lines.flatMap((line) => /^installed (.+)/.exec(line)?.[1] ?? []);
}

/** Each `tcp 22` that somebody listens on. */
export async function portsOf(server: Server): Promise<string[]> {
  const lines = await linesOf(server, 'ss -Hltun');
  const ports = lines.map((line) => {
    const [protocol, , , , address = ''] = line.split(/\s+/);
    return `${protocol} ${address.slice(address.lastIndexOf(':') + 1)}`;
  });
  return [...new Set(ports)].toSorted();
}

/**
 * What comes back when the operator knocks on ports, each `udp 3478`: over TCP the connection, over UDP an answer to a request
 * of STUN, or else the error.
 */
export async function knock(lab: ServerLab, server: Server, ports: readonly string[]): Promise<string[]> {
  const { stdout } = await lab.operator(['python3', '-c', knocking, server.ipv4, ...ports]);
  return stdout.split('\n');
}

const knocking = `
import os, socket, sys
for each in sys.argv[2:]:
    protocol, port = each.split()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM) as s:
        s.settimeout(5)
        try:
            s.connect((sys.argv[1], int(port)))
            if protocol == "udp":
                s.send(bytes.fromhex("000100002112a442") + os.urandom(12))
                s.recv(2048)
            print(each, "answers")
        except OSError as error:
            print(each, type(error).__name__)`;
