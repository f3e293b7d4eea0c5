"""Every linear and fully connected recipe learns, on small data of our own in the shape of the real one."""
import json
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import ClassifyCase  # noqa: E402

RECIPES = os.path.join(os.environ["CLASSIFYD_SOURCE"], "models", "recipes")
N_TRAIN, N_TEST, N_CLASSES = 512, 100, 10


def picture(rng, tiles, side, n_channels):
    """The tiles under noise, channel after channel."""
    step = (side + 6) // 7
    return bytes(tiles[y // step * 7 + x // step] + rng.randrange(-40, 41)
                 for _ in range(n_channels) for y in range(side) for x in range(side))


def samples(rng, n, side, n_channels, classes):
    labels = [i % N_CLASSES for i in range(n)]
    return [picture(rng, classes[label], side, n_channels) for label in labels], labels


class Recipes(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.rng = random.Random(3)
        self.classes = [[self.rng.choice((40, 200)) for _ in range(49)] for _ in range(N_CLASSES)]

    def write_idx(self, name):
        os.mkdir(self.path(name))
        for split, n in ("train", N_TRAIN), ("t10k", N_TEST):
            tiny_files.write_idx(self.path(name), 28, 28, *samples(self.rng, n, 28, 1, self.classes), split)

    def write_cifar10(self):
        names = [(f"data_batch_{i}.bin", N_TRAIN // 4) for i in range(1, 6)] + [("test_batch.bin", N_TEST)]
        for name, n in names:
            pictures, labels = samples(self.rng, n, 32, 3, self.classes)
            self.write(f"cifar10/{name}", b"".join(bytes([label]) + picture
                                                   for label, picture in zip(labels, pictures)))

    def train(self, recipe, *more):
        """The test accuracy after three epochs."""
        out = self.path("out")
        self.classify("train", os.path.join(RECIPES, recipe + ".json"), "--data", self.folder, "--out", out,
                      "--epochs", "3", "--set", "batch=32", *more)
        return self.classify_json("eval", out, "--data", self.folder)["accuracy"]

    def test_digits_and_clothes(self):
        self.write_idx("mnist")
        self.write_idx("fashion-mnist")
        for recipe in "mnist-svm", "mnist-softmax", "mnist-mlp", "fashion-mnist-mlp":
            with self.subTest(recipe=recipe):
                self.assertGreater(self.train(recipe), 0.9)

    def test_colour_photographs(self):
        self.write_cifar10()
        for recipe in "cifar10-svm", "cifar10-softmax", "cifar10-mlp":
            with self.subTest(recipe=recipe):
                # Mirror images are new to the net: half of what it sees in three epochs.
                self.assertGreater(self.train(recipe, "augment.mirror=none"), 0.9)


class Rows(ClassifyCase):
    """Keys of losses and augmentation, seen from outside."""

    def setUp(self):
        super().setUp()
        rng = random.Random(4)
        os.mkdir(self.path("two"))
        for split, n in ("train", 600), ("t10k", 600):
            labels = [int(rng.random() < 0.1) for _ in range(n)]
            pictures = [[min(255, max(0, int(rng.gauss(100 + 30 * label, 40)))) for _ in range(4)]
                        for label in labels]
            tiny_files.write_idx(self.path("two"), 2, 2, pictures, labels, split)

    def train(self, *args, **changes):
        recipe = {"name": "two", "epochs": 10, "batch": 20, "optimiser": {"learning_rate": 0.1},
                  "layers": [{"op": "Flatten"}, {"op": "Gemm", "outputs": 2}], **changes}
        path = self.write("recipe.json", json.dumps(recipe))
        return self.classify("train", path, "--data", self.path("two"), "--out", self.path("out"), *args)[0]

    def recall(self):
        """How many of each class are found, as a share."""
        return [row["correct"] / row["samples"] for row in
                self.classify_json("eval", self.path("out"), "--data", self.path("two"))["classes"]]

    def test_class_weights_find_the_rare_class(self):
        for kind in "cross_entropy", "hinge":
            self.train(loss={"kind": kind})
            common, rare = self.recall()
            self.assertGreater(common, 0.95)
            self.train(loss={"kind": kind, "class_weights": "balanced"})
            balanced = self.recall()
            self.assertGreater(balanced[1], rare + 0.1)
            self.assertLess(abs(balanced[0] - balanced[1]), 0.2)
            self.train(loss={"kind": kind, "class_weights": [1, 1000]})
            self.assertGreater(self.recall()[1], 0.95)

    def test_mixed_labels_cannot_be_learnt_by_heart(self):
        """With half of each of two samples the loss stays above what the samples alone allow."""
        def loss(text):
            return float(text.strip().splitlines()[-2].split("loss ")[1].split()[0])
        alone, mixed = (loss(self.train(augment={"mixup": alpha}, loss={"class_weights": "balanced"}))
                        for alpha in (0, 100))
        self.assertGreater(mixed, alone + 0.02)

    def test_threads_do_not_change_a_byte(self):
        augment = {"shift_px": 1, "rotate_degrees": 20, "zoom": 0.1, "crop_px": 1, "mirror": "alternate",
                   "flip_vertical": True, "pad": "reflect", "brightness": 0.2, "contrast": 0.2,
                   "cutout_px": 1, "mixup": 0.5}
        files = []
        for threads in "1", "3":
            self.train("--threads", threads, augment=augment, shards=4,
                       loss={"kind": "hinge", "class_weights": "balanced", "l2": 0.001},
                       schedule={"kind": "one_cycle", "anneal": "linear"})
            with open(self.path("out/model.onnx"), "rb") as file:
                files.append(file.read())
        self.assertEqual(files[0], files[1])

    def test_weights_that_do_not_fit_are_refused(self):
        recipe = {"name": "two", "batch": 20, "loss": {"class_weights": [1, 2, 3]},
                  "layers": [{"op": "Flatten"}, {"op": "Gemm", "outputs": 2}]}
        self.refused("train", self.write("recipe.json", json.dumps(recipe)), "--data", self.path("two"),
                     "--out", self.path("out"),
                     says="recipe.json: loss.class_weights has 3 numbers; wanted 2, one per class")


if __name__ == "__main__":
    unittest.main()
