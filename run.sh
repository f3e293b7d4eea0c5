#!/bin/sh
# Installs what is missing, builds, and serves models/. Arguments go to the daemon: ./run.sh --listen 0.0.0.0:9000
set -eu
cd "$(dirname "$0")"
docker/prepare.sh build run
CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
export CMAKE_GENERATOR
cmake --preset release -DBUILD_TESTING=OFF
cmake --build --preset release --parallel "$(nproc)" --target classifyd classify
if [ $# -eq 0 ]; then
  echo "Try, in another terminal: curl -T tests/images/seven.png http://127.0.0.1:8080/classify/mnist"
else
  echo "The daemon names its address and a curl line; a picture to try it with is tests/images/seven.png."
fi
exec build/release/bin/classifyd --models models "$@"
