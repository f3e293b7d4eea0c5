"""Normalisations in the forms of opsets 7 to 21, against numpy."""
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats

LOOSE = {"relative": 1e-4, "absolute": 1e-5}


def standardise(x, axes, epsilon):
    x = x.astype(numpy.float64)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    return (x - mean) / numpy.sqrt(variance + epsilon), mean, 1 / numpy.sqrt(variance + epsilon)


def by_channel(values, rank):
    return values.reshape((1, -1) + (1,) * (rank - 2))


class Normalise(OnnxCase):
    def test_layer(self):
        x = floats(2, 3, 4, 5)
        for axis in range(-4, 4):
            rest = x.shape[axis:]
            scale, bias = floats(*rest, seed=2), floats(*rest, seed=3)
            axes = tuple(range(axis % 4, 4))
            normal, mean, deviation = standardise(x, axes, 1e-3)
            wanted = [(normal * scale + bias).astype(numpy.float32), mean.astype(numpy.float32),
                      deviation.astype(numpy.float32)]
            self.check("LayerNormalization", [x, Known(scale), Known(bias)], wanted, 17, axis=axis, epsilon=1e-3,
                       **LOOSE)
        self.check("LayerNormalization", [x, Known(floats(5, seed=2))],
                   (standardise(x, 3, 1e-5)[0] * floats(5, seed=2)).astype(numpy.float32), 17, **LOOSE)

    def test_layer_broadcasts_its_scale(self):
        x, scale, bias = floats(2, 3, 4), floats(1, 4, seed=2), floats(4, seed=3)
        wanted = (standardise(x, (1, 2), 1e-5)[0] * scale + bias).astype(numpy.float32)
        self.check("LayerNormalization", [x, Known(scale), Known(bias)], wanted, 17, axis=1, **LOOSE)

    def grouped(self, x, groups, epsilon):
        normal = standardise(x.reshape(len(x), groups, -1), 2, epsilon)[0]
        return normal.reshape(x.shape)

    def test_group(self):
        for shape in (2, 6, 3, 4), (1, 6, 5), (3, 6):
            x = floats(*shape)
            for groups in 1, 2, 3, 6:
                normal = self.grouped(x, groups, 1e-4)
                # opset 18: a scale for every group; 21: for every channel
                scale, bias = floats(groups, seed=2), floats(groups, seed=3)
                each = numpy.repeat(scale, 6 // groups), numpy.repeat(bias, 6 // groups)
                wanted = normal * by_channel(each[0], x.ndim) + by_channel(each[1], x.ndim)
                self.check("GroupNormalization", [x, Known(scale), Known(bias)], wanted.astype(numpy.float32), 18,
                           num_groups=groups, epsilon=1e-4, **LOOSE)
                scale, bias = floats(6, seed=2), floats(6, seed=3)
                wanted = normal * by_channel(scale, x.ndim) + by_channel(bias, x.ndim)
                self.check("GroupNormalization", [x, Known(scale), Known(bias)], wanted.astype(numpy.float32), 21,
                           num_groups=groups, epsilon=1e-4, **LOOSE)
        self.refuse("num_groups", "GroupNormalization", [x, Known(floats(4)), Known(floats(4))], 18, num_groups=4)

    def test_instance(self):
        for shape in (2, 3, 4, 5), (1, 3, 7):
            x, scale, bias = floats(*shape), floats(3, seed=2), floats(3, seed=3)
            axes = tuple(range(2, len(shape)))
            wanted = standardise(x, axes, 1e-2)[0] * by_channel(scale, x.ndim) + by_channel(bias, x.ndim)
            self.check("InstanceNormalization", [x, Known(scale), Known(bias)], wanted.astype(numpy.float32), 7,
                       epsilon=1e-2, **LOOSE)

    def test_batch(self):
        x = floats(2, 3, 4, 5)
        scale, bias, mean = floats(3, seed=2), floats(3, seed=3), floats(3, seed=4)
        variance = floats(3, seed=5, low=0.5)
        wanted = ((x - by_channel(mean, 4)) / numpy.sqrt(by_channel(variance, 4) + 1e-5) * by_channel(scale, 4)
                  + by_channel(bias, 4))
        for opset in 7, 9, 14, 15, 21:
            self.check("BatchNormalization", [x, *map(Known, (scale, bias, mean, variance))], wanted, opset, **LOOSE)

    def test_mean_variance(self):
        x = floats(2, 3, 4, 5)
        for axes in (0, 2, 3), (1,), (-1, 0):
            deviation = numpy.sqrt(x.astype(numpy.float64).var(axis=axes, keepdims=True))
            wanted = (x - x.astype(numpy.float64).mean(axis=axes, keepdims=True)) / deviation
            how = {} if axes == (0, 2, 3) else {"axes": list(axes)}
            self.check("MeanVarianceNormalization", [x], wanted.astype(numpy.float32), 13, **how, **LOOSE)

    def test_norms(self):
        x = floats(2, 3, 4)
        for axis in 0, 1, -1:
            for p in 1, 2:
                norm = (abs(x) ** p).sum(axis=axis, keepdims=True) ** (1 / p)
                self.check("LpNormalization", [x], x / norm, 7, axis=axis, p=p, **LOOSE)

    def test_local_response(self):
        x = floats(2, 7, 3, 4)
        for size in 3, 4:
            before, after = (size - 1) // 2, size // 2
            squares = numpy.pad(x.astype(numpy.float64) ** 2, ((0, 0), (before, after), (0, 0), (0, 0)))
            total = sum(squares[:, i:i + 7] for i in range(size))
            wanted = (x / (2 + 0.3 / size * total) ** 0.6).astype(numpy.float32)
            self.check("LRN", [x], wanted, 13, size=size, alpha=0.3, beta=0.6, bias=2.0, **LOOSE)


if __name__ == "__main__":
    unittest.main()
