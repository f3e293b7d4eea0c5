"""Writes small ONNX classifiers with nothing but the standard library: Flatten, Gemm, Softmax."""
import json
import os
import random

import tiny_files
from tiny_files import floats, node, value_info


def model(n_classes=10, size=28, channels=1, seed=1, prefix="", metadata=None):
    """The bytes of a linear classifier of size x size pictures; labels are prefix0, prefix1 ..."""
    rng = random.Random(seed)
    n_in = channels * size * size
    weights = [rng.gauss(0, 1 / n_in ** 0.5) for _ in range(n_in * n_classes)]
    bias = [rng.gauss(0, 0.1) for _ in range(n_classes)]
    rows = {"classifyd.labels": json.dumps([prefix + str(i) for i in range(n_classes)])}
    rows.update(metadata or {})
    return tiny_files.model(
        [node("Flatten", ["image"], ["flat"]), node("Gemm", ["flat", "weights", "bias"], ["scores"]),
         node("Softmax", ["scores"], ["probabilities"])],
        [floats("weights", [n_in, n_classes], weights), floats("bias", [n_classes], bias)],
        [value_info("image", ["N", channels, size, size])],
        [value_info("probabilities", ["N", n_classes])], rows, opset=13)


def spot_model(size=16, labels=("dark", "spot")):
    """A convolutional net of grey pictures: "spot" speaks for bright 3 x 3 pixels, "dark" for dark ones."""
    ninth = 1 / 9
    return tiny_files.model(
        [node("Conv", ["image", "filters", "thresholds"], ["found"]), node("Relu", ["found"], ["evidence"]),
         node("GlobalAveragePool", ["evidence"], ["pooled"]), node("Flatten", ["pooled"], ["flat"]),
         node("Gemm", ["flat", "weights", "bias"], ["scores"]), node("Softmax", ["scores"], ["probabilities"])],
        [floats("filters", [2, 1, 3, 3], [-ninth] * 9 + [ninth] * 9), floats("thresholds", [2], [0.5, -0.5]),
         floats("weights", [2, 2], [4, 0, 0, 60]), floats("bias", [2], [0, 0])],
        [value_info("image", ["N", 1, size, size])], [value_info("probabilities", ["N", 2])],
        {"classifyd.labels": json.dumps(list(labels))}, opset=13)


def write(folder, name, version, contents):
    """Puts the bytes at folder/name/version/model.onnx, replacing atomically what is there."""
    path = os.path.join(folder, name, str(version))
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, ".model.tmp"), "wb") as f:
        f.write(contents)
    os.replace(os.path.join(path, ".model.tmp"), os.path.join(path, "model.onnx"))
