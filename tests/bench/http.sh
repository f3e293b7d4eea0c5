#!/bin/sh
# PNG in, JSON out: classifyd beside nginx (a fixed body: the ceiling) and FastAPI + uvicorn + Pillow +
# PyTorch (the usual way), loaded by wrk in turns on one machine. Prints medians over the rounds.
#
# usage: tests/bench/http.sh [--rounds N] [--seconds S] [--bin DIR] [--models DIR]
# Every model of mnist, mnist-mlp that the models folder holds is measured.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=5
seconds=4
bin=$root/build/release/bin
models=$root/models
connections=32
python=/usr/bin/python3
PICTURE=${PICTURE:-$root/tests/images/seven.png}
export PICTURE

while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2 ;;
    --seconds) seconds=$2 ;;
    --bin) bin=$2 ;;
    --models) models=$2 ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift 2
done

. "$here/need.sh"
need wrk command -v wrk
need curl command -v curl
need nginx-light nginx -v
need python3-fastapi "$python" -c 'import fastapi'
need python3-uvicorn "$python" -c 'import uvicorn'
need python3-pil "$python" -c 'import PIL'
need python3-torch "$python" -c 'import torch'
needed
if [ ! -x "$bin/classifyd" ]; then
    echo "http.sh: $bin/classifyd is not there; build the release preset first" >&2
    exit 1
fi

# --- the servers; each is ended by its own id ---
work=$(mktemp -d)
pids=
finish() {
    for pid in $pids; do kill -TERM "$pid" 2>/dev/null || :; done
    for pid in $pids; do wait "$pid" 2>/dev/null || :; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

free_port() {
    "$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

wait_until_it_answers() { # URL
    for _ in $(seq 300); do
        curl -sf -o "$work/reply" --data-binary "@$PICTURE" -H 'Content-Type: image/png' "$1" && return
        sleep 0.1
    done
    echo "http.sh: $1 does not answer" >&2
    cat "$work"/*.log >&2
    exit 1
}

# A process and its children.
family() { # PID
    echo "$1" $(cat "/proc/$1/task/$1/children")
}

memory_mib() { # PID, resident
    for pid in $(family "$1"); do
        sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$pid/status"
    done | awk '{ kib += $1 } END { printf "%.0f", kib / 1024 }'
}

cpu_ticks() { # PID
    for pid in $(family "$1"); do
        cut -d ' ' -f 14,15 "/proc/$pid/stat"
    done | awk '{ ticks += $1 + $2 } END { print ticks }'
}

port=$(free_port)
env -u CLASSIFYD_DATA "$bin/classifyd" --models "$models" --listen "127.0.0.1:$port" --admin "" --set access_log=off \
    >"$work/classifyd.log" 2>&1 &
classifyd_pid=$!
pids="$pids $classifyd_pid"
targets=
for model in mnist mnist-mlp; do
    [ -d "$models/$model" ] || continue
    wait_until_it_answers "http://127.0.0.1:$port/classify/$model"
    targets="$targets classifyd:$model,http://127.0.0.1:$port/classify/$model,$classifyd_pid"
    cp "$work/reply" "$work/fixed"
done

port=$(free_port)
sed -e "s|@DIR@|$work|g; s|@PORT@|$port|; s|@BODY@|$(cat "$work/fixed")|" \
    "$here/peers/nginx.conf.in" >"$work/nginx.conf"
nginx -p "$work" -e "$work/nginx.log" -c "$work/nginx.conf" 2>"$work/nginx-start.log" &
nginx_pid=$!
pids="$pids $nginx_pid"
wait_until_it_answers "http://127.0.0.1:$port/classify/mnist"
targets="$targets nginx,http://127.0.0.1:$port/classify/mnist,$nginx_pid"

port=$(free_port)
(cd "$here/peers" && PYTHONDONTWRITEBYTECODE=1 exec "$python" -m uvicorn fastapi_torch:app \
    --port "$port" --workers 2 --log-level warning --no-access-log) >"$work/fastapi.log" 2>&1 &
fastapi_pid=$!
pids="$pids $fastapi_pid"
wait_until_it_answers "http://127.0.0.1:$port/classify/mnist"
targets="$targets fastapi,http://127.0.0.1:$port/classify/mnist,$fastapi_pid"

# --- the rounds ---
load() { # SECONDS URL -> "rate p50_ms p99_ms failed"
    wrk -t1 -c"$connections" -d"$1s" --latency -s "$here/post.lua" "$2" | sed -n 's/^RESULT //p'
}

measure() { # NAME URL PID -> "name rate p50_ms p99_ms failed memory_mib cpu_us_per_request"
    before=$(cpu_ticks "$3")
    result=$(load "$seconds" "$2")
    spent=$(($(cpu_ticks "$3") - before))
    echo "$1 $result $(memory_mib "$3")" \
        "$(echo "$spent $(getconf CLK_TCK) ${result%% *} $seconds" | awk '{ print 1e6 * $1 / $2 / ($3 * $4) }')"
}

each_target() { # COMMAND...: with NAME URL PID added
    for target in $targets; do
        url=${target#*,}
        "$@" "${target%%,*}" "${url%,*}" "${target##*,}"
    done
}

warm_up() { load 1 "$2" >/dev/null; }

each_target warm_up
for round in $(seq "$rounds"); do
    each_target measure
    echo "round $round of $rounds" >&2
done >"$work/results"

echo "wrk -t1 -c$connections -d${seconds}s, $rounds interleaved rounds, medians; $(nproc) CPUs:" \
    "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
awk -f "$here/medians.awk" "$work/results"
