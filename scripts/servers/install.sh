#!/bin/sh
# Gets what servers need on Debian, as root: install.sh [postgres] [rabbitmq] [mongodb] [rabbitmq4=FOLDER]
# Nothing is started, and no configuration of the machine is touched.
set -eu

packages=
root4=
for name in "$@"; do
  case $name in
    postgres) packages="$packages postgresql" ;;
    rabbitmq) packages="$packages rabbitmq-server" ;;
    mongodb) packages="$packages default-jdk-headless maven" ;;
    rabbitmq4=*) root4=${name#*=} ;;
    *) echo "install.sh: what is $name?" >&2; exit 2 ;;
  esac
done
if [ -n "$root4" ] && [ ! -x "$root4/usr/lib/rabbitmq/bin/rabbitmq-server" ]; then
  packages="$packages debootstrap"
else
  root4=
fi

need=
for package in $packages; do
  dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || need="$need $package"
done
if [ -n "$need" ]; then
  export DEBIAN_FRONTEND=noninteractive
  # Packages of servers start them where this file does not say no.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
    trap 'exit 143' INT TERM
  fi
  lock='-o DPkg::Lock::Timeout=300'
  apt-get update -q $lock
  apt-get install -y -q --no-install-recommends $lock $need
fi

if [ -n "$root4" ]; then
  mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/*.sources 2>/dev/null | head -n 1)
  [ -n "$mirror" ] || mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list | head -n 1)
  # Made beside and renamed: what was cut short is not taken for a root.
  rm -rf "$root4.making"
  # In a name space of its own: what it mounts is gone with it, even when it is killed.
  unshare --mount --propagation private debootstrap --variant=minbase --include=rabbitmq-server trixie "$root4.making" "$mirror"
  rm -rf "$root4.making"/var/cache/apt/archives/*.deb
  cp /etc/hosts "$root4.making/etc/hosts" # a node called obverse@localhost has to find localhost
  mv "$root4.making" "$root4"
fi
