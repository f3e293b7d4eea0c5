"""The models that ship are as good as models/README.md says, on all 10,000 test pictures, and as small."""
import json
import os
import re
import subprocess
import sys
import unittest

SOURCE, DATA = os.environ["CLASSIFYD_SOURCE"], os.environ.get("CLASSIFYD_DATA")
MODELS = os.path.join(SOURCE, "models")
CLASSIFY = os.path.join(os.environ["CLASSIFYD_BIN"], "classify")

# model: data set, the least accuracy, the most bytes
SHIPPED = {
    "mnist": ("mnist", 0.995, 1 << 20),
    "mnist-mlp": ("mnist", 0.986, 1 << 20),
    "fashion-mnist": ("fashion-mnist", 0.935, 5_000_000),
    "cifar10": ("cifar10", 0.92, 8_000_000),
    "cifar10-softmax": ("cifar10", 0.40, 1 << 20),
    "cifar10-svm": ("cifar10", 0.38, 1 << 20),
    "cifar10-knn": ("cifar10", 0.29, 5_000_000),
}


class Shipped(unittest.TestCase):
    def answers(self, *args):
        return json.loads(subprocess.run([CLASSIFY, *args, "--json"], check=True, capture_output=True,
                                         timeout=500).stdout)

    def test_accuracy(self):
        with open(os.path.join(MODELS, "README.md"), encoding="utf-8") as file:
            readme = file.read()
        for name, (data, least, most_bytes) in SHIPPED.items():
            with self.subTest(model=name):
                path = os.path.join(MODELS, name, "1")
                self.assertLessEqual(os.path.getsize(os.path.join(path, "model.onnx")), most_bytes)
                answer = self.answers("eval", path, "--data", os.path.join(DATA, data))
                self.assertEqual(answer["samples"], 10000)
                self.assertGreaterEqual(answer["accuracy"], least)
                said = re.search(rf"(?m)^\| {re.escape(name)} \|.*\| ([\d.]+) % \|", readme)
                self.assertAlmostEqual(100 * answer["accuracy"], float(said[1]), delta=0.011)

    def test_every_model_has_its_recipe(self):
        for name in SHIPPED:
            with open(os.path.join(MODELS, "recipes", f"{name}.json"), encoding="utf-8") as file:
                recipe = json.dumps(json.load(file), separators=(",", ":"), ensure_ascii=False)
            with open(os.path.join(MODELS, name, "1", "model.onnx"), "rb") as file:
                self.assertTrue(recipe.encode() in file.read(), f"{name} was not made by its recipe")


if __name__ == "__main__":
    if not DATA or not os.path.isdir(os.path.join(DATA, "mnist")):
        print("CLASSIFYD_DATA names no folder with mnist/")
        sys.exit(77)
    unittest.main()
