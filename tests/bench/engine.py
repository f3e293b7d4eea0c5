"""Measures our engine beside ONNX Runtime; engine.sh says how and prepares what this needs."""
import argparse
import datetime
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

import engine_sets
import engine_table
from engine_process import Engine, Multiplier
from onnxruntime import softmax

ROOT = engine_sets.ROOT
PEER = os.path.join(ROOT, "build", "bench", "onnxruntime")
DOCUMENT = os.path.join(ROOT, "docs", "benchmarks.md")
TURN_S, QUICK_TURN_S, REST_S = 0.3, 0.1, 0.03
MAX_RUNS_A_TURN = 5000


def numbers(text):
    return [int(word) for word in text.split(",")]


def options():
    parser = argparse.ArgumentParser(prog="engine.sh")
    parser.add_argument("--models", type=lambda text: text.split(","))
    parser.add_argument("--threads", type=numbers)
    parser.add_argument("--batch", type=numbers)
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--data", default=os.environ.get("CLASSIFYD_DATA"))
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"))
    parser.add_argument("--json")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    args.rounds = args.rounds or (3 if args.quick else 9)
    args.turn_s = QUICK_TURN_S if args.quick else TURN_S
    args.classify = os.path.join(args.bin, "classify")
    if not os.path.exists(args.classify):
        sys.exit(f"engine.sh: {args.classify} is not there; build the release preset first")
    return args


def ways(args, batches):
    """(threads, batch): batches on one thread, further threads with a batch of 1; or all that the options name."""
    if args.quick and not (args.threads or args.batch):
        return [(1, 1)]
    if args.threads or args.batch:
        return [(t, b) for b in args.batch or [1] for t in args.threads or [1]]
    return [(1, 1), (2, 1)] + [(1, b) for b in batches if b > 1]


def inspect(args, path):
    done = subprocess.run([args.classify, "inspect", path, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def make_input(args, name, batch, folder):
    """x.npy and x.raw: the pictures that were made with the network, or noise."""
    path = engine_sets.path_of(name)
    if os.path.exists(path[:-len(".onnx")] + ".npy"):
        x = numpy.load(path[:-len(".onnx")] + ".npy")
        x = numpy.resize(x, (batch, *x.shape[1:]))
    else:
        shape = inspect(args, path)["inputs"][0]["shape"]
        x = numpy.random.default_rng(1).random((batch, *shape[1:]), numpy.float32)
    x = numpy.ascontiguousarray(x, "<f4")
    numpy.save(f"{folder}/x.npy", x)
    x.tofile(f"{folder}/x.raw")


def probabilities(scores, batch):
    scores = scores.reshape(batch, -1)
    is_done = (scores >= 0).all() and numpy.allclose(scores.sum(axis=1), 1, atol=1e-3)
    return scores if is_done else softmax(scores)


def difference(args, path, batch, folder):
    """Of the probabilities, the largest; the peer has written its answer."""
    subprocess.run([args.classify, "run", path, "--input", f"{folder}/x.npy", "--output-dir", folder], check=True,
                   stdout=subprocess.DEVNULL)
    ours = probabilities(numpy.load(f"{folder}/out_0.npy"), batch)
    theirs = probabilities(numpy.fromfile(f"{folder}/y.raw", "<f4"), batch)
    return float(numpy.abs(ours - theirs).max())


def take_turns(engines, args):
    """For each engine medians (of medians, of CPU times) and the best. Who goes first alternates; a rest ends the other's spinning."""
    estimates = [engine.turn(1)[2] for engine in engines]
    n_runs = [max(1, min(MAX_RUNS_A_TURN, round(1e3 * args.turn_s / ms))) for ms in estimates]
    figures = [[] for _ in engines]
    for round_ in range(-1, args.rounds):
        for i in (0, 1) if round_ % 2 else (1, 0):
            time.sleep(REST_S)
            figure = engines[i].turn(n_runs[i])
            if round_ >= 0:  # the first warms up
                figures[i].append(figure)
    return [{"ms": statistics.median(f[0] for f in one), "best_ms": min(f[1] for f in one),
             "cpu_ms": statistics.median(f[2] for f in one)} for one in figures]


def start(commands):
    """All processes, or none."""
    engines = []
    try:
        for command in commands:
            engines.append(Engine(command))
    except RuntimeError:
        close(engines)
        raise
    return engines


def close(engines):
    for engine in engines:
        engine.close()


def measure(args, set_, name, threads, batch):
    path = engine_sets.path_of(name)
    with tempfile.TemporaryDirectory() as folder:
        make_input(args, name, batch, folder)
        engines = start([
            [args.classify, "bench", path, "--turns", "--threads", str(threads), "--batch", str(batch)],
            [PEER, os.environ["ENGINE_PEER"], path, f"{folder}/x.raw", f"{folder}/y.raw", str(threads), str(batch)]])
        try:
            found = {who: {**times, "peak_mib": engine.peak_mib(), "first_answer_ms": engine.first_answer_ms,
                           "first_answer_cpu_ms": engine.first_answer_cpu_ms}
                     for who, engine, times in zip(("ours", "theirs"), engines, take_turns(engines, args))}
        finally:
            close(engines)
        return {**found, "set": set_.title, "model": engine_sets.label(name), "threads": threads, "batch": batch,
                "flops": float(re.search(r"flops (\d+)", engines[0].ready).group(1)),
                "version": re.search(r"version (\S+)", engines[1].ready).group(1),
                "weights_mib": os.path.getsize(path) / 2 ** 20, "difference": difference(args, path, batch, folder)}


def processor():
    with open("/proc/cpuinfo") as file:
        return re.search(r"model name\s*: (.*)", file.read()).group(1).strip()


def load():
    return os.getloadavg()[0]


def report(sets, results, peak, args, loads):
    days = datetime.date.today().isoformat()
    head = (f"{processor()}, {os.cpu_count()} CPUs, {days}; load {loads[0]:.1f} at the start, {loads[1]:.1f} at the "
            f"end; ONNX Runtime {results[0]['version']};\n{args.rounds} rounds in turns of {args.turn_s} s, medians; "
            f"OpenBLAS's sgemm: {peak:.0f} GFLOP/s a core.")
    if max(loads) > os.cpu_count():
        head += "\nOther programs took CPU time: latencies are theirs too, and the CPU ratios are the ones to trust."
    parts = [head, engine_table.goals(sets, results), engine_table.speed(results, peak), engine_table.loading(results)]
    return "\n\n".join(part for part in parts if part)


def measure_all(args, sets, multiplier):
    """What was found, and sentences on what went wrong."""
    results, wrong = [], []
    for s, name, threads, batch in [(s, name, *way) for s in sets for name in s.names for way in ways(args, s.batches)]:
        what = f"{engine_sets.label(name)}, threads {threads}, batch {batch}"
        multiplier.measure()
        try:
            found = measure(args, s, name, threads, batch)
        except (RuntimeError, subprocess.CalledProcessError) as error:
            wrong.append(f"{what}: {error}")
            continue
        results.append(found)
        print(f"{what}: {found['ours']['ms']:.3f} ms, ONNX Runtime {found['theirs']['ms']:.3f} ms", file=sys.stderr,
              flush=True)
        if not found["difference"] <= s.tolerance:
            wrong.append(f"{what}: a probability differs by {found['difference']:.1e}")
    return results, wrong


def main():
    args = options()
    sets = engine_sets.chosen(args.models, args.data)
    made = [name for s in sets for name in s.names if not name.endswith(".onnx")]
    if made:
        subprocess.run([sys.executable, os.path.join(ROOT, "tests", "bench", "engine_models.py"), engine_sets.MODELS,
                        *made], check=True, stdout=sys.stderr)
    multiplier, loads = Multiplier(), [load()]
    results, wrong = measure_all(args, sets, multiplier)
    if results:
        text = report(sets, results, multiplier.best_gflops, args, loads + [load()])
        print(text)
        if args.json:
            with open(args.json, "w") as file:
                json.dump({"sgemm_gflops": multiplier.best_gflops, "results": results}, file, indent=1)
    if wrong or not results:
        sys.exit("\n".join(wrong) or "engine.sh: nothing was measured")
    if args.write:
        engine_table.write(DOCUMENT, text)


main()
