#!/bin/sh
# run-server.sh MACHINE DIRECTORY NAMESPACE [OPTION…]: boots the root file system DIRECTORY/root with systemd as its first process,
# in a network namespace that is there already, and again whenever it reboots. DIRECTORY/pid is the systemd-nspawn that runs.
set -eu
machine=$1
directory=$2
namespace=$3
shift 3

# systemd in the server wants a control group of its own; where this machine has both versions, in both hierarchies.
if [ -d /sys/fs/cgroup/unified ]; then groups='/sys/fs/cgroup/unified /sys/fs/cgroup/systemd'; else groups=/sys/fs/cgroup; fi
for group in $groups; do
  mkdir -p "$group/$machine"
  echo $$ >"$group/$machine/cgroup.procs"
done

export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
while :; do
  systemd-nspawn --quiet --directory="$directory/root" --machine="$machine" --boot --register=no --keep-unit \
    --network-namespace-path="/run/netns/$namespace" --capability=CAP_NET_ADMIN --resolv-conf=off --timezone=off \
    --link-journal=no "$@" &
  echo $! >"$directory/pid"
  status=0
  wait $! || status=$?
  # 133: the server asked for a reboot. What its kernel had of a firewall is gone then.
  if [ "$status" != 133 ]; then exit "$status"; fi
  ip netns exec "$namespace" nft flush ruleset
done
