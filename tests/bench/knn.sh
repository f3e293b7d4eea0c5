#!/bin/sh
# Nearest neighbours: all 10,000 CIFAR-10 test pictures against all 50,000 training pictures by L1, beside
# scikit-learn's brute force (manhattan) on the first of them. Two threads each, in turns, medians.
#
# usage: tests/bench/knn.sh [--data DIR] [--rounds N] [--queries N] [--build DIR]
# --data: the folder of CIFAR-10's binary files; default $CLASSIFYD_DATA/cifar10. --queries: scikit-learn's.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
data=${CLASSIFYD_DATA:-}/cifar10
rounds=3
queries=60
build=$root/build/release
python=/usr/bin/python3

while [ $# -gt 0 ]; do
    case $1 in
    --data) data=$2 ;;
    --rounds) rounds=$2 ;;
    --queries) queries=$2 ;;
    --build) build=$2 ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "$0"; exit 2 ;;
    esac
    shift 2
done

if ! "$python" -c 'import sklearn' 2>/dev/null; then
    echo "knn.sh needs this package: apt-get install python3-sklearn" >&2
    exit 1
fi
if [ ! -x "$build/tests/bench_knn" ]; then
    echo "knn.sh: build it first: cmake --build $build --target bench_knn" >&2
    exit 1
fi
if [ ! -f "$data/test_batch.bin" ]; then
    echo "knn.sh: $data holds no test_batch.bin; --data names CIFAR-10's folder" >&2
    exit 1
fi

figures=$(mktemp)
trap 'rm -f "$figures"' EXIT
trap 'exit 1' INT TERM

for round in $(seq "$rounds"); do
    echo "round $round of $rounds" >&2
    echo "L1 $("$build/tests/bench_knn" "$data")" >>"$figures"
    echo "L1-few $("$build/tests/bench_knn" "$data" --queries "$queries")" >>"$figures"
    echo "L1-one $("$build/tests/bench_knn" "$data" --queries 1)" >>"$figures"
    echo "L2 $("$build/tests/bench_knn" "$data" --distance L2)" >>"$figures"
    echo "sklearn $("$python" "$here/peers/knn_sklearn.py" "$data" "$queries")" >>"$figures"
done

awk -v queries="$queries" '
    { ms[$1, ++n[$1]] = $2; seconds[$1, n[$1]] = $3; accuracy[$1] = $4; if ($5 > peak[$1]) peak[$1] = $5 }
    function median(list, who,    i, j, t, a) {
        for (i = 1; i <= n[who]; i++) {
            t = list[who, i]
            for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]
            a[j + 1] = t
        }
        return a[int((n[who] + 1) / 2)]
    }
    function row(who, what) {
        printf "%-34s %9.3f %9.2f %9.4f %9.0f %8.1f\n", what, median(ms, who), median(seconds, who), accuracy[who],
            peak[who], median(ms, "sklearn") / median(ms, who)
    }
    END {
        printf "%-34s %9s %9s %9s %9s %8s\n", "", "ms/query", "seconds", "accuracy", "peak MiB", "x"
        row("L1", "classifyd, L1, all")
        row("L2", "classifyd, L2, all")
        row("L1-few", "classifyd, L1, " queries " queries")
        row("L1-one", "classifyd, L1, one query")
        row("sklearn", "scikit-learn, L1, " queries " queries")
        if (accuracy["L1-few"] != accuracy["sklearn"]) { print "the answers differ"; exit 1 }
    }' "$figures"
