"""A file from PyTorch is fine-tuned: one step of ours changes its answers as one step of PyTorch's does."""
import json
import os
import sys
import warnings

try:
    import numpy
    import torch
except ImportError:
    print("skipped: python3-numpy and python3-torch are not installed")
    sys.exit(77)
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import ClassifyCase  # noqa: E402

SIDE, N, N_CLASSES, RATE = 8, 48, 4, 0.05


class Residual(torch.nn.Module):
    """Every operator that classifiers have most: Conv, BatchNormalization, Add, pooling, Gemm."""

    def __init__(self):
        super().__init__()
        self.stem = torch.nn.Conv2d(1, 6, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(6)
        self.block = torch.nn.Conv2d(6, 6, 3, padding=1, groups=2)
        self.pool = torch.nn.MaxPool2d(2)
        self.hidden = torch.nn.Linear(6 * 16, 12)
        self.head = torch.nn.Linear(12, N_CLASSES)

    def forward(self, x):
        x = torch.relu(self.norm(self.stem((x - 0.25) * 2)))
        x = self.pool(x + torch.nn.functional.elu(self.block(x)))
        return self.head(torch.tanh(self.hidden(torch.flatten(x, 1))))


def make_pictures(generator, n):
    labels = [i % N_CLASSES for i in range(n)]
    pixels = generator.integers(0, 100, (n, SIDE, SIDE))
    for i, label in enumerate(labels):
        y, x = label // 2 * (SIDE // 2), label % 2 * (SIDE // 2)
        pixels[i, y:y + SIDE // 2, x:x + SIDE // 2] += 100
    return pixels.astype(numpy.uint8), labels


class FineTune(ClassifyCase):
    def setUp(self):
        super().setUp()
        generator = numpy.random.default_rng(3)
        os.mkdir(self.path("data"))
        self.pixels, self.labels = make_pictures(generator, N)
        for split in "train", "t10k":
            tiny_files.write_idx(self.path("data"), SIDE, SIDE, [p.ravel().tolist() for p in self.pixels],
                                 self.labels, split)
        torch.manual_seed(1)
        self.network = Residual()
        self.network(torch.rand(64, 1, SIDE, SIDE))  # running mean and variance that are not 0 and 1
        self.network.eval()
        self.x = torch.tensor(self.pixels, dtype=torch.float32).reshape(N, 1, SIDE, SIDE) / 255
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(self.network, self.x[:1], self.path("torch.onnx"), input_names=["pixels"],
                              output_names=["scores"], dynamic_axes={"pixels": {0: "N"}, "scores": {0: "N"}},
                              training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
                              opset_version=13)

    def tune(self, *args, **recipe):
        """One step over all pictures."""
        text = json.dumps({"name": "tuned", "epochs": 1, "batch": N, "shards": 1, "golden": 0,
                           "optimiser": {"kind": "SGD", "learning_rate": RATE}, **recipe})
        self.classify("train", self.write("recipe.json", text), "--from", self.path("torch.onnx"), "--data",
                      self.path("data"), "--out", self.path("tuned"), "--quiet", *args)
        return self.path("tuned/model.onnx")

    def answers(self, model):
        numpy.save(self.path("x.npy"), self.x.numpy())
        self.classify("run", model, "--input", self.path("x.npy"), "--output-dir", self.path("answers"))
        return numpy.load(self.path("answers/out_0.npy"))

    def torch_step(self, frozen=()):
        """The same step in PyTorch; returns its answers."""
        self.network.train()
        for name in frozen:
            layer = getattr(self.network, name)
            layer.eval()
            layer.requires_grad_(False)
        optimiser = torch.optim.SGD([p for p in self.network.parameters() if p.requires_grad], lr=RATE)
        torch.nn.functional.cross_entropy(self.network(self.x), torch.tensor(self.labels)).backward()
        optimiser.step()
        self.network.eval()
        with torch.no_grad():
            return torch.softmax(self.network(self.x), 1).numpy()

    def test_one_step_is_pytorchs(self):
        before = torch.softmax(self.network(self.x), 1).detach().numpy()
        found, wanted = self.answers(self.tune()), self.torch_step()
        # PyTorch's running variance divides by n - 1, ONNX's by n
        numpy.testing.assert_allclose(found, wanted, atol=2e-4)
        self.assertGreater(abs(wanted - before).max(), 0.01)

    def test_one_step_with_frozen_layers(self):
        found = self.answers(self.tune("--freeze", "/stem/*", "/norm/*"))
        numpy.testing.assert_allclose(found, self.torch_step(["stem", "norm"]), atol=1e-5)

    def test_names_stay(self):
        before = self.classify_json("inspect", self.path("torch.onnx"))
        after = self.classify_json("inspect", self.tune())
        self.assertEqual(after["inputs"][0]["name"], "pixels")
        names = [node["name"] for node in after["nodes"]]
        for node in before["nodes"]:
            self.assertIn(node["name"], names)

    def test_other_classes(self):
        self.labels = [label % 2 for label in self.labels]
        for split in "train", "t10k":
            tiny_files.write_idx(self.path("data"), SIDE, SIDE, [p.ravel().tolist() for p in self.pixels],
                                 self.labels, split)
        self.assertEqual(self.answers(self.tune()).shape, (N, 2))


if __name__ == "__main__":
    unittest.main()
