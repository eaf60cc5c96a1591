#!/bin/sh
# build-image.sh SUITE DIRECTORY: the root file system of a server of the lab, a Debian with systemd and ssh as a hoster would
# give it. DIRECTORY is that of the image; beside it lie the key and the certificate authority that all servers trust.
# What a deployment installs is fetched here, once, into an archive within the image: servers have no way to the internet.
set -eu
suite=$1
image=$2
shared=$(dirname "$image")

base=systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,python3,python3-apt,sudo,iproute2,ca-certificates,procps,netbase,openssl,iputils-ping,tcpdump,apt-utils
archived='coturn certbot python3-certbot-dns-rfc2136 bind9 ufw firewalld nftables ansible-core libfaketime logrotate'

# The mirror that this machine itself uses, and its proxy. On another system than Debian, mmdebstrap knows one.
mirror=$(awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' \
  /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null || true)
proxy=$(apt-config shell value Acquire::http::Proxy | sed "s/^value='\(.*\)'$/\1/")

if [ ! -e "$shared/id" ]; then
  ssh-keygen -q -t ed25519 -N '' -f "$shared/id" -C rtc-ops-lab
fi
if [ ! -e "$shared/ca.pem" ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj '/CN=ACME server of the lab' \
    -addext basicConstraints=critical,CA:TRUE -keyout "$shared/ca.key" -out "$shared/ca.pem" 2>/dev/null
fi

set --
if [ -n "$mirror" ]; then
  root=${mirror%/}
  root=${root%/debian}
  set -- "deb $root/debian $suite main" "deb $root/debian $suite-updates main" \
    "deb $root/debian-security $suite-security main"
fi
if [ -n "$proxy" ]; then set -- "--aptopt=Acquire::http::Proxy \"$proxy\"" "$suite" "$image" "$@"; else set -- "$suite" "$image" "$@"; fi

rm -rf "$image"
mmdebstrap --quiet --variant=minbase --include="$base" \
  --customize-hook="chroot \"\$1\" sh -c 'apt-get install -qq --yes --no-install-recommends --download-only $archived &&
    mkdir /srv/packages && mv /var/cache/apt/archives/*.deb /srv/packages/ && cd /srv/packages &&
    apt-ftparchive packages . >Packages'" "$@"

inside() { chroot "$image" "$@"; }

# Two ways in: root, and a user with sudo. A third user may log in and become nobody else.
for user in root deploy guest; do
  home=/home/$user
  if [ "$user" = root ]; then home=/root; else inside useradd --create-home --shell /bin/bash "$user"; fi
  mkdir -p "$image$home/.ssh"
  cp "$shared/id.pub" "$image$home/.ssh/authorized_keys"
  inside chown -R "$user:" "$home/.ssh"
  chmod 700 "$image$home/.ssh"
done
echo 'deploy ALL=(ALL) NOPASSWD: ALL' >"$image/etc/sudoers.d/deploy"

# Each server gets its own identity when it is made.
rm -f "$image"/etc/ssh/ssh_host_* "$image/var/lib/dbus/machine-id" "$image/etc/apt/apt.conf.d/99mmdebstrap"
: >"$image/etc/machine-id"
ln -sf /etc/machine-id "$image/var/lib/dbus/machine-id"

rm -rf "$image"/etc/apt/sources.list.d/* "$image"/var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/packages ./' >"$image/etc/apt/sources.list"
# The coturn of the next Debian, for servers that are upgraded: an archive of its own, which they do not know at first. It is
# not there where that coturn does not fit any more, or cannot be had.
if [ "$suite" = trixie ] && [ -n "$mirror" ]; then
  # A mirror may be a copy of an earlier day, whose lists have ended.
  # shellcheck disable=SC2016
  inside sh -c '
    later() {
      apt-get -qq -o Acquire::Check-Valid-Until=false -o "Acquire::http::Proxy=$proxy" -o APT::Sandbox::User=root \
        -o Dir::Etc::SourceList=/tmp/later.list -o Dir::Etc::SourceParts=- -o Dir::State::Lists=/tmp/lists "$@"
    }
    proxy=$2
    mkdir /srv/later /tmp/lists && cd /srv/later && echo "deb $1/debian forky main" >/tmp/later.list &&
      later update && later download coturn && apt-ftparchive packages . >Packages &&
      { cat /etc/apt/sources.list && echo "deb [trusted=yes] file:/srv/later ./"; } >/tmp/later.list &&
      later update && later install --no-install-recommends --simulate coturn >/dev/null' sh "$root" "$proxy" ||
    rm -rf "$image/srv/later"
  rm -rf "$image/tmp/lists" "$image/tmp/later.list" "$image"/var/cache/apt/*.bin
fi
# Or Ansible's cache_valid_time takes the empty lists for fresh ones.
touch -d '3 days ago' "$image/var/lib/apt/lists"
for timer in apt-daily apt-daily-upgrade; do
  ln -sf /dev/null "$image/etc/systemd/system/$timer.timer"
done

cp "$shared/ca.pem" "$image/usr/local/share/ca-certificates/rtc-ops-lab.crt"
inside update-ca-certificates >/dev/null 2>&1
touch "$image/.complete"
