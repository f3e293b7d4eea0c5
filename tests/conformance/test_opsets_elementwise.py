"""Elementwise operators in the forms of opsets 7 to 21, against numpy: types, broadcasting, ranks up to 8."""
import math
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats

FLOATS = [numpy.float32, numpy.float64]
INTEGERS = [numpy.int8, numpy.int16, numpy.int32, numpy.int64, numpy.uint8, numpy.uint16, numpy.uint32, numpy.uint64]
erf = numpy.vectorize(math.erf)


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def softplus(x):
    return numpy.log1p(numpy.exp(x))


# name, first opset, attributes, formula over doubles
UNARY = [
    ("Gelu", 20, {}, lambda x: x / 2 * (1 + erf(x / math.sqrt(2)))),
    ("Gelu", 21, {"approximate": "tanh"},
     lambda x: x / 2 * (1 + numpy.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))),
    ("Mish", 18, {}, lambda x: x * numpy.tanh(softplus(x))),
    ("HardSwish", 14, {}, lambda x: x * numpy.clip(x / 6 + 0.5, 0, 1)),
    ("HardSigmoid", 7, {"alpha": 0.3, "beta": 0.4}, lambda x: numpy.clip(0.3 * x + 0.4, 0, 1)),
    ("Celu", 12, {"alpha": 1.5}, lambda x: numpy.maximum(x, 0) + numpy.minimum(0, 1.5 * (numpy.exp(x / 1.5) - 1))),
    ("Selu", 7, {}, lambda x: 1.0507009873554805 * numpy.where(x > 0, x, 1.6732632423543772 * (numpy.exp(x) - 1))),
    ("Elu", 7, {"alpha": 0.7}, lambda x: numpy.where(x > 0, x, 0.7 * (numpy.exp(x) - 1))),
    ("LeakyRelu", 16, {"alpha": 0.2}, lambda x: numpy.where(x > 0, x, 0.2 * x)),
    ("ThresholdedRelu", 10, {"alpha": 0.5}, lambda x: numpy.where(x > 0.5, x, 0)),
    ("Softplus", 7, {}, softplus), ("Softsign", 7, {}, lambda x: x / (1 + abs(x))),
    ("Sigmoid", 13, {}, sigmoid), ("Tanh", 13, {}, numpy.tanh), ("Erf", 13, {}, erf), ("Relu", 14, {},
                                                                                     lambda x: numpy.maximum(x, 0)),
    ("Exp", 13, {}, numpy.exp), ("Abs", 13, {}, abs), ("Neg", 13, {}, lambda x: -x),
    ("Reciprocal", 13, {}, lambda x: 1 / x), ("Sign", 13, {}, numpy.sign), ("Floor", 13, {}, numpy.floor),
    ("Ceil", 13, {}, numpy.ceil), ("Round", 11, {}, numpy.rint),
]
BINARY = {"Add": numpy.add, "Sub": numpy.subtract, "Mul": numpy.multiply}
COMPARE = {"Equal": numpy.equal, "Greater": numpy.greater, "Less": numpy.less, "GreaterOrEqual": numpy.greater_equal,
           "LessOrEqual": numpy.less_equal}
SHAPES = [((3, 4), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 3)), ((5,), ()), ((2, 3, 4), (2, 3, 4)),
          ((2, 1, 2, 1, 2, 1, 2, 3), (1, 2, 1, 2, 1, 2, 1, 3))]


def numbers(dtype, shape, seed=1):
    if numpy.dtype(dtype).kind == "f":
        return floats(*shape, seed=seed, dtype=dtype)
    low = 0 if numpy.dtype(dtype).kind == "u" else -9
    return numpy.random.default_rng(seed).integers(low, 10, shape).astype(dtype)


class Elementwise(OnnxCase):
    def test_functions(self):
        x = numpy.concatenate([floats(60, low=-5, high=5), numpy.float32([-2.5, -0.5, 0.5, 1.5, 2.5, 7, -7])])
        for name, opset, attributes, formula in UNARY:
            wanted = formula(x.astype(numpy.float64)).astype(numpy.float32)
            self.check(name, [x], wanted, opset, absolute=2e-6, **attributes)
            self.check(name, [x.reshape(1, -1)], wanted.reshape(1, -1), 21, absolute=2e-6, **attributes)
        x = floats(50, low=0.01, high=9)
        for name, formula in ("Sqrt", numpy.sqrt), ("Log", numpy.log):
            self.check(name, [x], formula(x), 13)

    def test_doubles(self):
        x = floats(50, dtype=numpy.float64)
        for name, opset, attributes, formula in UNARY:
            if name in ("Celu", "Selu", "Elu", "LeakyRelu", "HardSigmoid", "ThresholdedRelu"):
                continue  # attributes are single floats
            self.check(name, [x], formula(x), 21, relative=1e-12, absolute=1e-14, **attributes)

    def test_arithmetic(self):
        for shapes in SHAPES:
            for name, formula in BINARY.items():
                a, b = (numbers(numpy.float32, shape, i) for i, shape in enumerate(shapes))
                self.check(name, [a, b], formula(a, b), 13)
                self.check(name, [a, Known(b)], formula(a, b), 7)
                self.check(name, [Known(a), b], formula(a, b), 14)
        for dtype in INTEGERS + [numpy.float64]:
            a, b = numbers(dtype, (2, 3)), numbers(dtype, (3,), 2)
            for name, formula in BINARY.items():
                self.check(name, [a, b], formula(a, b), 14)
            b[b == 0] = 3
            quotient = a / b if dtype is numpy.float64 else numpy.trunc(a / b).astype(dtype)
            self.check("Div", [a, b], quotient, 14)

    def test_power(self):
        x = floats(3, 4, low=0.1)
        self.check("Pow", [x, Known(2, numpy.float32)], x * x, 7)
        for dtype in numpy.int32, numpy.int64, numpy.float64:
            exponent = numpy.array([0, 1, 2, 3], dtype)
            self.check("Pow", [x, Known(exponent)], (x.astype(numpy.float64) ** exponent).astype(numpy.float32), 15)
        n = numpy.array([2, 3, -2], numpy.int64)
        self.check("Pow", [n, Known([3, 2, 3], numpy.int64)], n ** numpy.array([3, 2, 3]), 13)

    def test_comparisons(self):
        for shapes in SHAPES:
            for name, formula in COMPARE.items():
                a, b = (numbers(numpy.int64, shape, i) for i, shape in enumerate(shapes))
                opset = 9 if name in ("Greater", "Less") else 12
                self.check(name, [a.astype(numpy.float32), b.astype(numpy.float32)], formula(a, b), opset)
                self.check(name, [a.astype(numpy.int32), b.astype(numpy.int32)], formula(a, b), 16)
        for dtype in INTEGERS + FLOATS:
            a, b = numbers(dtype, (20,)), numbers(dtype, (20,), 2)
            for name, formula in COMPARE.items():
                self.check(name, [a, b], formula(a, b), 19)
        a, b = numpy.array([True, False]), numpy.array([True, True])
        self.check("Equal", [a, b], a == b, 13)

    def test_logic(self):
        a, b = numpy.array([[True], [False]]), numpy.array([True, False])
        for name, formula in ("And", numpy.logical_and), ("Or", numpy.logical_or), ("Xor", numpy.logical_xor):
            self.check(name, [a, b], formula(a, b), 7)
        self.check("Not", [a], ~a, 21)
        x = numpy.float32([1, numpy.inf, -numpy.inf, numpy.nan])
        self.check("IsNaN", [x], numpy.isnan(x), 20)
        self.check("IsInf", [x], numpy.isinf(x), 20)
        self.check("IsInf", [x], x == numpy.inf, 10, detect_negative=0)

    def test_where(self):
        condition = numpy.array([[True], [False], [True]])
        for dtype in FLOATS + INTEGERS + [numpy.bool_]:
            a, b = numbers(numpy.int64, (3, 4)).astype(dtype), numbers(numpy.int64, (4,), 2).astype(dtype)
            self.check("Where", [condition, a, b], numpy.where(condition, a, b), 16)

    def test_several(self):
        x = [floats(3, 1, seed=1), floats(4, seed=2), floats(2, 3, 4, seed=3)]
        total = x[0] + x[1] + x[2]
        self.check("Sum", x, total, 13)
        self.check("Mean", x, total / numpy.float32(3), 8)
        self.check("Max", x, numpy.maximum(numpy.maximum(x[0], x[1]), x[2]), 13)
        self.check("Min", x, numpy.minimum(numpy.minimum(x[0], x[1]), x[2]), 8)
        for dtype in INTEGERS + [numpy.float64]:
            a, b = numbers(dtype, (5,)), numbers(dtype, (5,), 2)
            self.check("Max", [a, b], numpy.maximum(a, b), 13)
            self.check("Min", [a, b], numpy.minimum(a, b), 13)

    def test_clip(self):
        x = floats(3, 4)
        low, high = Known(-0.5, numpy.float32), Known(0.7, numpy.float32)
        self.check("Clip", [x, low, high], x.clip(-0.5, 0.7), 13)
        self.check("Clip", [x, None, high], x.clip(None, 0.7), 12)
        self.check("Clip", [x], x.clip(-0.5, 0.7), 7, min=-0.5, max=0.7)
        for dtype in numpy.int32, numpy.int64, numpy.int8, numpy.uint8, numpy.float64:
            n = numbers(dtype, (3, 4))
            self.check("Clip", [n, Known(2, dtype), Known(5, dtype)], n.clip(2, 5), 13)

    def test_parametric_relu(self):
        x = floats(2, 3, 4)
        for shape in (3, 1), (4,), (1,), (2, 3, 4), ():
            slope = floats(*shape, seed=2)
            self.check("PRelu", [x, Known(slope)], numpy.where(x < 0, x * slope, x), 16)

    def test_cast(self):
        x = numpy.float32([-2.7, -0.5, 0, 0.5, 1.9, 3])
        for dtype, number in (numpy.int32, 6), (numpy.int64, 7), (numpy.bool_, 9), (numpy.float64, 11), (numpy.int8, 3):
            for opset in 9, 13, 19, 21:
                self.check("Cast", [x], x.astype(dtype), opset, to=number)
        n = numpy.array([0, 1, 200, 255], numpy.uint8)
        self.check("Cast", [n], n.astype(numpy.float32), 13, to=1)
        self.check("Cast", [n], n.astype(numpy.bool_), 13, to=9)

    def test_shapes_that_do_not_fit(self):
        self.refuse(["[2, 3]", "[2, 4]"], "Add", [floats(2, 3), floats(2, 4)], 14)
        self.refuse("int64", "Add", [floats(2, 3), numbers(numpy.int64, (2, 3))], 14)


if __name__ == "__main__":
    unittest.main()
