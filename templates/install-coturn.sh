#!/bin/sh
# Installs the package coturn on Debian and Ubuntu, as root, without its service ever running: not now, and not at the next
# boot. The config that comes with the package lets everyone relay. A coturn that is installed already is left as it is.
set -eu
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1

policy=/usr/sbin/policy-rc.d
own_policy=$policy.before-rtc-ops
marker='# Written by rtc-ops while it installs coturn.'
mask=/etc/systemd/system/coturn.service

# One at a time, or the first to finish would lift the ban while another still installs.
exec 9>/run/rtc-ops-install.lock
flock 9

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' coturn 2>/dev/null || true)" = installed ]
}

forbid_service() {
  # Until it is disabled, so that whatever ends this script before that leaves a service that cannot start.
  if [ -d /etc/systemd/system ] && [ ! -e "$mask" ]; then
    ln -s /dev/null "$mask"
    masked=yes
  fi
  # invoke-rc.d(8) and deb-systemd-invoke ask policy-rc.d before they start a service; 101 means no. Other services are
  # asked about at the policy that was there before.
  if [ -e "$policy" ]; then mv "$policy" "$own_policy"; fi
  cat >"$policy" <<END
#!/bin/sh
$marker
case "\$1" in coturn | coturn.service) exit 101 ;; esac
if [ -x $own_policy ]; then exec $own_policy "\$@"; fi
exit 0
END
  chmod 755 "$policy"
}

restore_policy() {
  if grep -qsF "$marker" "$policy"; then rm "$policy"; fi
  if [ -e "$own_policy" ] && [ ! -e "$policy" ]; then mv "$own_policy" "$policy"; fi
}

# shellcheck disable=SC2329 # called by trap
clean_up() {
  trap - EXIT
  if [ -n "$masked" ]; then rm -f "$mask"; fi
  # Whether or not apt-get came to its end, and also where systemd does not run now: the package has enabled its
  # service for the next boot.
  if command -v turnserver >/dev/null; then
    if command -v systemctl >/dev/null; then systemctl disable --quiet coturn.service; fi
    if command -v update-rc.d >/dev/null; then update-rc.d coturn disable; fi
  fi
  restore_policy
}

# A run that was killed leaves the ban behind; it is taken over here, and lifted.
masked=
if grep -qsF "$marker" "$policy" && [ "$(readlink "$mask")" = /dev/null ]; then masked=yes; fi
if is_installed && [ -z "$masked" ]; then exit 0; fi
restore_policy
trap clean_up EXIT
# A step that has begun ends first: dpkg must not be stopped half way, nor the service be freed while it works.
trap 'exit 130' INT TERM HUP
forbid_service

install_coturn() {
  apt-get install --yes --no-install-recommends -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=2 -o Acquire::http::Timeout=20 coturn 9>&-
}

# The lists of a fresh machine are empty, those of an old one name files that are gone.
install_coturn || {
  apt-get update -o Acquire::Retries=2 -o Acquire::http::Timeout=20
  install_coturn
}
