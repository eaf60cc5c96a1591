#!/bin/sh
# Prints what can be seen of a TURN server, in sections that rtc-ops reads. It only reads: nothing is written, started or
# changed. Of a private key no more leaves than the SHA-256 of its public half. What cannot be seen says why.
# The shell reads the script from standard input, so that nothing of it is on the server.
set -u
LC_ALL=C
export LC_ALL
# The tools lie where only root looks.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

boundary='{{boundary}}'
hours='{{hours}}'
# `all`, or `network` for rules, sockets and addresses alone.
parts='{{parts}}'
log_bytes=3000000
file_bytes=262144
most_daemons=16

# A section: its name, what is in it, and how it ended: the exit status, or a word.
begin() { printf '\n%s begin %s\n' "$boundary" "$1"; }
end() { printf '\n%s end %s\n' "$boundary" "$1"; }
section() {
  begin "$1"
  shift
  "$@" 2>/dev/null
  end $?
}
unseen() {
  begin "$1"
  end "$2"
}
file() {
  if [ ! -e "$2" ]; then
    unseen "$1" absent
  elif [ ! -r "$2" ]; then
    unseen "$1" denied
  else
    section "$1" limited 2 head -c "${3:-$file_bytes}" "$2"
  fi
}
has() { command -v "$1" >/dev/null 2>&1; }

# No program may take longer than its seconds; 124 says that it would have.
if timeout 1 true 2>/dev/null; then
  limited() { timeout "$@"; }
else
  limited() {
    seconds=$1
    shift
    "$@" &
    child=$!
    { sleep "$seconds" && kill "$child"; } >/dev/null 2>&1 &
    watchdog=$!
    wait "$child"
    result=$?
    kill "$watchdog" 2>/dev/null
    [ "$result" -eq 143 ] && result=124
    return "$result"
  }
fi

# The value of the last line of an option in a configuration, as coturn reads it.
option_of() {
  awk -v name="$1" '{
    sub(/^[ \t\r\v\f]+/, ""); sub(/[ \t\r\v\f]+$/, "")
    key = $0; sub(/[ =\t].*/, "", key)
    if (key != name) next
    value = $0
    if (value == key) value = ""; else sub(/^[^ =\t]+[ =\t]+/, "", value)
    sub(/^"/, "", value); sub(/"$/, "", value)
    found = value
  } END { print found }'
}

# The value of --NAME on the command line of a process.
argument_of() {
  tr '\000' '\n' <"/proc/$1/cmdline" 2>/dev/null | awk -v name="$2" '
    taken { found = $0; taken = 0; next }
    $0 == "--" name { taken = 1; next }
    index($0, "--" name "=") == 1 { found = substr($0, length(name) + 4) }
    END { print found }'
}

# Owner, group, mode and times of a file and of each directory above it, also behind symbolic links; $1 is what stands
# before the path where the process sees another root. In a shell of its own, for its variables.
nodes_of() (
  target=$(readlink -f "$1$2")
  for path in "$2" "${target#"$1"}"; do
    [ -n "$path" ] || continue
    rest=${path#/}
    walked=''
    stat_of "$1" / || return 0
    while [ -n "$rest" ]; do
      part=${rest%%/*}
      case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
      [ -n "$part" ] || continue
      if [ ! -x "$1${walked:-/}" ]; then
        echo "error EACCES"
        return 0
      fi
      walked="$walked/$part"
      if ! stat_of "$1" "$walked"; then
        echo "error ENOENT"
        return 0
      fi
    done
  done
)
stat_of() {
  numbers=$(stat -L -c '%u %g %a %Y %Z' "$1$2") && printf '%s %s\n' "$numbers" "$2"
}

certificates_in() {
  limited 2 head -c "$file_bytes" "$1" | certificate_blocks
}
certificate_blocks() {
  sed -n '/-----BEGIN [A-Z0-9 ]*CERTIFICATE-----/,/-----END [A-Z0-9 ]*CERTIFICATE-----/p'
}
# The headers of the blocks, and the SHA-256 of the public half.
key_in() {
  grep -E '^(-----BEGIN |Proc-Type:)' "$1"
  has openssl || return 127
  limited 3 openssl pkey -in "$1" -passin pass: -pubout -outform DER </dev/null | limited 3 openssl dgst -sha256
}

about_system() {
  file os-release /etc/os-release
  section virtualization limited 2 systemd-detect-virt
  section btime grep '^btime' /proc/stat
  section hostname uname -n
  section chrony limited 2 chronyc -n tracking
  # systemd starts a helper to answer that.
  if ! has chronyc; then section timedatectl limited 3 timedatectl show; fi
  # -h stands behind --version because 4.5.2 does not know --version: without -h it would start and serve.
  section version limited 3 turnserver --version -h
  if has dpkg-query; then
    # shellcheck disable=SC2016
    section package limited 3 dpkg-query --show --showformat '${db:Status-Status} ${Version}' coturn
  elif has rpm; then
    section package limited 3 rpm -q --queryformat 'installed %{VERSION}-%{RELEASE}' coturn
  elif has apk; then
    section package limited 3 apk list --installed coturn
  else
    unseen package 127
  fi
  file passwd /etc/passwd
  file group /etc/group
  file lowest-port /proc/sys/net/ipv4/ip_unprivileged_port_start
  if has turnserver; then section getcap limited 2 getcap "$(command -v turnserver)"; else unseen getcap absent; fi
}

about_network() {
  for table in tcp tcp6 udp udp6; do file "sockets $table" "/proc/self/net/$table" 4000000; done
  section owners socket_owners
  file route /proc/self/net/route
  file ipv6_route /proc/self/net/ipv6_route
  section addresses limited 2 ip -o addr show
  section nft-json limited 5 nft -j list ruleset
  section nft-text limited 5 nft -a list ruleset
  section iptables-nft limited 5 iptables-nft-save
  section ip6tables-nft limited 5 ip6tables-nft-save
  for tool in iptables ip6tables; do
    names=/proc/self/net/${tool%tables}_tables_names
    # Without the module there is no such file, and nothing that it filters.
    if [ -e "$names" ] && [ -n "$(cat "$names" 2>/dev/null)" ]; then
      section "$tool-legacy" limited 5 "$tool-legacy-save"
    else
      unseen "$tool-legacy" absent
    fi
  done
}
# Process, inode and program of the sockets that others may send to.
socket_owners() {
  {
    cat /proc/self/net/tcp /proc/self/net/tcp6 /proc/self/net/udp /proc/self/net/udp6 |
      awk '$4 == "0A" || $4 == "07" { print "inode", $10 }'
    ls -l /proc/[0-9]*/fd
  } 2>/dev/null | awk '
    $1 == "inode" { wanted[$2] = 1; next }
    /^\/proc\// { split($0, parts, "/"); process = parts[3]; next }
    match($0, /socket:\[[0-9]+\]/) {
      inode = substr($0, RSTART + 8, RLENGTH - 9)
      if (!(inode in wanted)) next
      file = "/proc/" process "/comm"
      program = ""
      getline program <file
      close(file)
      print process, inode, program
    }'
}

about_processes() {
  own_network=$(readlink /proc/self/ns/net)
  daemons=''
  others=''
  proxies=''
  for directory in /proc/[0-9]*; do
    { read -r program <"$directory/comm"; } 2>/dev/null || continue
    process=${directory#/proc/}
    case $program in
      turnserver)
        # One in another network is somebody else's, or in a container.
        network=$(readlink "$directory/ns/net")
        if [ -z "$network" ] || [ "$network" = "$own_network" ]; then
          daemons="$daemons $process"
        else
          others="$others $process"
        fi
        ;;
      docker-proxy) proxies="$proxies $process" ;;
    esac
  done
  for process in $others; do
    grep -qE 'docker|libpod|kubepods|crio|containerd|lxc' "/proc/$process/cgroup" && daemons="$daemons $process"
  done
  # shellcheck disable=SC2086
  set -- $daemons
  left=$(($# > most_daemons ? $# - most_daemons : 0))
  daemons=$(echo "$daemons" | cut -d ' ' -f "1-$((most_daemons + 1))")
  if [ -z "$daemons$others" ] && ! { read -r program </proc/1/comm; } 2>/dev/null; then
    # With hidepid nobody but root sees the processes of others, and a system without /proc shows none.
    unseen processes hidden
  else
    section processes printf 'looked at%s\nleft %s\nelsewhere %s\n' "$daemons" "$left" "$(echo "$others" | wc -w)"
  fi
  section docker-proxy docker_proxies
  units=''
  for process in $daemons; do about_process "$process"; done
  section usual-configuration test -e /etc/turnserver.conf
  about_unit
  # What would be read at the next start.
  if [ -z "$daemons" ]; then about_configuration 0 "$(configuration_of_unit)"; fi
}
docker_proxies() {
  for process in $proxies; do tr '\000' ' ' <"/proc/$process/cmdline" && echo; done | head -n 40
}

about_process() {
  section "process $1 status" cat "/proc/$1/status"
  section "process $1 arguments" tr '\000' '\n' <"/proc/$1/cmdline"
  section "process $1 stat" cat "/proc/$1/stat"
  section "process $1 limits" grep 'open files' "/proc/$1/limits"
  section "process $1 links" links_of "$1"
  section "process $1 cgroup" cat "/proc/$1/cgroup"
  section "process $1 open" open_files_of "$1"
  if is_another_program "$1"; then section "process $1 version" limited 3 "/proc/$1/exe" --version -h; fi
  units="$units $(sed -n 's#.*/\([^/]*\.service\)$#\1#p' "/proc/$1/cgroup" 2>/dev/null | head -n 1)"
  network=$(readlink "/proc/$1/ns/net")
  if [ -n "$network" ] && [ "$network" != "$own_network" ]; then
    for table in tcp tcp6 udp udp6; do file "process $1 sockets $table" "/proc/$1/net/$table" 1000000; done
  fi
  about_configuration "$1" "$(configuration_of_process "$1")"
}
# Whether it is no program that is found by its name, and one that only root can have put there: no other is started.
is_another_program() {
  program=$(readlink "/proc/$1/exe")
  [ "$(readlink "/proc/$1/ns/mnt")" = "$(readlink /proc/self/ns/mnt)" ] || return 1
  case $program in
    */turnserver) [ "$program" != "$(readlink -f "$(command -v turnserver)")" ] || return 1 ;;
    *) return 1 ;;
  esac
  case $(stat -L -c '%u %a' "/proc/$1/exe") in
    '0 '*[2367] | '0 '*[2367]?) return 1 ;;
    '0 '*) return 0 ;;
    *) return 1 ;;
  esac
}
links_of() {
  for link in exe cwd ns/net ns/mnt; do printf '%s %s\n' "$link" "$(readlink "/proc/$1/$link")"; done
  printf 'own-net %s\n' "$own_network"
}
# How many files it has open, and those that could be its log: coturn puts the date into the name.
open_files_of() {
  [ -r "/proc/$1/fd" ] || return 1
  # shellcheck disable=SC2012
  ls -l "/proc/$1/fd" | awk '
    / -> / { count++ }
    / -> \/(var|tmp|home|opt|srv|data|logs?)\/.*log/ || / -> \/.*_20[0-9][0-9]-[01][0-9]-[0-3][0-9]/ {
      sub(/.* -> /, "")
      if (!/ \(deleted\)$/) print "log", $0
    }
    END { print "count", count + 0 }'
}

# `argument PATH`, `search PATH`, `none`, or `missing PATH` for one that is named and not there.
configuration_of_process() {
  named=$(tr '\000' '\n' <"/proc/$1/cmdline" 2>/dev/null | awk '
    NR == 1 { next }
    taken { found = $0; taken = 0; next }
    $0 == "-n" { none = 1; next }
    $0 == "-c" { taken = 1; next }
    /^-c./ { found = substr($0, 3) }
    END { if (none) print "-n"; else print found }')
  [ "$named" = -n ] && echo none && return
  found_configuration "/proc/$1/cwd" "${named:-turnserver.conf}" "${named:+argument}"
}
# The directories in which coturn looks for a file, in its order (find_config_file of its apputils.c).
found_configuration() {
  case $2 in
    /*) echo "argument $2" && return ;;
  esac
  here=$(readlink "$1")
  for folder in "$here" "$here/turnserver" "$here/coturn" "$here/etc" "$here/etc/turnserver" "$here/etc/coturn" \
    "$here/../etc" "$here/../etc/turnserver" "$here/../etc/coturn" /etc /etc/turnserver /etc/coturn \
    /usr/local/etc /usr/local/etc/turnserver /usr/local/etc/coturn /usr/etc /usr/etc/turnserver /usr/etc/coturn; do
    [ -n "$folder" ] && [ -e "$folder/$2" ] && echo "${3:-search} $folder/$2" && return
  done
  echo "missing $2"
}
configuration_of_unit() {
  named=$(limited 3 systemctl show -p ExecStart coturn.service 2>/dev/null | sed -n 's/.* -c  *\([^ ;]*\).*/\1/p')
  if [ -n "$named" ]; then echo "argument $named"; else found_configuration / turnserver.conf ''; fi
}

# $2 is what configuration_of_process printed.
about_configuration() {
  section "configuration $1 origin" echo "$2"
  path=${2#* }
  root=''
  # A container, or a service with a /tmp of its own.
  if [ "$1" != 0 ] && [ "$(readlink "/proc/$1/ns/mnt")" != "$(readlink /proc/self/ns/mnt)" ] &&
    [ -r "/proc/$1/root/" ]; then root=/proc/$1/root; fi
  case $2 in
    none | missing*) path='' ;;
    *)
      section "configuration $1 nodes" nodes_of "$root" "$path"
      file "configuration $1 text" "$root$path"
      ;;
  esac
  for name in cert pkey tls-listening-port; do
    value=''
    [ "$1" != 0 ] && value=$(argument_of "$1" "$name")
    if [ -z "$value" ] && [ -n "$path" ] && [ -r "$root$path" ]; then value=$(option_of "$name" <"$root$path"); fi
    case $name:$value in
      cert:/* | pkey:/*) about_pem "$1" "$name" "$root" "$value" ;;
      tls-*) tls_port=${value:-5349} ;;
    esac
  done
  if [ "$1" != 0 ]; then about_served "$1" "$tls_port"; fi
}
about_pem() {
  section "$2 $1 path" echo "$4"
  section "$2 $1 nodes" nodes_of "$3" "$4"
  if [ ! -e "$3$4" ]; then
    unseen "$2 $1 text" absent
  elif [ ! -r "$3$4" ]; then
    unseen "$2 $1 text" denied
  elif [ "$2" = cert ]; then
    section "$2 $1 text" certificates_in "$3$4"
  else
    section "$2 $1 text" key_in "$3$4"
  fi
}

# The certificate that a process of this network serves, asked over loopback or the address that it listens on.
about_served() {
  case $2 in '' | *[!0-9]*) return ;; esac
  [ "$(readlink "/proc/$1/ns/net")" = "$own_network" ] || return
  address=$(awk -v port="$(printf ':%04X' "$2")" '
    $4 == "0A" && substr($2, 9) == port { print substr($2, 1, 8); exit }' /proc/self/net/tcp)
  case $address in
    '') return ;;
    00000000) address=127.0.0.1 ;;
    *) address=$(printf '%d.%d.%d.%d' "0x${address#??????}" "0x$(echo "$address" | cut -c5-6)" "0x$(echo "$address" | cut -c3-4)" "0x${address%??????}") ;;
  esac
  if has openssl; then
    section "served $1 $address:$2" served_at "$address:$2"
  else
    unseen "served $1 $address:$2" 127
  fi
}
# With a Binding request in it, so that it is no handshake without a request in the log of coturn.
served_at() {
  { printf '\000\001\000\000\041\022\244\102rtc-ops-look' && sleep 0.2; } |
    limited 4 openssl s_client -connect "$1" | certificate_blocks
}

about_unit() {
  if ! has systemctl; then
    unseen units 127
    return
  fi
  # Each once.
  names=$(for name in $units coturn.service turnserver.service; do echo "$name"; done | awk '!seen[$0]++')
  # shellcheck disable=SC2086
  section units limited 4 systemctl show -p Id,LoadState,ActiveState,SubState,Result,NRestarts,MainPID,ExecMainPID,ExecMainCode,ExecMainStatus,ExecMainStartTimestamp,ActiveEnterTimestamp,UnitFileState,User,Group,LimitNOFILE $names
  for folder in /usr/lib/systemd/system /lib/systemd/system /etc/systemd/system; do
    file "unit-file $folder/coturn.service" "$folder/coturn.service"
    for path in "$folder"/coturn.service.d/*.conf; do
      [ -e "$path" ] && file "unit-file $path" "$path"
    done
  done
}

about_limits() {
  file meminfo /proc/meminfo
  file loadavg /proc/loadavg
  section disk limited 2 df -Pk / /var/log /var/tmp /tmp
  section inodes limited 2 df -Pi / /var/log
  file snmp /proc/self/net/snmp
  file snmp6 /proc/self/net/snmp6
  file conntrack-count /proc/sys/net/netfilter/nf_conntrack_count
  file conntrack-max /proc/sys/net/netfilter/nf_conntrack_max
  section oom grep '^oom_kill' /proc/vmstat
}

about_logs() {
  if has journalctl; then
    section journal journal_of_coturn
    section kernel kernel_log
  else
    unseen journal 127
    if has dmesg; then section kernel kernel_messages; else unseen kernel 127; fi
  fi
  for process in $daemons; do
    path=$(open_files_of "$process" 2>/dev/null | sed -n 's/^log //p' | tail -n 1)
    [ -n "$path" ] || continue
    if [ -e "/proc/$process/root$path" ]; then path="/proc/$process/root$path"; fi
    section "log $process ${path#"/proc/$process/root"}" limited 3 tail -c "$log_bytes" "$path"
  done
}
journal_of_coturn() {
  # Whatever the unit is called whose main process is one of them; a login or cron has them too, and writes of others.
  # Of one unit alone: the starts of two would look like one that was started again.
  own_units=$(for name in $units; do
    case " $units " in *' coturn.service '* | *' turnserver.service '*) break ;; esac
    main=$(limited 2 systemctl show -p MainPID --value "$name")
    case " $daemons " in *" ${main:-none} "*) printf ' -u %s' "$name" && break ;; esac
  done)
  # shellcheck disable=SC2086
  limited 4 journalctl -q --no-pager --utc -o short-iso-precise --since "-${hours}h" -n 40000 -u coturn.service -u turnserver.service $own_units |
    tail -c "$log_bytes"
}
interesting='nf_conntrack|oom-kill|[Oo]ut of memory|turnserver'
kernel_log() {
  limited 3 journalctl -q --no-pager --utc -o short-iso-precise -k --since "-${hours}h" -n 20000 | grep -E "$interesting" | tail -n 200
  return 0
}
kernel_messages() {
  limited 2 dmesg | grep -E "$interesting" | tail -n 200
}

main() {
  section clock-first date -u +%s.%N
  file uptime /proc/uptime
  section id id -u
  section uname uname -srm
  about_network
  if [ "$parts" = all ]; then
    about_system
    about_processes
    about_limits
    about_logs
  fi
  section clock-last date -u +%s.%N
  printf '\n%s finished\n' "$boundary"
}
main </dev/null 2>/dev/null
