"""ONNX Runtime, another engine to compare with; from npm, because Debian has no package of it."""
import json
import os
import shutil
import subprocess
import tempfile

import numpy

_HERE = os.path.dirname(os.path.abspath(__file__))
_MODULES = os.path.join(os.environ["CLASSIFYD_SOURCE"], "build", "peers", "node_modules")


def is_here():
    return bool(shutil.which("node")) and os.path.isdir(os.path.join(_MODULES, "onnxruntime-node"))


def run_all(model, samples, step=None, optimise=False):
    """All outputs for a batch, as arrays; the samples go in so many at a time, None: together. optimise: it may join
    operators."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        numpy.ascontiguousarray(samples).tofile(source)
        done = subprocess.run(["node", os.path.join(_HERE, "onnxruntime_run.cjs"), _MODULES, model, samples.dtype.name,
                               source, target, str(step or len(samples)), "all" if optimise else "disabled",
                               *map(str, samples.shape)], check=True, stdout=subprocess.PIPE, timeout=300)
        steps = []
        with open(target, "rb") as data:
            for told in json.loads(done.stdout):
                steps.append([numpy.fromfile(data, o["type"],
                                             int(numpy.prod(o["dims"]))).reshape(o["dims"]) for o in told])
    return [numpy.concatenate(parts) for parts in zip(*steps)]


def run(model, samples, optimise=False):
    """The first output for a batch of float32 samples: a row of numbers for each."""
    step = 25 if optimise else None
    return run_all(model, numpy.asarray(samples, dtype="<f4"), step, optimise)[0].reshape(len(samples), -1)


def softmax(scores):
    powers = numpy.exp(scores.astype(numpy.float64) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
