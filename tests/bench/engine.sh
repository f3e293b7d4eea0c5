#!/bin/sh
# Our engine beside ONNX Runtime, model by model, in turns: the same model, threads and batch; the median of the
# rounds' medians. Checks that the answers agree, and prints a table.
#
# usage: tests/bench/engine.sh [--models LIST] [--threads LIST] [--batch LIST] [--rounds N] [--quick] [--data DIR]
#                              [--bin DIR] [--json FILE] [--write]
# --models: names as in engine_sets.py, torchvision's other names, or files; lists are parted by commas.
# --quick: three short rounds, one thread, batch 1. --data: the folder with onnx/imagenet/mobilenetv2-qdq.onnx;
# default $CLASSIFYD_DATA. --json: the figures for a program. --write: puts the tables into docs/benchmarks.md. What a
# run needs is made in build/bench.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=/usr/bin/python3
peers=$root/build/peers

for word; do
    case $word in -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
done

. "$here/need.sh"
need gcc command -v cc
need npm command -v npm
need python3-numpy "$python" -c 'import numpy'
need libopenblas0-serial "$python" -c 'import ctypes; ctypes.CDLL("libopenblas.so.0")'
needed

# The library of the npm package, as ./test.sh installs it.
library() {
    find "$peers/node_modules/onnxruntime-node/bin" -path '*/linux/*' -name libonnxruntime.so.1 2>/dev/null |
        grep "/$1/" || :
}
case $(uname -m) in
x86_64) machine=x64 ;;
aarch64) machine=arm64 ;;
*) machine=$(uname -m) ;;
esac
if [ -z "$(library $machine)" ]; then
    mkdir -p "$peers"
    npm install --prefix "$peers" --ignore-scripts --no-audit --no-fund onnxruntime-node >"$peers/npm.log" 2>&1 || {
        cat "$peers/npm.log" >&2
        exit 1
    }
fi

mkdir -p "$root/build/bench"
peer=$root/build/bench/onnxruntime
cc -O2 -std=c11 -D_GNU_SOURCE "$here/peers/onnxruntime.c" -o "$peer.$$" -ldl
mv "$peer.$$" "$peer" # another run may be using it
CLASSIFYD_SOURCE=$root PYTHONPATH=$root/tests/support PYTHONDONTWRITEBYTECODE=1 ENGINE_PEER="$(library $machine)" \
    exec "$python" "$here/engine.py" "$@"
