"""Writes small ONNX classifiers with nothing but the standard library: Flatten, Gemm, Softmax."""
import json
import os
import random
import struct


def varint(n):
    out = bytearray()
    while True:
        out.append(n & 0x7F | (0x80 if n > 0x7F else 0))
        n >>= 7
        if not n:
            return bytes(out)


def number(field, n):
    return varint(field << 3) + varint(n)


def data(field, value):
    if isinstance(value, str):
        value = value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


def tensor(name, dims, floats):
    return (b"".join(number(1, d) for d in dims) + number(2, 1) + data(8, name)
            + data(9, struct.pack("<%df" % len(floats), *floats)))


def node(op, inputs, outputs):
    return b"".join(data(1, i) for i in inputs) + b"".join(data(2, o) for o in outputs) + data(4, op)


def value_info(name, dims):
    shape = b"".join(data(1, data(2, d) if isinstance(d, str) else number(1, d)) for d in dims)
    return data(1, name) + data(2, data(1, number(1, 1) + data(2, shape)))


def model(n_classes=10, size=28, channels=1, seed=1, prefix="", metadata=None):
    """The bytes of a linear classifier of size x size pictures; labels are prefix0, prefix1 ..."""
    rng = random.Random(seed)
    n_in = channels * size * size
    weights = [rng.gauss(0, 1 / n_in ** 0.5) for _ in range(n_in * n_classes)]
    bias = [rng.gauss(0, 0.1) for _ in range(n_classes)]
    graph = b"".join([
        data(1, node("Flatten", ["image"], ["flat"])),
        data(1, node("Gemm", ["flat", "weights", "bias"], ["scores"])),
        data(1, node("Softmax", ["scores"], ["probabilities"])),
        data(2, "tiny"),
        data(5, tensor("weights", [n_in, n_classes], weights)),
        data(5, tensor("bias", [n_classes], bias)),
        data(11, value_info("image", ["N", channels, size, size])),
        data(12, value_info("probabilities", ["N", n_classes])),
    ])
    rows = {"classifyd.labels": json.dumps([prefix + str(i) for i in range(n_classes)])}
    rows.update(metadata or {})
    return (number(1, 8) + data(2, "tiny_onnx") + data(7, graph) + data(8, number(2, 13))
            + b"".join(data(14, data(1, k) + data(2, v)) for k, v in rows.items()))


def write(folder, name, version, contents):
    """Puts the bytes at folder/name/version/model.onnx, replacing atomically what is there."""
    path = os.path.join(folder, name, str(version))
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, ".model.tmp"), "wb") as f:
        f.write(contents)
    os.replace(os.path.join(path, ".model.tmp"), os.path.join(path, "model.onnx"))
