"""classify run: .npy in, .npy out, checked with numpy."""
import os
import sys

try:
    import numpy
except ImportError:
    print("skipped: python3-numpy is not installed")
    sys.exit(77)
import unittest

import tiny_files
from classify_case import ClassifyCase

A = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
B = A * 10 + 1


class Run(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.model = self.write("two.onnx", tiny_files.two_input_model())
        self.a, self.b = self.save("a", A), self.save("b", B)

    def save(self, name, array):
        numpy.save(self.path(name + ".npy"), array)
        return self.path(name + ".npy")

    def outputs(self, *inputs):
        """Runs the model and returns what it wrote."""
        out = self.path("made/here")
        self.classify("run", self.model, "--input", *inputs, "--output-dir", out)
        return [numpy.load(os.path.join(out, f"out_{i}.npy")) for i in range(2)]

    def check(self, outputs, a=A, b=B):
        numpy.testing.assert_array_equal(outputs[0], a + b)
        numpy.testing.assert_array_equal(outputs[1], a * b)
        self.assertEqual(outputs[0].dtype, numpy.float32)

    def test_inputs_in_graph_order_and_by_name(self):
        self.check(self.outputs(self.a, self.b))
        self.check(self.outputs(self.a, "--input", self.b))
        self.check(self.outputs(f"b={self.b}", f"a={self.a}"))
        self.check(self.outputs(f"b={self.a}", self.b), a=B, b=A)

    def test_a_file_name_with_an_equals_sign(self):
        self.check(self.outputs(self.save("x=y", A), self.b))
        self.check(self.outputs(f"a={self.save('x=y', A)}", self.b))

    def test_fortran_order_and_large_batches(self):
        self.check(self.outputs(self.save("f", numpy.asfortranarray(A)), self.b))
        large = numpy.random.default_rng(1).random((1000, 3), dtype=numpy.float32)
        path = self.save("large", large)
        self.check(self.outputs(path, path), a=large, b=large)

    def test_halves_are_widened(self):
        halves = numpy.array([[0.1, -65504, 6e-8], [numpy.inf, 2, 3]], numpy.float16)
        self.check(self.outputs(self.save("h", halves), self.b), a=halves.astype(numpy.float32))

    def test_raw_scores_get_no_softmax(self):
        model = self.write_quadrant_model(softmax=False)
        picture = numpy.array([[[[0, 1], [0.5, 0]]]], dtype=numpy.float32)
        self.classify("run", model, "--input", self.save("p", picture), "--output-dir", self.folder)
        numpy.testing.assert_array_equal(numpy.load(self.path("out_0.npy")), [[0, 8, 4, 0]])

    def refused_input(self, *inputs, says):
        self.refused("run", self.model, "--input", *inputs, "--output-dir", self.folder, says=says)

    def test_inputs_that_do_not_fit(self):
        self.refused_input(self.a, says=["1 inputs", "takes 2", "'a', 'b'"])
        self.refused_input(self.a, self.b, self.a, says="3 inputs")
        self.refused_input(f"c={self.a}", self.b, says=["'c' is no input", "'a', 'b'"])
        self.refused_input(f"a={self.a}", f"a={self.b}", says="'a' is given twice")
        self.refused_input(self.a, self.save("w", B[:, :2]), says=["'b'", "[2, 2]", "[2, 3]"])
        self.refused_input(self.a, self.save("d", B.astype(numpy.float64)),
                           says=["'b'", "double", "float"])
        self.refused_input(self.a, self.path("none.npy"), says="none.npy")
        self.refused_input(self.a, self.write("bad.npy", b"no array"), says=["bad.npy", "NUMPY"])

    def test_an_output_folder_that_cannot_be(self):
        self.refused("run", self.model, "--input", self.a, self.b, "--output-dir",
                     self.path("a.npy/sub"), says="a.npy")


if __name__ == "__main__":
    unittest.main()
