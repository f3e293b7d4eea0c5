#!/bin/sh
# The daemon under load, beside nginx with a fixed body (the ceiling), FastAPI + uvicorn + Pillow + PyTorch, and fastify
# + sharp + onnxruntime-node, in turns on one machine. Prints medians over the rounds, and what is to be reached.
#
# usage: tests/bench/http.sh [--cases LIST] [--rounds N] [--seconds S] [--starts N] [--reloads N] [--bin DIR]
#                            [--models DIR] [--photo FILE.jpg]
# cases: digits (PNG to an MLP), tail (p99 at half the rate), idle (1,000 idle connections), log (what the access log
# costs), photos (JPEG to mobilenet_v2), overhead (V2 tensors on one core), start (exec to ready), memory.
# photos, overhead and start need build/bench/models/mobilenet_v2.onnx, which tests/bench/engine.sh makes.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
python=/usr/bin/python3
peers=$root/build/peers

for word; do
    case $word in -h | --help) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
done

. "$here/need.sh"
need wrk command -v wrk
need nghttp2-client command -v h2load
need nginx-light nginx -v
need npm command -v npm
need python3-fastapi "$python" -c 'import fastapi'
need python3-uvicorn "$python" -c 'import uvicorn'
need python3-pil "$python" -c 'import PIL'
need python3-torch "$python" -c 'import torch'
needed
if [ ! -d "$peers/node_modules/sharp" ] || [ ! -d "$peers/node_modules/fastify" ]; then
    mkdir -p "$peers"
    npm install --prefix "$peers" --ignore-scripts --no-audit --no-fund fastify sharp onnxruntime-node \
        >"$peers/npm.log" 2>&1 || { cat "$peers/npm.log" >&2; exit 1; }
fi
exec env PYTHONDONTWRITEBYTECODE=1 "$python" "$here/serving.py" "$@"
