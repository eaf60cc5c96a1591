#!/bin/sh
# server-witness.sh SECONDS PACKETS [ADDRESS...]: captures, on a server, the packets of the client who runs this by ssh, and of
# its other ADDRESSes, until standard input ends. The capture goes to standard output; nothing is written on the server.
# Beginnings of packets alone: addresses, ports and what is needed to tell STUN. Of TCP only what opens and resets.
# This text holds no single quote, as it goes through ssh within a pair of them.
seconds=$1
packets=$2
shift 2
# CLIENT PORT SERVER PORT (ssh(1))
connection=${SSH_CONNECTION:-}
echo "witness: connection $connection" >&2
port=$(echo "$connection" | cut -d " " -f 4)
filter=
for address in "${connection%% *}" "$@"; do
  [ -z "$address" ] || filter="${filter:+$filter or }host ${address%%%*}"
done
filter="($filter) and not tcp port ${port:-22} and (udp or icmp or icmp6 or ip6 or tcp[tcpflags] & (tcp-syn|tcp-rst) != 0)"
command -v tcpdump >/dev/null 2>&1 || PATH=$PATH:/usr/sbin:/sbin
if ! command -v tcpdump >/dev/null 2>&1; then
  echo "witness: tcpdump is not installed" >&2
  exit 3
fi
capture="timeout \$1 tcpdump -n -i any -s 128 --immediate-mode -U -w - -c \$2 \"\$3\" & pid=\$!
cat >/dev/null
kill \$pid 2>/dev/null
wait \$pid"
if [ "$(id -u)" -eq 0 ]; then
  exec sh -c "$capture" witness "$seconds" "$packets" "$filter"
elif sudo -n true 2>/dev/null; then
  exec sudo -n sh -c "$capture" witness "$seconds" "$packets" "$filter"
fi
echo "witness: no root" >&2
exit 4
