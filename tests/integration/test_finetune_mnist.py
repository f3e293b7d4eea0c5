"""The model zoo's MNIST network goes on learning from a few MNIST digits, and gets no worse."""
import gzip
import json
import os
import sys
import unittest

import tiny_files
from classify_case import ClassifyCase

DATA = os.environ.get("CLASSIFYD_DATA")
N_TRAIN, N_TEST = 1500, 600


class FineTune(ClassifyCase):
    def cut(self, split, n):
        """The first n records."""
        with gzip.open(os.path.join(DATA, "mnist", f"{split}-images-idx3-ubyte.gz")) as file:
            pixels = file.read(16 + 784 * n)[16:]
        with gzip.open(os.path.join(DATA, "mnist", f"{split}-labels-idx1-ubyte.gz")) as file:
            labels = file.read(8 + n)[8:]
        tiny_files.write_idx(self.path("data"), 28, 28, [pixels[784 * i:784 * (i + 1)] for i in range(n)],
                             list(labels), split)

    def test_one_short_epoch(self):
        os.mkdir(self.path("data"))
        self.cut("train", N_TRAIN)
        self.cut("t10k", N_TEST)
        base = os.path.join(DATA, "onnx", "mnist", "mnist-8.onnx")
        recipe = self.write("recipe.json", json.dumps(
            {"name": "tuned", "epochs": 1, "batch": 50, "optimiser": {"learning_rate": 0.001, "momentum": 0.9}}))
        self.classify("train", recipe, "--from", base, "--data", self.path("data"), "--out", self.path("out"),
                      "--quiet")
        before = self.classify_json("eval", base, "--data", self.path("data"))["accuracy"]
        after = self.classify_json("eval", self.path("out"), "--data", self.path("data"))["accuracy"]
        self.assertGreater(before, 0.9)
        self.assertGreaterEqual(after, before)


if __name__ == "__main__":
    if not DATA or not os.path.isfile(os.path.join(DATA, "onnx", "mnist", "mnist-8.onnx")):
        print("CLASSIFYD_DATA names no folder with onnx/mnist/mnist-8.onnx")
        sys.exit(77)
    unittest.main()
