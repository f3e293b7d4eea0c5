"""Models that other tools exported, on real data: the accuracies that their makers' runtimes give."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
import gzip
import json
import unittest

from classify_case import ClassifyCase


def test_labels(name):
    with gzip.open(f"{DATA}/{name}/t10k-labels-idx1-ubyte.gz") as file:
        return list(file.read()[8:])


class RealModels(ClassifyCase):
    def first_500(self, model, data):
        """The number of right answers among the first 500."""
        out = self.path("predictions.txt")
        self.classify("eval", f"{DATA}/onnx/{model}", "--data", f"{DATA}/{data}", "--predictions", out)
        with open(out) as file:
            predictions = [int(line) for line in file]
        self.assertEqual(len(predictions), 10000)
        return sum(p == label for p, label in zip(predictions[:500], test_labels(data)[:500]))

    def test_cntk_cnn(self):
        """98.9 %; it wants pixels 0..255, which only a config can say."""
        config = self.write("config.json", json.dumps(
            {"preprocess": {"color": "gray", "width": 28, "height": 28, "scale": 1}}))
        answer = self.classify_json("eval", f"{DATA}/onnx/mnist/mnist-8.onnx", "--data",
                                    f"{DATA}/mnist", "--config", config)
        self.assertEqual((answer["samples"], round(answer["accuracy"], 3)), (10000, 0.989))

    def test_pytorch_mlp(self):
        self.assertEqual(self.first_500("mnist/mlp_256x2.onnx", "mnist"), 491)

    def test_keras_mlp(self):
        self.assertEqual(self.first_500("fashion-mnist/keras_mlp.onnx", "fashion-mnist"), 443)


if __name__ == "__main__":
    unittest.main()
