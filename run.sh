#!/bin/sh
# Installs what is missing, builds, and serves models/. Arguments go to the daemon: ./run.sh --listen 0.0.0.0:9000
set -eu
cd "$(dirname "$0")"
docker/prepare.sh build run
CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
export CMAKE_GENERATOR
cmake --preset release -DBUILD_TESTING=OFF
cmake --build --preset release --parallel "$(nproc)" --target classifyd classify
echo "The daemon names its addresses and a curl line; a picture to try it with is tests/images/seven.png."
exec build/release/bin/classifyd --models models "$@"
