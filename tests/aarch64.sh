#!/bin/sh
# Builds for 64-bit Arm with Debian's cross compiler and runs the engine's unit tests under qemu's user emulation:
#   apt-get install gcc-aarch64-linux-gnu qemu-user
#   tests/aarch64.sh [PATTERN]        only tests whose name matches the grep pattern, "kernels" for instance
# The libraries come from Debian's arm64 packages, unpacked beside the build: nothing is installed. They are fetched
# once; delete build/aarch64 to begin anew.
set -eu
cd "$(dirname "$0")/.."
pattern=${1:-.}
build=$PWD/build/aarch64
root=$build/root
packages="libc6-dev libmicrohttpd-dev libjansson-dev libpng-dev libjpeg62-turbo-dev libprotobuf-c-dev zlib1g-dev
  nettle-dev libcmocka-dev"
for program in aarch64-linux-gnu-gcc qemu-aarch64; do
  command -v $program >/dev/null || { echo "$program is missing: apt-get install gcc-aarch64-linux-gnu qemu-user"; exit 77; }
done

# apt with folders of its own, for another architecture.
fetch() {
  apt=$build/apt
  mkdir -p "$apt/state/lists/partial" "$apt/cache/archives/partial" "$root"
  : >"$apt/status"
  options="-o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Dir::State=$apt/state -o Dir::Cache=$apt/cache
    -o Dir::State::status=$apt/status -o APT::Sandbox::User=root"
  # shellcheck disable=SC2086
  apt-get $options update
  # shellcheck disable=SC2086
  apt-get $options install --download-only --yes --no-install-recommends $packages
  for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$root"
  done
  # Links of development packages to /lib/... lead out of the folder.
  find "$root" -type l -lname '/*' | while read -r link; do
    ln -sfn "$root$(readlink "$link")" "$link"
  done
  touch "$build/fetched"
}
[ -e "$build/fetched" ] || fetch

export PKG_CONFIG_LIBDIR="$root/usr/lib/aarch64-linux-gnu/pkgconfig:$root/usr/share/pkgconfig"
export PKG_CONFIG_SYSROOT_DIR="$root"
# -O2: at -O3 the Arm compiler of Debian 12 fails with an internal error on one of the tests.
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCMAKE_SYSTEM_NAME=Linux \
  -DCMAKE_SYSTEM_PROCESSOR=aarch64 -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc -DCMAKE_SYSROOT="$root" \
  -DCMAKE_C_FLAGS_RELEASE="-O2 -DNDEBUG" -DCMAKE_FIND_ROOT_PATH_MODE_PROGRAM=NEVER
tests=$(ninja -C "$build" -t targets all | sed -n 's/^\(unit_[a-z0-9_]*\): phony$/\1/p' |
  grep -E '^unit_(base|kernels|ops|graph|onnx|image|model|train)_' | grep -e "$pattern" | sort)
# shellcheck disable=SC2086
ninja -C "$build" -j2 $tests

export CLASSIFYD_SOURCE="$PWD" CLASSIFYD_BUILD="$build"
failed=0
for test in $tests; do
  if timeout 3600 qemu-aarch64 -L "$root" "$build/tests/$test" >"$build/$test.log" 2>&1; then
    echo "passed  $test"
  elif [ $? -eq 77 ]; then
    echo "skipped $test"
  else
    echo "FAILED  $test: $build/$test.log"
    failed=$((failed + 1))
  fi
done
echo "$failed failed"
[ $failed -eq 0 ]
