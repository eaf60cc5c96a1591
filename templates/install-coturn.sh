#!/bin/sh
# Installs the package coturn on Debian and Ubuntu without its service ever running: the config that comes with the
# package lets everyone relay. Run as root. A coturn that is installed already is left as it is.
set -eu
export DEBIAN_FRONTEND=noninteractive

policy=/usr/sbin/policy-rc.d
own_policy=
masked=

cleanup() {
  trap - EXIT
  [ -z "$own_policy" ] || rm -f "$policy"
  if [ -n "$masked" ]; then systemctl unmask coturn.service; fi
  # Also where systemd does not run now: the package has enabled its service for the next boot.
  if command -v systemctl >/dev/null && [ -e /lib/systemd/system/coturn.service ]; then
    systemctl disable coturn.service
  fi
}

case $(dpkg-query --show --showformat='${db:Status-Status}' coturn 2>/dev/null || true) in
installed) exit 0 ;;
esac

trap cleanup EXIT
# A step that has begun ends first: dpkg must not be stopped half way, nor the service be freed while it works.
trap 'exit 130' INT TERM HUP

if [ ! -e "$policy" ]; then
  # invoke-rc.d(8): 101 forbids the action.
  printf '%s\n' '#!/bin/sh' 'exit 101' >"$policy"
  own_policy=yes
  chmod 755 "$policy"
elif "$policy" coturn start 2 >/dev/null 2>&1 || [ $? -ne 101 ]; then
  if [ ! -d /run/systemd/system ]; then
    echo "$policy lets packages start their services; coturn would start as an open relay" >&2
    exit 1
  fi
fi
if [ -d /run/systemd/system ]; then
  # Holds even when the policy is one that allows it.
  systemctl mask coturn.service
  masked=yes
fi

install_coturn() {
  apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=60 \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=20 coturn
}

# The lists of a fresh machine are empty, those of an old one name files that are gone.
install_coturn || {
  apt-get update -o Acquire::Retries=2 -o Acquire::http::Timeout=20
  install_coturn
}
