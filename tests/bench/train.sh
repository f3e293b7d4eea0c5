#!/bin/sh
# Training: `classify train` beside PyTorch, two threads each, the same networks (tests/bench/recipes), batches of
# 128, SGD with momentum, no augmentation, data in memory. In turns; prints medians over the rounds.
#
# usage: tests/bench/train.sh [--rounds N] [--bin DIR] [--network mlp|lenet|resnet20] [--blas DIR]
# --blas: a folder with another libblas.so.3 for PyTorch (Debian's libopenblas0-openmp, -pthread, -serial differ).
# Samples per second are those of the steps alone: neither loading nor the evaluation of the test set counts.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
rounds=5
bin=$root/build/release/bin
networks="mlp lenet resnet20"
blas=
python=/usr/bin/python3

while [ $# -gt 0 ]; do
    case $1 in
    --rounds) rounds=$2 ;;
    --bin) bin=$2 ;;
    --network) networks=$2 ;;
    --blas) blas=$2 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift 2
done

if ! "$python" -c 'import torch' 2>/dev/null; then
    echo "train.sh needs this package: apt-get install python3-torch" >&2
    exit 1
fi
if [ ! -x "$bin/classify" ]; then
    echo "train.sh: $bin/classify is not there; build the release preset first" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

# Lines "NETWORK WHO samples/s" of every epoch but the first, which warms up, and "NETWORK WHO peak MiB".
ours() { # NETWORK SAMPLES EPOCHS
    "$python" "$here/peers/peak.py" "$bin/classify" train "$here/recipes/$1.json" --data "$work/$1" \
        --out "$work/model" --threads 2 --epochs "$3" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
    awk -v network="$1" '
        /^epoch/ && ++n > 1 { for (i = 2; i <= NF; i++) if ($i == "samples/s") print network, "classify", $(i - 1) }
        /^peak/ { print network, "classify", "peak", $2 }' "$work/log"
}

torch() { # NETWORK SAMPLES EPOCHS
    LD_LIBRARY_PATH=$blas "$python" "$here/peers/train_torch.py" "$@" | awk -v network="$1" '
        /^peak/ { print network, "torch", $0; next }
        ++n > 1 { print network, "torch", $0 }'
}

samples_of() { # NETWORK
    case $1 in
    mlp) echo 25600 ;;
    lenet) echo 12800 ;;
    resnet20) echo 640 ;;
    esac
}

kind_of() { # NETWORK
    case $1 in
    resnet20) echo cifar10 ;;
    *) echo idx ;;
    esac
}

for network in $networks; do
    "$python" "$here/peers/synthetic.py" "$work/$network" "$(kind_of "$network")" "$(samples_of "$network")"
    for round in $(seq "$rounds"); do
        for who in ours torch; do
            echo "$network, round $round of $rounds: $who" >&2
            $who "$network" "$(samples_of "$network")" 3 >>"$work/figures"
        done
    done
done
awk -f "$here/train.awk" "$work/figures"
