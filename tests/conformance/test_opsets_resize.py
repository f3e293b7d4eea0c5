"""Resize of opsets 10 to 19 and Upsample, against sums that follow the standard axis by axis."""
import itertools
import math
import unittest

import numpy
from onnx_case import Known, OnnxCase, floats, ints


def coordinate(rule, i, n_in, n_out, scale, window):
    """Where output element i of an axis lies in the input; the standard takes the length before it is rounded."""
    if rule == "align_corners":
        return 0.0 if n_out == 1 else i * (n_in - 1) / (n_in * scale - 1)
    if rule == "asymmetric":
        return i / scale
    if rule == "tf_crop_and_resize":
        start, end = window
        if n_out == 1:
            return 0.5 * (start + end) * (n_in - 1)
        return start * (n_in - 1) + i * (end - start) * (n_in - 1) / (n_out - 1)
    if rule == "pytorch_half_pixel" and n_in * scale <= 1:
        return 0.0
    x = (i + 0.5) / scale - 0.5
    if rule == "half_pixel_symmetric":
        x += n_in / 2 * (1 - n_out / (scale * n_in))
    return x


def nearest(x, rule):
    return {"round_prefer_floor": math.ceil(x - 0.5), "round_prefer_ceil": math.floor(x + 0.5), "floor": math.floor(x),
            "ceil": math.ceil(x)}[rule]


def kernel(mode, x, a):
    x = abs(x)
    if mode == "linear":
        return max(0.0, 1 - x)
    if x < 1:
        return (a + 2) * x ** 3 - (a + 3) * x ** 2 + 1
    return a * x ** 3 - 5 * a * x ** 2 + 8 * a * x - 4 * a if x < 2 else 0.0


def axis_weights(n_in, n_out, scale, mode="nearest", rule="half_pixel", nearest_mode="round_prefer_floor", a=-0.75,
                 antialias=False, exclude_outside=False, window=(0, 1)):
    """The matrix [n_out, n_in] of one axis, and which outputs lie outside."""
    weights, outside = numpy.zeros((n_out, n_in)), numpy.zeros(n_out, bool)
    for i in range(n_out):
        x = coordinate(rule, i, n_in, n_out, scale, window)
        outside[i] = rule == "tf_crop_and_resize" and not 0 <= x <= n_in - 1
        if mode == "nearest":
            weights[i, min(max(nearest(x, nearest_mode), 0), n_in - 1)] = 1
            continue
        shrink = min(scale, 1.0) if antialias else 1.0
        reach = (1 if mode == "linear" else 2) / shrink
        taps = range(math.floor(x - reach), math.ceil(x + reach) + 1)
        values = {k: kernel(mode, (k - x) * shrink, a) for k in taps}
        if exclude_outside:
            values = {k: v for k, v in values.items() if 0 <= k < n_in}
        total = sum(values.values())
        for k, v in values.items():
            weights[i, min(max(k, 0), n_in - 1)] += v / total
    return weights, outside


def resize(x, sizes, scales, axes, extrapolation=0.0, windows=None, **how):
    y, beyond = x.astype(numpy.float64), numpy.zeros((1,) * x.ndim, bool)
    for k, axis in enumerate(axes):
        window = windows[k] if windows else (0, 1)
        weights, outside = axis_weights(x.shape[axis], sizes[k], scales[k], window=window, **how)
        y = numpy.moveaxis(numpy.tensordot(weights, y, (1, axis)), 0, axis)
        beyond = beyond | outside.reshape([-1 if i == axis else 1 for i in range(x.ndim)])
    return numpy.where(beyond, extrapolation, y).astype(x.dtype)


def scaled(x, scales, axes, **how):
    return resize(x, [math.floor(x.shape[a] * s) for a, s in zip(axes, scales)], scales, axes, **how)


def sized(x, sizes, axes, **how):
    return resize(x, sizes, [n / x.shape[a] for a, n in zip(axes, sizes)], axes, **how)


RULES = ["half_pixel", "align_corners", "asymmetric", "pytorch_half_pixel"]
FACTORS = [(2.0, 3.0), (0.65, 0.5), (1.5, 0.75)]
NO_REGION = Known([], numpy.float32)  # opset 11 wants the input, empty


class Resize(OnnxCase):
    def setUp(self):
        super().setUp()
        self.x = floats(1, 2, 5, 8)

    def scales(self, factors):
        return Known([1, 1, *factors], numpy.float32)

    def single(self, factors):
        return [float(numpy.float32(f)) for f in factors]

    def check_scales(self, factors, opset, attributes, **how):
        wanted = scaled(self.x, self.single(factors), (2, 3), **how)
        region = NO_REGION if opset == 11 else None
        self.check("Resize", [self.x, region, self.scales(factors)], wanted, opset, relative=1e-4, absolute=1e-5,
                   **attributes)

    def test_nearest(self):
        for factors, rule, mode in itertools.product(FACTORS, RULES, ["round_prefer_floor", "round_prefer_ceil",
                                                                      "floor", "ceil"]):
            self.check_scales(factors, 13, {"mode": "nearest", "coordinate_transformation_mode": rule,
                                            "nearest_mode": mode}, mode="nearest", rule=rule, nearest_mode=mode)

    def test_linear_and_cubic(self):
        for factors, rule, mode in itertools.product(FACTORS, RULES, ["linear", "cubic"]):
            attributes = {"mode": mode, "coordinate_transformation_mode": rule}
            for opset in 11, 18:
                self.check_scales(factors, opset, attributes, mode=mode, rule=rule)
        for factors in FACTORS:
            self.check_scales(factors, 13, {"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5},
                              mode="cubic", exclude_outside=True, a=-0.5)

    def test_antialias_of_opset_18(self):
        for mode in "linear", "cubic":
            for outside in 0, 1:
                self.check_scales((0.65, 0.5), 18, {"mode": mode, "antialias": 1, "exclude_outside": outside},
                                  mode=mode, antialias=True, exclude_outside=bool(outside))
            self.check_scales((2.0, 3.0), 18, {"mode": mode, "antialias": 1}, mode=mode, antialias=True)

    def test_axes_of_opset_18(self):
        wanted = scaled(self.x, [0.5, 2.0], (3, 2), mode="linear")
        self.check("Resize", [self.x, None, Known([0.5, 2.0], numpy.float32)], wanted, 18, mode="linear",
                   axes=[3, 2], relative=1e-4, absolute=1e-5)
        wanted = sized(self.x, [7, 4], (2, 3), mode="linear")
        self.check("Resize", [self.x, None, None, ints(7, 4)], wanted, 18, mode="linear", axes=[2, 3], relative=1e-4,
                   absolute=1e-5)

    def test_sizes(self):
        for sizes in (7, 3), (5, 8), (1, 1):
            for mode in "nearest", "linear", "cubic":
                wanted = sized(self.x, sizes, (2, 3), mode=mode)
                self.check("Resize", [self.x, None, None, ints(1, 2, *sizes)], wanted, 13, mode=mode, relative=1e-4,
                           absolute=1e-5)

    def test_policies_of_opset_18(self):
        for policy, choose in ("not_larger", min), ("not_smaller", max):
            scale = choose(9 / 5, 10 / 8)
            sizes = [math.floor(5 * scale + 0.5), math.floor(8 * scale + 0.5)]
            wanted = resize(self.x, sizes, [scale, scale], (2, 3), mode="linear")
            self.check("Resize", [self.x, None, None, ints(9, 10)], wanted, 18, mode="linear", axes=[2, 3],
                       keep_aspect_ratio_policy=policy, relative=1e-4, absolute=1e-5)

    def test_symmetric_of_opset_19(self):
        for mode in "linear", "nearest":
            self.check_scales((0.55, 1.3), 19, {"mode": mode, "coordinate_transformation_mode": "half_pixel_symmetric"},
                              mode=mode, rule="half_pixel_symmetric")

    def test_crop(self):
        window = [(0.2, 0.7), (-0.1, 1.2)]
        roi = Known([0, 0, 0.2, -0.1, 1, 1, 0.7, 1.2], numpy.float32)
        wanted = resize(self.x, [4, 6], [4 / 5, 6 / 8], (2, 3), mode="linear", rule="tf_crop_and_resize",
                        windows=window, extrapolation=9.0)
        self.check("Resize", [self.x, roi, None, ints(1, 2, 4, 6)], wanted, 13, mode="linear", extrapolation_value=9.0,
                   coordinate_transformation_mode="tf_crop_and_resize", relative=1e-4, absolute=1e-5)

    def test_types(self):
        for dtype in numpy.float64, numpy.uint8, numpy.int32:
            x = numpy.arange(24).reshape(1, 2, 3, 4).astype(dtype)
            wanted = scaled(x, [2.0, 2.0], (2, 3), mode="nearest", rule="asymmetric", nearest_mode="floor")
            self.check("Resize", [x, None, Known([1, 1, 2, 2], numpy.float32)], wanted, 13, mode="nearest",
                       coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    def test_shrinking_in_opset_10(self):
        """The one rule of that opset is told by ONNX's case of then: 4 elements times 0.6 are the first and the third."""
        x = numpy.arange(1, 9, dtype=numpy.float32).reshape(1, 1, 2, 4)
        wanted = numpy.array([[[[1, 3]]]], numpy.float32)
        self.check("Resize", [x, self.scales((0.6, 0.6))], wanted, 10, mode="nearest")
        across = scaled(x, self.single((2.0,)), (2,), mode="nearest", rule="asymmetric", nearest_mode="floor")
        wanted = scaled(across, self.single((0.4,)), (3,), mode="nearest", rule="asymmetric", nearest_mode="ceil")
        self.check("Resize", [x, self.scales((2.0, 0.4))], wanted, 10, mode="nearest")

    def test_older_forms(self):
        for mode in "nearest", "linear":
            for factors in (2.0, 3.0), (1.5, 2.5):
                wanted = scaled(self.x, self.single(factors), (2, 3), mode=mode, rule="asymmetric",
                                nearest_mode="floor")
                how = {"mode": mode, "relative": 1e-4, "absolute": 1e-5}
                self.check("Resize", [self.x, self.scales(factors)], wanted, 10, **how)
                self.check("Upsample", [self.x, self.scales(factors)], wanted, 9, **how)
                self.check("Upsample", [self.x], wanted, 7, scales=[1.0, 1.0, *factors], **how)


if __name__ == "__main__":
    unittest.main()
