"""classify train: from IDX files to a model that the other commands take; progress; being stopped."""
import gzip
import hashlib
import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
import unittest
from xml.etree import ElementTree

sys.path.insert(0, os.path.join(os.environ["CLASSIFYD_SOURCE"], "tests", "support"))
import tiny_files  # noqa: E402
from classify_case import CLASSIFY, FAILED, USAGE, ClassifyCase  # noqa: E402

SIDE, N_TRAIN, N_TEST = 6, 600, 120


def picture(rng, label):
    """Noise, and 120 more in the quarter that is the label."""
    return [rng.randrange(100) + (120 if y // 3 * 2 + x // 3 == label else 0)
            for y in range(SIDE) for x in range(SIDE)]


class Train(ClassifyCase):
    def setUp(self):
        super().setUp()
        rng = random.Random(5)
        os.mkdir(self.path("quarters"))
        for split, n in ("train", N_TRAIN), ("t10k", N_TEST):
            labels = [rng.randrange(4) for _ in range(n)]
            tiny_files.write_idx(self.path("quarters"), SIDE, SIDE,
                                 [picture(rng, label) for label in labels], labels, split)
        self.recipe = {
            "name": "quarters", "dataset": "quarters", "labels": tiny_files.QUADRANTS,
            "epochs": 5, "batch": 20, "golden": 3, "augment": {"shift_px": 0.4},
            "optimiser": {"kind": "Adam", "learning_rate": 0.01},
            "layers": [{"op": "Flatten"}, {"op": "Gemm", "outputs": 16}, {"op": "Relu"},
                       {"op": "Gemm", "outputs": 4}]}

    def write_recipe(self, **changes):
        return self.write("recipe.json", json.dumps({**self.recipe, **changes}))

    def train(self, *args, **changes):
        """Returns stdout; the model is in out/1."""
        return self.classify("train", self.write_recipe(**changes), "--data", self.folder, "--out",
                             self.path("out/1"), *args)[0]

    def model(self):
        with open(self.path("out/1/model.onnx"), "rb") as file:
            return file.read()

    def test_the_model_answers(self):
        text = self.train()
        self.assertEqual(text.count("epoch"), 5)
        self.assertRegex(text, r"(?m)^epoch   5/5  loss [\d.e-]+  accuracy \d+\.\d\d %  test loss "
                               r"[\d.e-]+  test accuracy \d+\.\d\d %  \d+ samples/s  0:00 left$")
        self.assertRegex(text, r"(?m)^wrote .*/out/1/model.onnx and its README.md$")
        answer = self.classify_json("eval", self.path("out/1"), "--data", self.path("quarters"))
        self.assertGreater(answer["accuracy"], 0.95)
        self.assertEqual([c["label"] for c in answer["classes"]], tiny_files.QUADRANTS)
        above = self.classify_json("eval", self.path("out/1"), "--data", self.folder)
        self.assertEqual(above["accuracy"], answer["accuracy"])
        shown = float(text.split("test accuracy ")[-1].split(" %")[0])
        self.assertAlmostEqual(shown, 100 * answer["accuracy"], places=1)

    def test_a_picture_goes_through_the_same_preprocessing(self):
        self.train("--quiet")
        for label, name in enumerate(tiny_files.QUADRANTS):
            png = tiny_files.png(SIDE, SIDE, picture(random.Random(label), label))
            answer = self.classify_json("predict", self.path("out/1"), self.write(f"{label}.png", png))
            self.assertEqual(answer["pictures"][0]["predictions"][0]["label"], name)

    def test_the_card_is_complete(self):
        self.train("--seed", "12", "--epochs", "2")
        card = self.classify_json("inspect", self.path("out/1"))
        self.assertEqual(card["name"], "quarters")
        self.assertEqual((card["recipe"]["name"], card["recipe"]["seed"]), ("quarters", 12))
        metadata = self.model()
        self.assertIn(b'"seed":12,"n_train":600,"n_test":120', metadata)
        self.assertIn(b'"seed":12', metadata)
        self.assertIn(b'"epochs":2', metadata)

    def test_settings_change_the_recipe_and_are_recorded(self):
        layers = self.recipe["layers"][:1] + [{"op": "Gemm", "outputs": "$hidden"}] + self.recipe["layers"][2:]
        self.train("--set", "hidden=5", "epochs=2", "--set", "optimiser.learning_rate=0.02", "--quiet",
                   variables={"hidden": 16}, layers=layers)
        recipe = self.classify_json("inspect", self.path("out/1"))["recipe"]
        self.assertEqual((recipe["layers"][1]["outputs"], recipe["epochs"]), (5, 2))
        self.assertEqual(recipe["optimiser"]["learning_rate"], 0.02)
        self.assertNotIn("variables", recipe)
        self.refused("train", self.write_recipe(), "--data", self.folder, "--out", self.path("none"), "--set",
                     "layers.9.outputs=3", says="the list has 4 items")

    def read(self, name):
        with open(self.path("out/1/" + name), "rb") as file:
            return file.read()

    def test_a_card_lies_beside_the_model(self):
        self.train("--quiet", "--epochs", "2", optimiser={"kind": "SGD", "learning_rate": 0.003})
        card = json.loads(self.read("card.json"))
        answer = self.classify_json("eval", self.path("out/1"), "--data", self.folder)
        self.assertAlmostEqual(card["test_accuracy"], answer["accuracy"], places=8)
        self.assertEqual(card["confusion"], answer["confusion"])
        self.assertEqual([c["correct"] for c in card["classes"]], [c["correct"] for c in answer["classes"]])
        self.assertEqual(card["file"]["bytes"], len(self.model()))
        self.assertEqual(card["file"]["sha256"], hashlib.sha256(self.model()).hexdigest())
        self.assertEqual((card["recipe"]["epochs"], len(card["history"])), (2, 2))
        self.assertGreater(len(card["mistakes"]), 0)
        losses = [mistake["loss"] for mistake in card["mistakes"]]
        self.assertEqual(losses, sorted(losses, reverse=True))
        self.assertEqual(self.read("mistakes.png")[:8], b"\x89PNG\r\n\x1a\n")
        self.assertTrue(ElementTree.fromstring(self.read("curves.svg")).tag.endswith("svg"))
        text = self.read("README.md").decode()
        self.assertIn(f"**{100 * answer['accuracy']:.2f} %**", text)
        # The recipe that the text shows makes the same model again.
        recipe, before = text.split("```json\n")[1].split("```")[0], self.model()
        self.classify("train", self.write("again.json", recipe), "--data", self.folder, "--out",
                      self.path("out/1"), "--quiet")
        self.assertEqual(self.model(), before)

    def test_no_mistakes_no_picture_of_them(self):
        self.train("--quiet", "--epochs", "1", optimiser={"kind": "SGD", "learning_rate": 0.003})
        self.assertTrue(os.path.exists(self.path("out/1/mistakes.png")))
        self.train("--quiet", "--epochs", "20")
        self.assertEqual(json.loads(self.read("card.json"))["mistakes"], [])
        self.assertFalse(os.path.exists(self.path("out/1/mistakes.png")))

    def test_same_seed_same_bytes(self):
        files = []
        for args in ["--threads", "1"], ["--threads", "2"], ["--threads", "5"], ["--seed", "9"]:
            self.train("--quiet", *args)
            files.append(self.model())
        self.assertEqual(files[0], files[1])
        self.assertEqual(files[0], files[2])
        self.assertNotEqual(files[0], files[3])

    def test_quiet_says_nothing(self):
        self.assertEqual(self.train("--quiet"), "")

    def test_a_bar_on_a_terminal(self):
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            [CLASSIFY, "train", self.write_recipe(epochs=100000), "--data", self.folder, "--out",
             self.path("out/1")], stdout=theirs, stderr=subprocess.PIPE)
        os.close(theirs)
        bar = (rb"\r\x1b\[Kepoch +\d+/100000 \[#*\.*\]  loss [\d.e-]+  accuracy \d+\.\d\d %  "
               rb"\d+/s  [\d:]+ left\r\x1b\[Kepoch")  # and the next thing goes over it
        seen = b""
        while not re.search(bar, seen):
            self.assertLess(len(seen), 1 << 20, seen[-1000:])
            seen += os.read(ours, 1000)
        child.send_signal(signal.SIGINT)
        try:
            while os.read(ours, 1000):
                pass
        except OSError:  # the other end is closed
            pass
        self.assertRegex(child.communicate(timeout=60)[1].decode(), "stopped in epoch")
        os.close(ours)

    def test_interrupt_leaves_the_old_model(self):
        self.train("--quiet")
        before, files = self.model(), sorted(os.listdir(self.path("out/1")))
        child = subprocess.Popen(
            [CLASSIFY, "train", self.write_recipe(epochs=100000), "--data", self.folder, "--out",
             self.path("out/1")], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.stdout.readline()  # it is under way
        child.send_signal(signal.SIGTERM)
        started = time.monotonic()
        _, err = child.communicate(timeout=60)
        self.assertEqual(child.returncode, FAILED)
        self.assertIn(b"stopped in epoch", err)
        self.assertLess(time.monotonic() - started, 30)
        self.assertEqual(self.model(), before)
        self.assertEqual(sorted(set(os.listdir(self.path("out/1"))) - {"checkpoint"}), files)

    def refuse_training(self, says, recipe=None, data=None, out="out/1", **changes):
        self.refused("train", recipe or self.write_recipe(**changes), "--data", data or self.folder,
                     "--out", self.path(out), says=says)
        self.assertFalse(os.path.exists(self.path(out + "/model.onnx")))

    def test_bad_recipes(self):
        self.refuse_training(["recipe.json", "epoch is not a known key; did you mean epochs?"], epoch=3)
        self.refuse_training("batch is 1000; the training set has only 600 samples", batch=1000)
        self.refuse_training("wanted 0 to 1", labels=["a", "b"])
        self.refuse_training("no/such.json", recipe=self.path("no/such.json"))
        self.refuse_training(["epoch 1, step", "learning rate"],
                             optimiser={"kind": "SGD", "learning_rate": 1000.0, "weight_decay": 10})

    def test_bad_data(self):
        self.refuse_training("no/data", data=self.path("no/data"))
        self.refuse_training("no data set found", data=self.path("."), dataset="none")
        images = self.path("quarters/train-images-idx3-ubyte.gz")
        with gzip.open(images) as file:
            good = file.read()
        for bad, says in [(good[:-1], "ends in record 599"), (b"\0\0\x0d" + good[3:], "magic number"),
                          (good + b"x", "1 bytes follow"), (b"", "0 bytes; wanted at least the 4")]:
            with gzip.open(images, "wb") as file:
                file.write(bad)
            self.refuse_training(["train-images-idx3-ubyte.gz", says])
        with open(images, "wb") as file:  # plain, under the name of a packed one
            file.write(good)
        os.remove(self.path("quarters/t10k-labels-idx1-ubyte.gz"))
        self.refuse_training("t10k-labels-idx1-ubyte")

    def test_an_output_that_cannot_be(self):
        self.write("file", "x")
        self.refuse_training("file", out="file/1")

    def test_usage(self):
        for args in [], ["recipe.json"], ["recipe.json", "--data", "x"]:
            self.classify("train", *args, exit_code=USAGE)
        self.classify("train", "r.json", "--data", "d", "--out", "o", "--epochs", "0", exit_code=USAGE)


if __name__ == "__main__":
    unittest.main()
