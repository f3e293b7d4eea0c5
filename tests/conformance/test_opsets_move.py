"""Operators that move elements, in the forms of opsets 7 to 21, against numpy."""
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats, ints

TYPES = [numpy.float32, numpy.float64, numpy.int32, numpy.int64, numpy.uint8, numpy.int8, numpy.bool_]


def of_type(dtype, *shape):
    values = numpy.arange(numpy.prod(shape)).reshape(shape)
    return (values % 2).astype(dtype) if dtype is numpy.bool_ else (values % 100).astype(dtype)


class Shapes(OnnxCase):
    def test_squeeze(self):
        for dtype in TYPES:
            x = of_type(dtype, 1, 3, 1, 5)
            self.check("Squeeze", [x], x.reshape(3, 5), 11)
            self.check("Squeeze", [x], x.reshape(3, 5), 13)
            self.check("Squeeze", [x], x.reshape(1, 3, 5), 11, axes=[2])
            self.check("Squeeze", [x, ints(0, -2)], x.reshape(3, 5), 13)
            self.check("Squeeze", [x, ints(-2)], x.reshape(1, 3, 5), 21)
        self.refuse("3", "Squeeze", [of_type(numpy.float32, 1, 3), ints(1)], 13)

    def test_unsqueeze(self):
        for dtype in TYPES:
            x = of_type(dtype, 3, 4)
            self.check("Unsqueeze", [x], x.reshape(1, 3, 4, 1), 11, axes=[0, 3])
            self.check("Unsqueeze", [x, ints(3, 0)], x.reshape(1, 3, 4, 1), 13)
            self.check("Unsqueeze", [x, ints(-1, 1)], x.reshape(3, 1, 4, 1), 21)

    def test_reshape(self):
        x = of_type(numpy.float32, 2, 3, 4)
        self.check("Reshape", [x, ints(0, -1)], x.reshape(2, 12), 13)
        self.check("Reshape", [x, ints(4, 0, -1)], x.reshape(4, 3, 2), 21)
        empty = numpy.zeros((0, 3, 4), numpy.float32)
        self.check("Reshape", [empty, ints(3, 4, 0)], empty.reshape(3, 4, 0), 14, allowzero=1)

    def test_shape(self):
        x = of_type(numpy.float32, 2, 3, 4, 5)
        for begin, end in (0, None), (1, None), (0, -1), (-3, 3), (-99, 99), (3, 1):
            how = {"start": begin} if end is None else {"start": begin, "end": end}
            wanted = numpy.array(x.shape[max(begin, -4):end], numpy.int64)
            self.check("Shape", [x], wanted, 15, **how)
        self.check("Shape", [x], numpy.array(x.shape, numpy.int64), 7)
        self.check("Size", [x], numpy.array(x.size, numpy.int64), 21)

    def test_flatten(self):
        x = of_type(numpy.float32, 2, 3, 4)
        for axis, shape in (0, (1, 24)), (1, (2, 12)), (3, (24, 1)), (-1, (6, 4)):
            self.check("Flatten", [x], x.reshape(shape), 13, axis=axis)

    def test_expand(self):
        for dtype in TYPES:
            x = of_type(dtype, 3, 1)
            self.check("Expand", [x, ints(2, 1, 4)], numpy.broadcast_to(x, (2, 3, 4)), 13)
            self.check("Expand", [x, ints(3, 1)], x, 8)

    def test_made_from_shapes(self):
        self.check("ConstantOfShape", [ints(2, 3)], numpy.zeros((2, 3), numpy.float32), 9)
        self.check("Range", [Known(1, numpy.int64), Known(10, numpy.int64), Known(3, numpy.int64)],
                   numpy.arange(1, 10, 3), 11)
        self.check("Range", [Known(2, numpy.float32), Known(0, numpy.float32), Known(-0.5, numpy.float32)],
                   numpy.arange(2, 0, -0.5).astype(numpy.float32), 11)


class Parts(OnnxCase):
    def test_split(self):
        x = of_type(numpy.float32, 7, 4)
        self.check("Split", [x], [x[:, :1], x[:, 1:]], 11, axis=1, split=[1, 3])
        self.check("Split", [x, ints(1, 3)], [x[:, :1], x[:, 1:]], 13, axis=-1)
        self.check("Split", [x], [x[:, :2], x[:, 2:]], 13, axis=1)
        # opset 18: the last part is smaller where the parts cannot be equal
        self.check("Split", [x], [x[:3], x[3:6], x[6:]], 18, axis=0, num_outputs=3)
        self.check("Split", [x], [x[:, :2], x[:, 2:]], 18, axis=1, num_outputs=2)
        self.check("Split", [x, ints(2, 5)], [x[:2], x[2:]], 18)
        self.refuse("Split", "Split", [x, ints(2, 4)], 13, n_outputs=2)
        for dtype in TYPES:
            x = of_type(dtype, 2, 4)
            self.check("Split", [x, ints(1, 1)], [x[:1], x[1:]], 21)

    def test_slice(self):
        x = of_type(numpy.float32, 5, 6, 7)
        self.check("Slice", [x], x[1:4, :, -3:], 9, starts=[1, -3], ends=[4, 1000], axes=[0, 2])
        self.check("Slice", [x], x[1:3, 2:4], 7, starts=[1, 2], ends=[3, 4])
        big = numpy.iinfo(numpy.int64).max
        self.check("Slice", [x, ints(-1), ints(-big), ints(1), ints(-2)], x[:, ::-2], 13)
        self.check("Slice", [x, ints(1, 0), ints(big, 5), ints(-1, 0), ints(3, 2)], x[0:5:2, :, 1::3], 13)
        for dtype in numpy.int32, numpy.int64:
            self.check("Slice", [x, Known([2], dtype), Known([4], dtype)], x[2:4], 21)
        self.check("Slice", [x, ints(4), ints(2)], x[4:2], 10)

    def test_gather(self):
        x = of_type(numpy.float32, 5, 4)
        for axis in 0, 1, -1:
            indices = numpy.array([[0, 3], [-1, 2]], numpy.int64)
            self.check("Gather", [x, indices], numpy.take(x, indices, axis), 13, axis=axis)
            self.check("Gather", [x, Known(-2, numpy.int32)], numpy.take(x, -2, axis), 11, axis=axis)
        indices = numpy.array([[1, 0, -1, 2], [0, 0, 3, -5]], numpy.int64)
        self.check("GatherElements", [x, indices], numpy.take_along_axis(x, indices % 5, 0), 13)

    def test_trilu(self):
        for dtype in TYPES:
            x = of_type(dtype, 2, 4, 5)
            self.check("Trilu", [x], numpy.triu(x), 14)
            self.check("Trilu", [x, Known(-1, numpy.int64)], numpy.tril(x, -1), 14, upper=0)
            self.check("Trilu", [x, Known(2, numpy.int64)], numpy.triu(x, 2), 21)


class Whole(OnnxCase):
    def test_pad(self):
        x = floats(3, 4, 5)
        for mode in "edge", "reflect":
            wanted = numpy.pad(x, ((0, 0), (1, 2), (3, 1)), mode)
            self.check("Pad", [x], wanted, 7, mode=mode, pads=[0, 1, 3, 0, 2, 1])
            self.check("Pad", [x, ints(0, 1, 3, 0, 2, 1)], wanted, 13, mode=mode)
        # opset 18: axes
        self.check("Pad", [x, ints(1, 3, 2, 1), None, ints(1, 2)],
                   numpy.pad(x, ((0, 0), (1, 2), (3, 1)), "reflect"), 18, mode="reflect")
        self.check("Pad", [x, ints(2, 1), Known(1.5, numpy.float32), ints(-1)],
                   numpy.pad(x, ((0, 0), (0, 0), (2, 1)), constant_values=1.5), 18)
        # opset 19: wrap
        self.check("Pad", [x, ints(2, 3, 1, 4), None, ints(1, 2)],
                   numpy.pad(x, ((0, 0), (2, 1), (3, 4)), "wrap"), 19, mode="wrap")
        self.check("Pad", [x, ints(1, 0, 0, 0, 0, 2)], numpy.pad(x, ((1, 0), (0, 0), (0, 2))), 21)
        # negative ones take away
        self.check("Pad", [x, ints(0, -1, 1, 0, 0, -2)], numpy.pad(x[:, 1:, :3], ((0, 0), (0, 0), (1, 0))), 13)
        for dtype in numpy.float64, numpy.int32, numpy.int64, numpy.uint8:
            x = of_type(dtype, 2, 3)
            self.check("Pad", [x, ints(0, 1, 0, 1), Known(7, dtype)],
                       numpy.pad(x, ((0, 0), (1, 1)), constant_values=7), 13)

    def test_concat(self):
        for dtype in TYPES:
            x, y = of_type(dtype, 2, 3), of_type(dtype, 2, 5)
            self.check("Concat", [x, y, x], numpy.concatenate([x, y, x], 1), 13, axis=-1)

    def test_transpose(self):
        for dtype in TYPES:
            x = of_type(dtype, 2, 3, 4)
            self.check("Transpose", [x], x.transpose(2, 0, 1), 13, perm=[2, 0, 1])
            self.check("Transpose", [x], x.transpose(), 21)
        x = floats(2, 1, 3, 2, 1, 2, 3, 2)
        perm = [7, 0, 6, 1, 5, 2, 4, 3]
        self.check("Transpose", [x], x.transpose(perm), 13, perm=perm)

    def test_tile(self):
        for dtype in TYPES:
            x = of_type(dtype, 2, 3)
            self.check("Tile", [x, ints(2, 3)], numpy.tile(x, (2, 3)), 13)

    def test_depth_and_space(self):
        x = floats(2, 12, 2, 3)
        dcr = x.reshape(2, 2, 2, 3, 2, 3).transpose(0, 3, 4, 1, 5, 2).reshape(2, 3, 4, 6)
        crd = x.reshape(2, 3, 2, 2, 2, 3).transpose(0, 1, 4, 2, 5, 3).reshape(2, 3, 4, 6)
        self.check("DepthToSpace", [x], dcr, 13, blocksize=2)
        self.check("DepthToSpace", [x], crd, 13, blocksize=2, mode="CRD")
        self.check("SpaceToDepth", [dcr], x, 13, blocksize=2)

    def test_einsum(self):
        q, k = floats(2, 3, 4, 5), floats(2, 3, 6, 5, seed=2)
        for equation in "bhid,bhjd->bhij", "bhid,bhjd", "...id,...jd->...ij":
            wanted = numpy.einsum(equation, q.astype(numpy.float64), k.astype(numpy.float64))
            self.check("Einsum", [q, k], wanted.astype(numpy.float32), 12, equation=equation)
        self.check("Einsum", [q], numpy.einsum("abcd->dacb", q), 12, equation="abcd->dacb")
        self.check("Einsum", [q[0, 0]], q[0, 0].sum(), 12, equation="ij->")


if __name__ == "__main__":
    unittest.main()
