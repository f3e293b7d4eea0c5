"""Reductions in the forms of opsets 7 to 21, against numpy: axes as attribute or input, none, empty, negative."""
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats, ints


def log_sum_exp(x, **how):
    top = x.max()
    return numpy.log(numpy.exp(x - top).sum(**how)) + top


FORMULAS = {
    "ReduceMean": numpy.mean, "ReduceMax": numpy.max, "ReduceMin": numpy.min, "ReduceProd": numpy.prod,
    "ReduceSum": numpy.sum,
    "ReduceL1": lambda x, **how: numpy.abs(x).sum(**how),
    "ReduceL2": lambda x, **how: numpy.sqrt((x * x).sum(**how)),
    "ReduceLogSum": lambda x, **how: numpy.log(x.sum(**how)),
    "ReduceLogSumExp": log_sum_exp,
    "ReduceSumSquare": lambda x, **how: (x * x).sum(**how),
}
AXES = [(1,), (0, 2), (-1,), (-3, 3), (0, 1, 2, 3)]


class Reduce(OnnxCase):
    def setUp(self):
        super().setUp()
        self.x = floats(2, 3, 4, 5, low=0.1)

    def wanted(self, op, axes, keep):
        x = self.x.astype(numpy.float64)
        return FORMULAS[op](x, axis=axes, keepdims=bool(keep)).astype(numpy.float32)

    def test_axes_as_attribute(self):
        for op in FORMULAS:
            for axes in AXES:
                for keep in 0, 1:
                    opset = {"ReduceSum": 11}.get(op, 13)
                    self.check(op, [self.x], self.wanted(op, axes, keep), opset, axes=list(axes), keepdims=keep)

    def test_axes_as_input(self):
        for op in FORMULAS:
            for axes in AXES:
                for keep in 0, 1:
                    opset = 13 if op == "ReduceSum" else 18
                    self.check(op, [self.x, ints(*axes)], self.wanted(op, axes, keep), opset, keepdims=keep)

    def test_all_axes_where_none_are_given(self):
        for op in FORMULAS:
            for opset, inputs in (7, [self.x]), (18, [self.x]), (18, [self.x, ints()]), (21, [self.x, None]):
                self.check(op, inputs, self.wanted(op, None, 1), opset)

    def test_empty_axes_may_mean_none(self):
        for op in FORMULAS:
            x = self.x if op == "ReduceLogSum" else self.x - 1
            wanted = FORMULAS[op](x.astype(numpy.float64), axis=()).astype(numpy.float32)
            for inputs in [x], [x, ints()]:
                self.check(op, inputs, wanted, 18, noop_with_empty_axes=1)
        self.check("ReduceMean", [self.x, ints(1)], self.wanted("ReduceMean", 1, 1), 18, noop_with_empty_axes=1)

    def test_integers(self):
        for dtype in numpy.int32, numpy.int64:
            x = numpy.arange(-12, 12, dtype=dtype).reshape(2, 3, 4)
            for op in "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceSumSquare":
                wanted = FORMULAS[op](x, axis=(0, 2), keepdims=True).astype(dtype)
                self.check(op, [x, ints(0, 2)], wanted, 18)
        bytes_ = numpy.arange(24, dtype=numpy.uint8).reshape(2, 3, 4)
        for op in "ReduceMax", "ReduceMin":
            self.check(op, [bytes_, ints(1)], FORMULAS[op](bytes_, axis=1, keepdims=True), 18)

    def test_booleans_of_opset_20(self):
        x = numpy.array([[True, False, False], [False, False, False]])
        self.check("ReduceMax", [x, ints(1)], x.any(axis=1, keepdims=True), 20)
        self.check("ReduceMin", [x, ints(0)], x.all(axis=0, keepdims=True), 20)

    def test_doubles(self):
        x = floats(3, 4, dtype=numpy.float64)
        self.check("ReduceMean", [x, ints(1)], x.mean(axis=1, keepdims=True), 18, relative=1e-14)
        self.check("ReduceLogSumExp", [x, ints(0)], log_sum_exp(x, axis=0, keepdims=True), 18, relative=1e-13)

    def test_large_values_do_not_overflow(self):
        x = floats(2, 3, low=500, high=600)
        wanted = log_sum_exp(x.astype(numpy.float64), axis=1, keepdims=True).astype(numpy.float32)
        self.check("ReduceLogSumExp", [x, ints(1)], wanted, 18)

    def test_wrong_axes(self):
        self.refuse(["4", "axis"], "ReduceMean", [self.x, ints(4)], 18)
        self.refuse(["-5", "axis"], "ReduceMean", [self.x], 13, axes=[-5])


class Select(OnnxCase):
    def test_arg(self):
        x = floats(3, 4, 5)
        x[:, 1] = x[:, 3]  # equal ones
        for op, formula in ("ArgMax", numpy.argmax), ("ArgMin", numpy.argmin):
            for axis in 0, 1, -1:
                for keep in 0, 1:
                    wanted = formula(x, axis=axis)
                    wanted = numpy.expand_dims(wanted, axis) if keep else wanted
                    self.check(op, [x], wanted.astype(numpy.int64), 13, axis=axis, keepdims=keep)
            last = 3 - formula(x[:, ::-1], axis=1, keepdims=True)
            self.check(op, [x], last.astype(numpy.int64), 12, axis=1, select_last_index=1)

    def test_top_k(self):
        x = floats(3, 7, 2)
        for largest in 0, 1:
            order = numpy.argsort(-x if largest else x, axis=1, kind="stable")[:, :3]
            values = numpy.take_along_axis(x, order, 1)
            self.check("TopK", [x, ints(3)], [values, order.astype(numpy.int64)], 11, axis=1, largest=largest)
        order = numpy.argsort(-x, axis=1, kind="stable")[:, :3]
        values = numpy.take_along_axis(x, order, 1)
        self.check("TopK", [x], [values, order.astype(numpy.int64)], 7, axis=1, k=3)
        self.check("TopK", [x, ints(3)], [values, order.astype(numpy.int64)], 10, axis=1)
        equal = numpy.zeros((1, 5), numpy.float32)
        self.check("TopK", [equal, ints(2)], [equal[:, :2], numpy.array([[0, 1]], numpy.int64)], 11)

    def test_cum_sum(self):
        x = floats(2, 5)
        for axis, reverse, exclusive in (0, 0, 0), (1, 0, 1), (-1, 1, 0), (1, 1, 1):
            y = numpy.flip(x, axis) if reverse else x
            sums = numpy.cumsum(y, axis, dtype=numpy.float64)
            sums = sums - y if exclusive else sums
            sums = numpy.flip(sums, axis) if reverse else sums
            for dtype in numpy.int32, numpy.int64:
                self.check("CumSum", [x, Known(axis, dtype)], sums.astype(numpy.float32), 14, reverse=reverse,
                           exclusive=exclusive)

    def test_softmax(self):
        x = floats(2, 3, 4)
        for axis in 0, 1, -1:
            powers = numpy.exp(x.astype(numpy.float64))
            wanted = powers / powers.sum(axis=axis, keepdims=True)
            self.check("Softmax", [x], wanted.astype(numpy.float32), 13, axis=axis)
            self.check("LogSoftmax", [x], numpy.log(wanted).astype(numpy.float32), 21, axis=axis)
        flat = numpy.exp(x.astype(numpy.float64)).reshape(2, -1)
        old = (flat / flat.sum(axis=1, keepdims=True)).reshape(x.shape).astype(numpy.float32)
        self.check("Softmax", [x], old, 11)
        hard = numpy.zeros_like(x)
        numpy.put_along_axis(hard, x.argmax(axis=-1, keepdims=True), 1, -1)
        self.check("Hardmax", [x], hard, 13)


if __name__ == "__main__":
    unittest.main()
