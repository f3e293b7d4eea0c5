"""classify eval: counts over a labelled data set."""
import os
import unittest

import tiny_files
from classify_case import USAGE, ClassifyCase

N = 101  # no multiple of a batch


def brightest(index):
    pixels = [10, 20, 30, 40]
    pixels[index] = 250
    return pixels


class Eval(ClassifyCase):
    def setUp(self):
        super().setUp()
        truth = [i % 4 for i in range(N)]
        self.labels = list(truth)
        self.labels[8] = 3  # a picture of class 0
        self.labels[9] = 3  # a picture of class 1
        self.truth = truth
        tiny_files.write_idx(self.folder, 2, 2, [brightest(t) for t in truth], self.labels)

    def check(self, answer):
        self.assertEqual(answer["samples"], N)
        self.assertEqual(answer["correct"], N - 2)
        self.assertAlmostEqual(answer["accuracy"], (N - 2) / N, places=9)
        wanted = [[0] * 4 for _ in range(4)]
        for label, prediction in zip(self.labels, self.truth):
            wanted[label][prediction] += 1
        self.assertEqual(answer["confusion"], wanted)
        for index, found in enumerate(answer["classes"]):
            self.assertEqual(found["label"], tiny_files.QUADRANTS[index])
            self.assertEqual(found["samples"], self.labels.count(index))
            self.assertEqual(found["correct"], wanted[index][index])
            self.assertAlmostEqual(found["accuracy"], wanted[index][index] / sum(wanted[index]))

    def test_counts(self):
        model = self.write_quadrant_model()
        for threads in "0", "1", "5":
            self.check(self.classify_json("eval", model, "--data", self.folder, "--threads", threads))

    def test_the_folder_above(self):
        os.mkdir(self.path("brightest"))
        for name in os.listdir(self.folder):
            if name.endswith(".gz"):
                os.rename(self.path(name), self.path("brightest/" + name))
        model = self.write_quadrant_model(metadata={"classifyd.recipe": '{"dataset": "brightest"}'})
        self.check(self.classify_json("eval", model, "--data", self.folder))
        self.check(self.classify_json("eval", model, "--data", self.path("brightest")))
        empty = self.path("brightest/empty")
        os.mkdir(empty)
        for name in ("..", "../../brightest"):
            model = self.write_quadrant_model(metadata={"classifyd.recipe": '{"dataset": "%s"}' % name})
            self.refused("eval", model, "--data", empty, says=empty)

    def test_a_model_bound_to_one_sample(self):
        self.check(self.classify_json("eval", self.write_quadrant_model(batch=1), "--data",
                                      self.folder))

    def test_text(self):
        text, _ = self.classify("eval", self.write_quadrant_model(), "--data", self.folder)
        self.assertRegex(text, r"(?m)^accuracy +98\.02 %$")
        self.assertRegex(text, r"(?m)^lower right +27 +25 +92\.59 %$")
        self.assertRegex(text, r"(?m)^lower right +1 +1 +0 +25$")

    def test_predictions_file(self):
        out = self.path("predictions.txt")
        self.classify("eval", self.write_quadrant_model(), "--data", self.folder, "--predictions", out)
        with open(out) as file:
            self.assertEqual([int(line) for line in file], self.truth)

    def test_split(self):
        tiny_files.write_idx(self.folder, 2, 2, [brightest(2)], [2], split="train")
        answer = self.classify_json("eval", self.write_quadrant_model(), "--data", self.folder,
                                    "--split", "train")
        self.assertEqual((answer["samples"], answer["accuracy"]), (1, 1))
        self.assertIsNone(answer["classes"][0]["accuracy"])
        self.refused("eval", self.path("quadrant.onnx"), "--data", self.folder, "--split", "half",
                     says="train, test", exit_code=USAGE)

    def test_pictures_of_another_size_are_resized(self):
        tiny_files.write_idx(self.folder, 4, 4, [[0, 0, 9, 9, 0, 0, 9, 9] + [0] * 8], [1])
        answer = self.classify_json("eval", self.write_quadrant_model(), "--data", self.folder)
        self.assertEqual((answer["samples"], answer["accuracy"]), (1, 1))

    def test_bad_data(self):
        model = self.write_quadrant_model()
        tiny_files.write_idx(self.folder, 2, 2, [brightest(0)], [4])
        self.refused("eval", model, "--data", self.folder, says=["class 4", "0 to 3"])
        with open(self.path("t10k-labels-idx1-ubyte.gz"), "wb") as file:
            file.write(b"not gzip")
        self.refused("eval", model, "--data", self.folder, says="t10k-labels")
        self.refused("eval", model, "--data", self.path("nowhere"), says=self.path("nowhere"))

    def test_predictions_that_cannot_be_written(self):
        out = self.path("none/predictions.txt")
        self.refused("eval", self.write_quadrant_model(), "--data", self.folder, "--predictions", out,
                     says=out)


if __name__ == "__main__":
    unittest.main()
