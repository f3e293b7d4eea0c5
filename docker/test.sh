#!/bin/bash
# Builds the image and tests a container of it as a cautious operator would run it: read-only, no capability,
# little memory. Needs root on Debian, but neither a Docker engine nor a registry: podman builds, and the base
# image is bootstrapped from the mirror that this machine's apt uses.
# usage: docker/test.sh            env: CACHE_DIR, KEEP=1 (keep the image)
#        docker/test.sh clean      removes the images and the cache
set -euo pipefail
cd "$(dirname "$0")/.."
CACHE_DIR=${CACHE_DIR:-/var/cache/classifyd-docker-test}
RUN_DIR=/run/classifyd-docker-test
BASE=localhost/debian:bookworm-slim
IMAGE=localhost/classifyd:test
container=
own=

step() { printf '[%4ds] %s\n' "$SECONDS" "$*"; }
pm() { podman --log-level=fatal --root "$CACHE_DIR/root" --runroot "$RUN_DIR" --storage-driver overlay "$@"; }
fail() {
  echo "FAIL: $*" >&2
  [ -z "$container" ] || pm logs "$container" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "needs root"
if [ "${1:-}" = clean ]; then
  pm rm -af
  pm rmi -af
  rm -rf "$CACHE_DIR" "$RUN_DIR"
  exit 0
fi

# runc because crun 1.8 refuses hybrid cgroups; netavark publishes ports.
install_tools() {
  local missing=() package
  for package in podman runc netavark aardvark-dns iptables mmdebstrap ca-certificates curl; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ ${#missing[@]} = 0 ] && return
  apt-get -qq update
  DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 install -y --no-install-recommends \
    "${missing[@]}" >/dev/null
}

# A process may not raise its own limits, and podman's defaults are high: at most ours, or the number given.
limit() {
  local value
  value=$(ulimit "$1")
  if [ "$value" = unlimited ] || [ "$value" -gt "$2" ]; then value=$2; fi
  echo "$value:$value"
}

configure_podman() {
  mkdir -p "$CACHE_DIR"
  export CONTAINERS_CONF=$CACHE_DIR/containers.conf
  cat >"$CONTAINERS_CONF" <<CONF
[containers]
default_ulimits = ["nofile=$(limit -Hn 65536)", "nproc=$(limit -Hu "$(cat /proc/sys/kernel/pid_max)")"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
[network]
network_backend = "netavark"
CONF
}

# What debian:bookworm-slim holds: a minimal system without manuals and translations.
make_base() {
  pm image exists "$BASE" && return
  # shellcheck disable=SC2016 # apt-get expands these
  targets() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Origin: Debian'; }
  [ -n "$(targets)" ] || apt-get -qq update
  local mirror security options=() folder
  mirror=$(targets | awk '$2 !~ /-/ { print $1; exit }')
  security=$(targets | awk '$2 ~ /-security/ { print $1; exit }')
  {
    echo "deb $mirror bookworm main"
    echo "deb $mirror bookworm-updates main"
    [ -z "$security" ] || echo "deb $security bookworm-security main"
  } >"$CACHE_DIR/sources.list"
  # This machine's proxy and certificate settings, if any.
  apt-config dump | grep -E '^Acquire::(http|https|Check-[A-Za-z-]+|Retries)(::[^ ]*)? "[^"]' \
    >"$CACHE_DIR/99host" || true
  for folder in man info doc locale groff lintian; do
    options+=("--dpkgopt=path-exclude=/usr/share/$folder/*")
  done
  mmdebstrap --quiet --variant=minbase --aptopt="$CACHE_DIR/99host" "${options[@]}" \
    --dpkgopt='path-include=/usr/share/doc/*/copyright' bookworm "$CACHE_DIR/base.tar" "$CACHE_DIR/sources.list"
  pm import --quiet --change 'CMD ["bash"]' "$CACHE_DIR/base.tar" "$BASE" >/dev/null
  rm -f "$CACHE_DIR/base.tar"
}

size_of() { pm image inspect "$1" --format '{{.Size}}'; }

finish() {
  [ -z "$container" ] || pm rm -f "$container" >/dev/null 2>&1 || true
  rm -rf "$own"
  [ -n "${KEEP:-}" ] || pm rmi -f "$IMAGE" >/dev/null 2>&1 || true
}
trap finish EXIT

# Starts a container; further arguments go to podman. Sets container and url.
start() {
  container=$(pm run -d -p 127.0.0.1::8080 --read-only --cap-drop=ALL --security-opt=no-new-privileges \
    --memory=256m --cpus=1 --pids-limit=128 "$@" "$IMAGE")
  url=http://$(pm port "$container" 8080)
  for _ in $(seq 100); do
    curl -sf -m 2 -o /dev/null "$url/readyz" && return
    sleep 0.1
  done
  fail "not ready after 10 s"
}

# Ends it as an orchestrator does; 137 would mean that it had to be killed.
stop() {
  pm stop -t 30 "$container" >/dev/null
  local code
  code=$(pm inspect "$container" --format '{{.State.ExitCode}}')
  [ "$code" = 0 ] || fail "exit code $code after SIGTERM"
  pm rm -f "$container" >/dev/null
  container=
}

expect() { # WHAT PATTERN: standard input has a line that matches
  local answer
  answer=$(cat)
  grep -qE "$2" <<<"$answer" || fail "$1: wanted $2, got: $answer"
  step "$1"
}

install_tools
configure_podman
step "tools: $(podman --version), $(runc --version | head -n 1)"
make_base
step "base image: $(size_of "$BASE") bytes"
pm build --format docker --pull=never --build-arg "BASE_IMAGE=$BASE" -t "$IMAGE" -f docker/Dockerfile .
total=$(size_of "$IMAGE")
step "image: $total bytes, without the base: $((total - $(size_of "$BASE"))) bytes"

start
curl -sS -m 5 -T tests/images/seven.png "$url/classify/mnist" | expect "a picture is classified" '"label": ?"7"'
curl -sS -m 5 "$url/metrics" | expect "metrics are there" '^classifyd_build_info'
curl -sS -m 5 -o /dev/null -w '%{http_code}\n' -X POST "$url/reload" | expect "no admin route outside" '^404$'
pm healthcheck run "$container" || fail "health check" # there is no systemd here to run it by itself
step "the health check passes"
pm exec "$container" sh -c 'id -u; grep CapEff /proc/1/status' | tr '\n' ' ' |
  expect "it is not root and has no capability" '^10001 CapEff:\s0000000000000000'
if pm exec "$container" touch /models/x 2>/dev/null; then fail "its files can be written"; fi
step "its files cannot be written"
pm exec "$container" classify --help | expect "the tool is there" 'classify'
stop
step "SIGTERM ends it with exit code 0"

# An operator's own models in place of ours.
own=$(mktemp -d)
cp -r models/mnist "$own/digits"
chmod -R a+rX "$own"
start -v "$own:/models:ro"
curl -sS -m 5 -T tests/images/seven.png "$url/classify/digits" | expect "a volume replaces the models" '"label": ?"7"'
stop
echo PASS
