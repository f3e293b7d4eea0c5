#!/bin/sh
# Installs what is missing, builds, runs every test. Arguments go to ctest: ./test.sh -R pool
# CLASSIFYD_PRESET=asan (or tsan, dev, coverage) tests another build. CLASSIFYD_DATA=DIR names real data sets and
# photographs (docs/testing.md); tests that need them are skipped without. The exit code is ctest's.
set -eu
cd "$(dirname "$0")"
preset=${CLASSIFYD_PRESET:-release}
docker/prepare.sh build run test
CMAKE_GENERATOR=${CMAKE_GENERATOR:-Ninja}
export CMAKE_GENERATOR
cmake --preset "$preset" -DBUILD_TESTING=ON
cmake --build --preset "$preset" --parallel "$(nproc)"

# ONNX Runtime, to compare answers with. Without it those tests are skipped.
if command -v npm >/dev/null && [ ! -d build/peers/node_modules/onnxruntime-node ]; then
  mkdir -p build/peers
  timeout 120 npm install --prefix build/peers --ignore-scripts --no-audit --no-fund onnxruntime-node \
    >build/peers/npm.log 2>&1 || echo "onnxruntime-node could not be had: see build/peers/npm.log"
fi

exec ctest --preset "$preset" --parallel "$(nproc)" "$@"
