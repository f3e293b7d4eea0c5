"""Quantised operators in the forms of opsets 10 to 21, against numpy."""
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats

LIMITS = {numpy.uint8: (0, 255), numpy.int8: (-128, 127), numpy.uint16: (0, 65535), numpy.int16: (-32768, 32767)}


def f32(value):
    return numpy.float32(value)


def quantise(x, scale, zero, dtype):
    """Rounds half to even, as the standard does."""
    low, high = LIMITS[dtype]
    rounded = numpy.rint(x / scale) + numpy.asarray(zero, numpy.float64)
    return rounded.clip(low, high).astype(dtype)


def along(values, axis, rank):
    return values.reshape([-1 if i == axis else 1 for i in range(rank)])


def correlate(x, w, strides=(1, 1), pad=0, groups=1):
    """Plain convolution of integers: [N, C, H, W] with [M, C / groups, kh, kw]."""
    x = numpy.pad(x.astype(numpy.int64), ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    w = w.astype(numpy.int64)
    n, m, k = len(x), len(w), w.shape[2:]
    h, v = ((x.shape[2 + i] - k[i]) // strides[i] + 1 for i in (0, 1))
    y = numpy.zeros((n, m, h, v), numpy.int64)
    for o in range(m):
        first = o // (m // groups) * w.shape[1]
        for i in range(h):
            for j in range(v):
                top, left = i * strides[0], j * strides[1]
                patch = x[:, first:first + w.shape[1], top:top + k[0], left:left + k[1]]
                y[:, o, i, j] = (patch * w[o]).sum(axis=(1, 2, 3))
    return y


def integers(dtype, *shape, seed=1):
    low, high = LIMITS[dtype]
    return numpy.random.default_rng(seed).integers(low, high + 1, shape).astype(dtype)


class Quantise(OnnxCase):
    def test_per_tensor(self):
        x = numpy.concatenate([floats(40, low=-40, high=40), f32([0.125, 0.375, 0.625, -0.125, 999, -999])])
        for dtype, zero, opset in (numpy.uint8, 128, 10), (numpy.int8, -3, 13), (numpy.uint8, 0, 19), \
                (numpy.int8, 5, 21), (numpy.uint16, 30000, 21), (numpy.int16, -7, 21):
            wanted = quantise(x, f32(0.25), zero, dtype)
            self.check("QuantizeLinear", [x, Known(0.25, numpy.float32), Known(zero, dtype)], wanted, opset)
            back = (wanted.astype(numpy.float32) - zero) * f32(0.25)
            self.check("DequantizeLinear", [wanted, Known(0.25, numpy.float32), Known(zero, dtype)], back, opset)
        self.check("QuantizeLinear", [x, Known(0.25, numpy.float32)], quantise(x, f32(0.25), 0, numpy.uint8), 13)
        self.check("QuantizeLinear", [x, Known(0.25, numpy.float32)], quantise(x, f32(0.25), 0, numpy.int8), 21,
                   output_dtype=3)
        n = numpy.array([-70000, 3, 9], numpy.int32)
        self.check("DequantizeLinear", [n, Known(0.5, numpy.float32)], n.astype(numpy.float32) / 2, 13)

    def test_per_axis(self):
        x = floats(2, 3, 4, low=-9, high=9)
        for axis in 0, 1, -1:
            size = x.shape[axis]
            scale = numpy.linspace(0.1, 0.5, size).astype(numpy.float32)
            for dtype in numpy.uint8, numpy.int8:
                zero = numpy.arange(size).astype(dtype)
                wide = along(scale, axis % 3, 3), along(zero, axis % 3, 3)
                wanted = quantise(x, *wide, dtype)
                for opset in 13, 19, 21:
                    self.check("QuantizeLinear", [x, Known(scale), Known(zero)], wanted, opset, axis=axis)
                    back = (wanted.astype(numpy.float32) - wide[1].astype(numpy.float32)) * wide[0]
                    self.check("DequantizeLinear", [wanted, Known(scale), Known(zero)], back, opset, axis=axis)

    def test_blocks_of_opset_21(self):
        x = floats(2, 6, 3, low=-9, high=9)
        scale = floats(2, 3, 3, seed=2, low=0.1, high=0.5)
        zero = numpy.random.default_rng(3).integers(-5, 5, scale.shape).astype(numpy.int8)
        wide = numpy.repeat(scale, 2, 1), numpy.repeat(zero, 2, 1)
        wanted = quantise(x, *wide, numpy.int8)
        self.check("QuantizeLinear", [x, Known(scale), Known(zero)], wanted, 21, axis=1, block_size=2)
        back = (wanted.astype(numpy.float32) - wide[1]) * wide[0]
        self.check("DequantizeLinear", [wanted, Known(scale), Known(zero)], back, 21, axis=1, block_size=2)

    def test_dynamic(self):
        for low, high in (-3, 5), (1, 4), (-6, -2):
            x = floats(3, 4, low=low, high=high)
            least, most = min(0, x.min()), max(0, x.max())
            scale = f32((most - least) / f32(255))
            zero = numpy.uint8(numpy.rint(-least / scale).clip(0, 255))
            self.check("DynamicQuantizeLinear", [x], [quantise(x, scale, zero, numpy.uint8), scale, zero], 11)

    def test_products(self):
        a, b = integers(numpy.uint8, 2, 3, 4), integers(numpy.int8, 4, 5, seed=2)
        for a_zero, b_zero in (None, None), (Known(113, numpy.uint8), Known(-2, numpy.int8)), \
                (Known(9, numpy.uint8), Known([1, 2, 3, -4, 5], numpy.int8)):
            left = a.astype(numpy.int64) - (0 if a_zero is None else a_zero.array.astype(numpy.int64))
            right = b.astype(numpy.int64) - (0 if b_zero is None else b_zero.array.astype(numpy.int64))
            inputs = [a, Known(b)] + ([] if a_zero is None else [a_zero, b_zero])
            self.check("MatMulInteger", inputs, (left @ right).astype(numpy.int32), 10)

    def test_scaled_products(self):
        a, b = integers(numpy.uint8, 2, 4), integers(numpy.int8, 4, 3, seed=2)
        for scale in f32([0.01]), f32([0.01, 0.02, 0.005]):
            zero = numpy.zeros(len(scale), numpy.int8)
            b_scale, b_zero = (Known(scale), Known(zero)) if len(scale) > 1 else (Known(scale[0]), Known(zero[0]))
            sums = (a.astype(numpy.int64) - 120) @ b.astype(numpy.int64)
            wanted = quantise(sums * (f32(0.02) * scale.astype(numpy.float64)), f32(0.03), 100, numpy.uint8)
            found = self.run_op("QLinearMatMul", [a, Known(0.02, numpy.float32), Known(120, numpy.uint8), Known(b),
                                                  b_scale, b_zero, Known(0.03, numpy.float32),
                                                  Known(100, numpy.uint8)], [2], 10)[0]
            self.close(found, wanted)

    def close(self, found, wanted):
        """A sum that lies between two integers may be rounded either way, but rarely."""
        off = abs(found.astype(int) - wanted.astype(int))
        self.assertLessEqual(off.max(), 1)
        self.assertLess((off > 0).mean(), 0.02)
        self.assertGreater(wanted.std(), 1)

    def test_convolutions(self):
        x, w = integers(numpy.uint8, 2, 4, 6, 5), integers(numpy.int8, 6, 2, 3, 3, seed=2)
        sums = correlate(x.astype(numpy.int64) - 100, w, (2, 1), 1, 2)
        how = {"strides": [2, 1], "pads": [1, 1, 1, 1], "group": 2}
        self.check("ConvInteger", [x, Known(w), Known(100, numpy.uint8)], sums.astype(numpy.int32), 10, **how)
        scale, bias = numpy.linspace(0.001, 0.004, 6).astype(numpy.float32), numpy.arange(-3, 3).astype(numpy.int32) * 90
        scaled = (sums + along(bias, 1, 4)) * (f32(0.05) * along(scale, 1, 4).astype(numpy.float64))
        wanted = quantise(scaled, f32(0.09), 3, numpy.int8)
        found = self.run_op("QLinearConv", [x, Known(0.05, numpy.float32), Known(100, numpy.uint8), Known(w),
                                            Known(scale), Known(numpy.zeros(6, numpy.int8)),
                                            Known(0.09, numpy.float32), Known(3, numpy.int8), Known(bias)], [3], 10,
                            **how)[0]
        self.close(found, wanted)


if __name__ == "__main__":
    unittest.main()
