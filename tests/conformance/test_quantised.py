"""Quantised networks on real pictures: as integers they say what the network in floats says, and what ONNX Runtime says
that rounds floats step by step."""
import os
import sys

DATA = os.environ.get("CLASSIFYD_DATA")
if not DATA:
    print("skipped: CLASSIFYD_DATA names no folder of real data")
    sys.exit(77)
try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)
import unittest

import quantise
import shipped
from classify_case import ClassifyCase

N_PICTURES, N_SEEN, AT_ONCE, LEAST = 1000, 200, 25, 0.99
MOBILENET = f"{DATA}/onnx/imagenet/mobilenetv2-qdq.onnx"


def cifar_pixels(batch, n):
    rows = numpy.fromfile(f"{DATA}/cifar10/{batch}.bin", numpy.uint8).reshape(-1, 3073)[:n, 1:]
    return rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)


class Quantised(ClassifyCase):
    def run_model(self, model, samples, n_outputs=1):
        """All outputs for all samples, a few at a time."""
        parts = []
        for i in range(0, len(samples), AT_ONCE):
            numpy.save(self.path("in.npy"), samples[i:i + AT_ONCE])
            self.classify("run", model, "--input", self.path("in.npy"), "--output-dir", self.folder)
            parts.append([numpy.load(self.path(f"out_{k}.npy")) for k in range(n_outputs)])
        return [numpy.concatenate(part) for part in zip(*parts)]

    def uses_integers(self, model, n_floats):
        """All but the layers at its ends."""
        shown = self.classify_json("inspect", model)["nodes"]
        names = [node["operator"].split(" + ")[0] for node in shown]
        self.assertFalse({"Conv", "Gemm", "MaxPool", "Relu"} & set(names), names)
        self.assertLessEqual(sum(not name.startswith("QLinear") for name in names), n_floats)

    def check_same(self, what, a, b, least=LEAST):
        same = int((a.argmax(axis=1) == b.argmax(axis=1)).sum())
        print(f"{what}: {same} of {len(a)}")
        self.assertGreaterEqual(same / len(a), least, what)

    def check_shipped(self, name, seen, pixels, least=LEAST):
        """seen: pictures to find ranges with."""
        folder = os.path.join(shipped.MODELS, name, "1")
        seen, samples = (shipped.prepare(shipped.card(folder), p) for p in (seen, pixels))
        model = onnx.load(os.path.join(folder, "model.onnx"))
        quantise.save(quantise.with_middles(model), self.path("middles.onnx"))
        middles = self.run_model(self.path("middles.onnx"), seen, len(quantise.layers(model)))
        quantise.save(quantise.quantised(model, seen, middles), self.path("bytes.onnx"))
        self.uses_integers(self.path("bytes.onnx"), 6)
        found = self.run_model(self.path("bytes.onnx"), samples)[0]
        self.check_same(f"{name} as its floats", self.run_model(folder, samples)[0], found, least)
        if onnxruntime.is_here():
            self.check_same(f"{name} as its steps", onnxruntime.run(self.path("bytes.onnx"), samples), found)

    def test_cifar10(self):
        """Of a dozen pictures floats see two classes within a few hundredths."""
        self.check_shipped("cifar10", cifar_pixels("data_batch_1", N_SEEN), cifar_pixels("test_batch", N_PICTURES), 0.98)

    def test_mnist(self):
        pixels = shipped.idx_test_images(f"{DATA}/mnist")
        self.check_shipped("mnist", pixels[-N_SEEN:], pixels[:N_PICTURES])

    def test_fashion_mnist(self):
        pixels = shipped.idx_test_images(f"{DATA}/fashion-mnist")
        self.check_shipped("fashion-mnist", pixels[-N_SEEN:], pixels[:N_PICTURES])

    def test_photographs(self):
        """One sum of a layer lies 5e-7 from a half: a factor rounded to a float gives other answers from there on."""
        answer = self.classify_json("eval", MOBILENET, "--data", f"{DATA}/photos")
        self.assertEqual((answer["samples"], answer["correct"], answer["correct_top_5"]), (56, 48, 52))


if __name__ == "__main__":
    unittest.main()
