#!/bin/sh
# server-witness.sh CONNECTION SECONDS PACKETS BOUNDARY PYTHON [ADDRESS...]: captures, on a server, the packets of the client
# who runs this by ssh, and of its other ADDRESSes, until standard input ends. CONNECTION is what ssh calls SSH_CONNECTION,
# PYTHON a program that captures where there is no tcpdump. The capture goes to standard output; nothing is written on the server.
# Beginnings of packets alone: addresses, ports and what is needed to tell STUN. Of TCP only what opens and resets.
# Where nothing can be captured, it waits as long, and prints what else may tell of these packets, in sections.
# This text holds no single quote, as it goes through ssh within a pair of them.
connection=$1
seconds=$2
packets=$3
boundary=$4
python=$5
shift 5
# CLIENT PORT SERVER PORT (ssh(1))
echo "witness: connection $connection" >&2
port=$(echo "$connection" | cut -d " " -f 4)
PATH=$PATH:/usr/sbin:/sbin

section() {
  printf "\n%s begin %s\n" "$boundary" "$1"
  shift
  "$@" 2>/dev/null
  printf "\n%s end %s\n" "$boundary" $?
}
udp_sockets() { cat /proc/net/udp /proc/net/udp6; }
# What the journal has, else the files that coturn has open, from where they ended before.
log_files() {
  for process in /proc/[0-9]*; do
    [ "$(cat "$process/comm")" != turnserver ] || ls -l "$process/fd"
  done 2>/dev/null | sed -n "s/.* -> \(\/.*log.*\)$/\1/p" | sort -u | while read -r file; do
    echo "$(wc -c <"$file") $file"
  done 2>/dev/null
}
log_lines() {
  lines=$(timeout 4 journalctl -q --no-pager --utc -o short-iso-precise --since "@$since" -n 20000 -u coturn.service -u turnserver.service)
  if [ -n "$lines" ]; then
    echo "$lines" | tail -c 2000000
    return
  fi
  echo "$files" | while read -r size file; do
    [ -z "$file" ] || tail -c "+$((size + 1))" "$file" | tail -c 2000000
  done
}
# Of this client alone, where its addresses are of IPv4.
tracked() {
  table=$(timeout 4 cat /proc/net/nf_conntrack || timeout 4 conntrack -L) || return
  for address in $clients; do echo "$table" | grep -F "src=$address dst=" | head -n 500; done
  return 0
}
trace() {
  echo "witness: $1" >&2
  since=$(date +%s)
  files=$(log_files)
  shift
  clients="${connection%% *} $*"
  section "udp before" udp_sockets
  echo "witness: ready" >&2
  timeout "$seconds" cat >/dev/null
  section "udp after" udp_sockets
  section tracked tracked
  section log log_lines
}

if [ "$(id -u)" -ne 0 ]; then
  trace "no root" "$@"
elif command -v tcpdump >/dev/null 2>&1; then
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
  trace "no program" "$@"
fi
