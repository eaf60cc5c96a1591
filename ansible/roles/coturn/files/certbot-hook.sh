#!/bin/sh
# Written by rtc-ops. certbot runs it after each renewal, and a deployment after the first issuance: it puts the
# certificate where the user of coturn may read it, has coturn load it without a call being lost, and looks whether
# coturn serves it.
set -eu
lineage=${RENEWED_LINEAGE:?is set by certbot}
if [ "${lineage##*/}" != rtc-ops ]; then exit 0; fi
target=/etc/coturn/tls

if cmp -s "$lineage/fullchain.pem" "$target/fullchain.pem" && cmp -s "$lineage/privkey.pem" "$target/privkey.pem"; then
  exit 0
fi
install -d -o root -g turnserver -m 0750 "$target"
install -o root -g turnserver -m 0640 "$lineage/privkey.pem" "$target/.privkey.pem"
install -o root -g turnserver -m 0640 "$lineage/fullchain.pem" "$target/.fullchain.pem"
mv "$target/.privkey.pem" "$target/privkey.pem"
mv "$target/.fullchain.pem" "$target/fullchain.pem"
echo changed

if ! systemctl is-active --quiet coturn; then exit 0; fi
setting() { sed -n "s/^$1[= ]//p" /etc/turnserver.conf | tail -n 1; }
# A service that was started without TLS has none to reload.
if [ -z "$(setting cert)" ]; then exit 0; fi
port=$(setting tls-listening-port)
address=$(sed -n 's/^listening-ip[= ]//p' /etc/turnserver.conf | head -n 1)
case $address in *:*) address="[$address]" ;; esac
at=${address:-127.0.0.1}:${port:-5349}

serial() { openssl x509 -noout -serial 2>/dev/null || echo none; }
wanted=$(serial <"$target/fullchain.pem")
systemctl kill --kill-who=main --signal=USR2 coturn
attempts=50
while [ "$attempts" -gt 0 ]; do
  served=$(openssl s_client -connect "$at" </dev/null 2>/dev/null | serial)
  if [ "$served" = "$wanted" ]; then exit 0; fi
  attempts=$((attempts - 1))
  sleep 0.2
done
echo "coturn at $at serves the certificate with $served, not that with $wanted" >&2
exit 1
