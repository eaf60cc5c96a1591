#!/bin/sh
# server-witness.sh CONNECTION SECONDS PACKETS PYTHON [ADDRESS...]: captures, on a server, the packets of the client who runs
# this by ssh, and of its other ADDRESSes, until standard input ends. CONNECTION is what ssh calls SSH_CONNECTION, PYTHON a
# program that captures where there is no tcpdump. The capture goes to standard output; nothing is written on the server.
# Beginnings of packets alone: addresses, ports and what is needed to tell STUN. Of TCP only what opens and resets.
# This text holds no single quote, as it goes through ssh within a pair of them.
connection=$1
seconds=$2
packets=$3
python=$4
shift 4
# CLIENT PORT SERVER PORT (ssh(1))
echo "witness: connection $connection" >&2
port=$(echo "$connection" | cut -d " " -f 4)
PATH=$PATH:/usr/sbin:/sbin

if [ "$(id -u)" -ne 0 ]; then
  echo "witness: no root" >&2
  exit 4
fi

if command -v tcpdump >/dev/null 2>&1; then
  filter=
  for address in "${connection%% *}" "$@"; do
    [ -z "$address" ] || filter="${filter:+$filter or }host ${address%%%*}"
  done
  filter="($filter) and not tcp port ${port:-22} and (udp or icmp or icmp6 or ip6 or tcp[tcpflags] & (tcp-syn|tcp-rst) != 0)"
  timeout "$seconds" tcpdump -n -i any -s 128 --immediate-mode -U -w - -c "$packets" "$filter" &
  capture=$!
  # Not for ever: where the network is cut, standard input ends when ssh notices that, which may take hours.
  timeout "$seconds" cat >/dev/null
  kill "$capture" 2>/dev/null || echo "witness: ended early" >&2
  wait "$capture"
elif command -v python3 >/dev/null 2>&1; then
  exec python3 -c "$python" "$seconds" "$packets" "${port:-22}" "${connection%% *}" "$@"
else
  echo "witness: no program" >&2
  exit 3
fi
