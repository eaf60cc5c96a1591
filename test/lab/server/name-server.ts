import { addresses } from './network.ts';
import type { Server } from './server.ts';
import type { ServerLab } from './server-lab.ts';

/**
 * Makes a server the name server of a zone, and the one that the ACME server asks. It takes TXT records for the name of the
 * zone from whoever has the key `certbot.` (RFC 2136, RFC 8945).
 */
export async function openNameServer(
  lab: ServerLab,
  server: Server,
  { zone, key }: { readonly zone: string; readonly key: string },
): Promise<void> {
  const config = `key "certbot." { algorithm hmac-sha512; secret "${key}"; };
    options {
      directory "/var/cache/bind";
      listen-on { ${server.ipv4}; };
      forwarders { ${addresses.router}; };
      forward only;
      dnssec-validation no;
      allow-query { any; };
      allow-recursion { any; };
    };
    zone "${zone}" { type primary; file "zone"; update-policy { grant certbot. name ${zone}. txt; }; };`;
  const records = `$TTL 0\n@ SOA ns.lab.test. ops.lab.test. 1 3600 600 86400 0\n@ NS ns.lab.test.\n`;
  const installed = await server.console(
    `apt-get install -qq --yes --no-install-recommends bind9 >/dev/null; cat >/etc/bind/named.conf <<'END'
${config}
END
cat >/var/cache/bind/zone <<'END'
${records}
END
chown bind: /var/cache/bind/zone; systemctl restart named`,
  );
  if (installed.exitCode !== 0) throw new Error(`no name server: ${installed.stderr}`);
  // The ACME server goes on asking the router; what it asks there comes here.
  const redirect = `add table ip names; add chain ip names output { type nat hook output priority -100; };
    add rule ip names output ip daddr ${addresses.router} udp dport 53 dnat to ${server.ipv4}`;
  const redirected = await lab.router(['nft', redirect]);
  if (redirected.exitCode !== 0) throw new Error(`no way to the name server: ${redirected.stderr}`);
}
