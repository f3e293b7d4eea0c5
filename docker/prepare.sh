#!/bin/sh
# Installs the packages of packages.txt that are missing; asks apt nothing when none is.
# usage: docker/prepare.sh KIND...    kinds: build run test
# shellcheck disable=SC2086 # lists of package names are meant to be split
set -eu
list=$(dirname "$0")/packages.txt

fail() {
  echo "$0: $*" >&2
  exit 1
}

for kind; do
  case $kind in build | run | test) ;; *) fail "$kind: wanted build, run or test" ;; esac
done
wanted=$(awk -v kinds=" $* " '!/^#/ && NF == 2 && index(kinds, " " $2 " ") { print $1 }' "$list")

if ! command -v dpkg-query >/dev/null; then
  echo "$0: not a Debian system, so nothing was installed; needed are the likes of:" $wanted >&2
  exit 0 # cmake names what is really missing
fi
missing=
for package in $wanted; do
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

echo "Missing Debian packages, to be installed:$missing"
command -v apt-get >/dev/null || fail "there is no apt-get here; install them by other means"
sudo=
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || fail "there is no sudo here; as root, run: apt-get install$missing"
  sudo=sudo
fi
apt() {
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 "$@"
}
# The package index may be absent, as in a container, or older than the archive.
if apt-cache show $missing >/dev/null 2>&1; then
  apt install -y --no-install-recommends $missing && exit 0
fi
apt update
apt install -y --no-install-recommends $missing || fail "apt-get could not install:$missing"
