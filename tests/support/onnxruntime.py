"""ONNX Runtime, another engine to compare with; from npm, because Debian has no package of it."""
import os
import shutil
import subprocess
import tempfile

import numpy

_HERE = os.path.dirname(os.path.abspath(__file__))
_MODULES = os.path.join(os.environ["CLASSIFYD_SOURCE"], "build", "peers", "node_modules")


def is_here():
    return bool(shutil.which("node")) and os.path.isdir(os.path.join(_MODULES, "onnxruntime-node"))


def run(model, samples):
    """The first output for a batch; samples and the answer are float32 arrays with the batch first."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = os.path.join(folder, "in"), os.path.join(folder, "out")
        numpy.ascontiguousarray(samples, dtype="<f4").tofile(source)
        subprocess.run(["node", os.path.join(_HERE, "onnxruntime_run.cjs"), _MODULES, model, source, target,
                        *map(str, samples.shape)], check=True, timeout=300)
        return numpy.fromfile(target, dtype="<f4").reshape(len(samples), -1)


def softmax(scores):
    powers = numpy.exp(scores.astype(numpy.float64) - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
