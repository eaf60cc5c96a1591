#!/bin/sh
# Installs the named Debian packages, as root, without letting coturn's service run: not now, and not at the next boot.
# The service's default configuration is a relay that is open to everyone.
set -eu

policy=/usr/sbin/policy-rc.d
own_policy=$policy.before-rtc-ops
marker='# Written by rtc-ops while it installs packages.'
mask=/etc/systemd/system/coturn.service

# One at a time, or the first to finish would lift the ban while another still installs.
exec 9>/run/rtc-ops-install.lock
flock 9

forbid_service() {
  # Until it is disabled, so that whatever ends this script before that leaves a service that cannot start.
  if [ -d /etc/systemd/system ] && [ ! -e "$mask" ]; then
    ln -s /dev/null "$mask"
    masked=yes
  fi
  # invoke-rc.d and deb-systemd-invoke ask policy-rc.d before they start a service; 101 means no.
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
  if [ -n "$masked" ]; then rm -f "$mask"; fi
  # Whether or not apt-get came to its end.
  if command -v turnserver >/dev/null; then
    if command -v systemctl >/dev/null; then
      systemctl disable --quiet coturn.service
    else
      update-rc.d coturn disable
    fi
  fi
  restore_policy
}

# A coturn that is there already belongs to someone who may want its service, unless a run that was killed left it.
masked=
if grep -qsF "$marker" "$policy" && [ "$(readlink "$mask")" = /dev/null ]; then masked=yes; fi
if ! command -v turnserver >/dev/null || [ -n "$masked" ]; then
  restore_policy
  trap clean_up EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  forbid_service
fi

# What apt-get says matters when it fails.
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
# A mirror of someone else's that cannot be reached must not stand in the way: what matters is the install.
apt-get update -qq >"$log" 2>&1 || true
if ! apt-get install -qqy --no-install-recommends -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 9>&-; then
  cat "$log"
  rm "$log"
  exit 1
fi
rm "$log"
