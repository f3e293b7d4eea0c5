"""classify predict: pictures in, labels and probabilities out."""
import math
import unittest

import tiny_files
from classify_case import FAILED, ClassifyCase


class Predict(ClassifyCase):
    def setUp(self):
        super().setUp()
        self.picture = self.write("right.png", tiny_files.png(2, 2, [0, 255, 51, 0]))

    def check_right(self, predictions):
        """Scores are 0, 8, 1.6, 0."""
        total = 2 + math.exp(8) + math.exp(1.6)
        expected = [(1, math.exp(8)), (2, math.exp(1.6)), (0, 1), (3, 1)]
        self.assertEqual([p["index"] for p in predictions], [i for i, _ in expected])
        for found, (index, power) in zip(predictions, expected):
            self.assertAlmostEqual(found["probability"], power / total, places=6)
            self.assertEqual(found["label"], tiny_files.QUADRANTS[index])

    def test_json(self):
        answer = self.classify_json("predict", self.write_quadrant_model(), self.picture)
        self.assertEqual(answer["pictures"][0]["file"], self.picture)
        self.assertRegex(answer["digest"], "^[0-9a-f]{64}$")
        self.check_right(answer["pictures"][0]["predictions"])

    def test_softmax_is_added_to_scores(self):
        answer = self.classify_json("predict", self.write_quadrant_model(softmax=False), self.picture)
        self.check_right(answer["pictures"][0]["predictions"])

    def test_text_and_top(self):
        text, _ = self.classify("predict", self.write_quadrant_model(), self.picture, "--top", "2")
        self.assertEqual(text.splitlines()[0], self.picture)
        self.assertRegex(text.splitlines()[1], r"99\.\d+ % +upper right")
        self.assertEqual(len(text.splitlines()), 3)

    def test_version_folder_with_config(self):
        self.write("q/1/model.onnx", tiny_files.quadrant_model(labels=False))
        answer = self.classify_json("predict", self.path("q/1"), self.picture)
        self.assertEqual(answer["pictures"][0]["predictions"][0]["label"], "1")
        self.write("q/config.json", '{"labels": ["a", "b", "c", "d"]}')
        answer = self.classify_json("predict", self.path("q/1"), self.picture)
        self.assertEqual(answer["pictures"][0]["predictions"][0]["label"], "b")
        other = self.write("other.json", '{"labels": ["e", "f", "g", "h"]}')
        answer = self.classify_json("predict", self.path("q/1"), self.picture, "--config", other)
        self.assertEqual(answer["pictures"][0]["predictions"][0]["label"], "f")

    def test_one_bad_picture_does_not_spoil_the_others(self):
        bad = self.write("bad.png", b"\x89PNG\r\n\x1a\nrubbish")
        answer = self.classify_json("predict", self.write_quadrant_model(), bad, self.picture,
                                    exit_code=FAILED)
        self.assertIn(bad, answer["pictures"][0]["error"])
        self.check_right(answer["pictures"][1]["predictions"])
        self.refused("predict", self.path("quadrant.onnx"), self.path("none.png"),
                     says=self.path("none.png"))

    def test_a_model_without_pictures_is_refused(self):
        two = self.write("two.onnx", tiny_files.two_input_model())
        self.refused("predict", two, self.picture, says=["takes no pictures", "2 inputs"])


if __name__ == "__main__":
    unittest.main()
